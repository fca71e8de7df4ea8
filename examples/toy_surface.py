"""A whole surface: cards as text, pressed by signed JSON. docs/how-to/add-a-surface.md goes through it."""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from adapters.port import Adapter, Setup
from reviews import filled
from reviews.card import Block, Callout, Card, Facts, Happening, Lines, Text, Timeline
from reviews.events import Answer, Interaction
from reviews.model import Identity, Target, Verb
from reviews.ports import Abilities, Desk, Health, MessageRef, Refusal
from reviews.unseen import clean


def draw(card: Card) -> str:
    """The card as text. Only buttons begin at the margin, so that no agent's words can pass for one."""
    lines = [card.title, *(line for block in card.blocks for line in _words(block))]
    words = [f"  {' '.join(clean(line).split()):.200}" for line in lines]
    buttons = [f"[{control.verb}] {control.label}" for control in filled.controls(card)]
    return "\n".join([card.status, *words, f"  All of it: {card.link}", *buttons])


def _words(block: Block) -> list[str]:
    if isinstance(block, Text | Callout):
        return [block.text]
    if isinstance(block, Facts):
        return [f"{fact.label}: {fact.value}" for fact in block.items]
    return [line.text for line in block.items] if isinstance(block, Timeline | Lines) else []


class Console:
    """The surface `console`, in memory. `said` is what was said beneath each copy, and to each person alone."""

    name = "console"
    tenant: str | None = None
    abilities = Abilities(threads=True, live=False, finds=True, max_bytes=100_000, per_second=9)

    def __init__(self, desk: Desk, secret: str) -> None:
        self.desk, self.secret = desk, secret.encode()
        self.copies: dict[str, Card] = {}
        self.said: dict[str, list[str]] = {}

    async def post(self, card: Card, target: Target, copy_id: str) -> MessageRef:
        self.copies[copy_id] = card
        return MessageRef(surface=self.name, ref={"copy": copy_id}, mark=copy_id)

    async def update(self, ref: MessageRef, card: Card) -> None:
        self.copies[ref.ref["copy"]] = card

    async def note(self, ref: MessageRef, lines: Sequence[Happening]) -> None:
        self.said.setdefault(ref.ref["copy"], []).extend(line.text for line in lines)

    async def whisper(self, identity: Identity, text: str) -> None:
        self.said.setdefault(identity.id, []).append(text)

    async def find(self, copy_id: str, target: Target, since: datetime) -> MessageRef | None:
        return MessageRef(surface=self.name, ref={"copy": copy_id}, mark=copy_id) if copy_id in self.copies else None

    async def health(self) -> Health:
        return Health(ok=True)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.post("/console", self._pressed)]

    async def _pressed(self, request: web.Request) -> web.Response:
        body = await request.read()
        signature = hmac.digest(self.secret, body, "sha256").hex()
        if not hmac.compare_digest(signature, request.headers.get("X-Signature", "")):
            raise web.HTTPUnauthorized(text="The signature does not fit the body.")
        sent = json.loads(body)
        who, copy = Identity(surface=self.name, id=sent["person"]), sent["seen"]["copy"]
        bare = Interaction(verb=Verb(sent["verb"]), identity=who, ref={"copy": copy}, mark=copy, **sent["seen"])
        made = filled.interaction(bare, self.copies[copy], sent["values"])
        if isinstance(made, filled.Faults):
            return web.json_response({"text": made.text, "errors": made.errors})
        reply = await self.desk.interact(made)
        shown = await self._revealed(made) if made.verb is Verb.REVEAL and reply.answer is Answer.DONE else ""
        return web.json_response({"text": shown or reply.text, "errors": reply.errors})

    async def _revealed(self, made: Interaction) -> str:
        person = await self.desk.who(made.identity)
        if isinstance(person, Refusal):
            return person.text
        return draw(await self.desk.read(made.review, person, surface=self.name, reveal=True))


def create(setup: Setup) -> Adapter | None:
    return Console(setup.desk, setup.env["CONSOLE_SECRET"]) if "CONSOLE_SECRET" in setup.env else None

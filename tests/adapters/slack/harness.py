"""Slack under the contract of every adapter: clicks on what was really posted to an emulated Slack."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.adapter import SlackAdapter
from reviews.card import Go
from reviews.model import Identity, Target, Verb
from reviews.ports import MessageRef
from tests.adapters.slack.checker import seen, texts
from tests.adapters.slack.conftest import House
from tests.contracts.harness import BLANK, Seen
from tests.fakes import slack_payloads as payloads
from tests.fakes.desk import BO, FakeDesk
from tests.fakes.slack import Fault, Json, Slack

_FIELD = "field:"
#: Where an input keeps what stood in it when it was drawn.
_INITIAL = ("initial_value", "initial_date")


@dataclass(kw_only=True)
class SlackHarness:
    """`before` are the messages of the channel that other tests left, `sent` what was sent of each control last."""

    house: House
    direct: Target
    before: frozenset[str]
    sent: dict[tuple[str, Verb], Json] = field(default_factory=dict)

    @property
    def adapter(self) -> SlackAdapter:
        """The surface."""
        return self.house.adapter

    @property
    def desk(self) -> FakeDesk:
        """Its desk."""
        return self.house.desk

    @property
    def slack(self) -> Slack:
        """What stands behind it."""
        return self.house.slack

    @property
    def target(self) -> Target:
        """A channel."""
        return self.house.target

    @property
    def ana(self) -> Identity:
        """Ana."""
        return self.house.ana

    @property
    def bo(self) -> Identity:
        """Bo."""
        return self.house.bo

    # ------------------------------------------------------------------------------------------ looking

    async def _message(self, ref: MessageRef) -> Json:
        return await self.slack.message(ref.ref["channel"], ref.ref["ts"])

    async def read_back(self, ref: MessageRef) -> str:
        """The words of the copy."""
        return await self.house.read_back(ref)

    async def weight(self, ref: MessageRef) -> int:
        """The characters of its blocks as they were sent: Slack counts those."""
        sent = [args for method, args in self.slack.calls if method == "chat.postMessage" and "metadata" in args]
        blocks = next(a["blocks"] for a in sent if a["metadata"]["event_payload"] == {"copy": ref.ref["copy"]})
        return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))

    async def markup(self, ref: MessageRef) -> list[str]:
        """`mrkdwn` anywhere, raw `<` where it would be parsed, and links that are not to web addresses."""
        message = await self._message(ref)
        found = [item["text"] for item in texts(message["blocks"]) if item.get("type") == "mrkdwn"]
        found += [i["text"] for i in texts(message["blocks"]) if i.get("type") == "plain_text" and "<" in i["text"]]
        found += [url for url in _links(message["blocks"]) if not url.startswith(("https://", "http://"))]
        return found + ([message["text"]] if "<" in message["text"] else [])

    async def controls(self, ref: MessageRef) -> set[Verb]:
        """Buttons and lines of menus."""
        names = [name for name, _ in _controls((await self._message(ref))["blocks"])]
        return {Verb(name) for name in names if name in tuple(Verb)}

    async def whispers(self, identity: Identity) -> list[str]:
        """What only this person saw, and direct messages of the bot."""
        shown = [e.text for e in reversed(self.slack.ephemerals) if e.user == identity.id]
        return [*shown, *await self.slack.direct(identity.id)]

    async def beneath(self, ref: MessageRef) -> list[str]:
        """The replies in the copy's thread."""
        return [seen(reply["blocks"]) for reply in await self.slack.replies(ref.ref["channel"], ref.ref["ts"])]

    async def posts(self) -> list[str]:
        """The messages of the channel since the test began."""
        found = await self.slack.history(self.target.address)
        return [
            seen(m["blocks"]) for m in found if m["ts"] not in self.before and m.get("thread_ts") in (None, m["ts"])
        ]

    # ------------------------------------------------------------------------------------------ pressing

    async def look(self, ref: MessageRef, who: Identity) -> None:
        """A copy stands until it is drawn again."""

    async def press(
        self, ref: MessageRef, verb: Verb, who: Identity, values: Mapping[str, str] = BLANK, *, again: bool = False
    ) -> Seen:
        """Click, and send the form that opens; what is said to who clicked, by whatever way."""
        told = len(await self.whispers(who))
        body = await self._send(self.sent[who.id, verb] if again else await self._click(ref, verb, who))
        views = [view for view in self.slack.views.values() if view["type"] == "modal"] if not again else []
        if views and views[-1]["callback_id"] == "placet:form":
            self.sent[who.id, verb] = self.slack.submit(views[-1], who.id, _drawn(views[-1]) | dict(values))
            self.slack.views.clear()
            body = await self._send(self.sent[who.id, verb])
        heard = await self.whispers(who)
        view = seen(body.get("view", {}).get("blocks", []))
        errors = {name.removeprefix(_FIELD): text for name, text in body.get("errors", {}).items()}
        return Seen(text="\n".join([view, *heard[: len(heard) - told]]), errors=errors)

    async def _click(self, ref: MessageRef, verb: Verb, who: Identity) -> Json:
        blocks = (await self._message(ref))["blocks"]
        _, (action, option) = next(one for one in _controls(blocks) if one[0] == verb)
        payload = await self.slack.press(ref.ref["channel"], ref.ref["ts"], who.id, action, option)
        self.sent[who.id, verb] = payload
        return payload

    async def _send(self, payload: Json) -> Json:
        status, body = await self.house.send(payload)
        assert status == 200, body
        await self.house.settled()
        found: Json = json.loads(body) if body else {}
        return found

    # ------------------------------------------------------------------------------------------ typing

    async def typed(self, text: str, who: Identity) -> str:
        """`/placet` with this text; the answer that only they see."""
        payload = await self.slack.command(text, who.id, self.target.address)
        answer = await self._send(payload)
        assert answer["response_type"] == "ephemeral"
        return seen(answer.get("blocks")) or str(answer["text"])

    async def reply(self, ref: MessageRef, text: str, who: Identity) -> str:
        """Write in the copy's thread; Slack escapes what would be markup."""
        told = len(self.slack.ephemerals)
        safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        said = payloads.reply(safe, who.id, ref.ref["channel"], ref.ref["ts"])
        await self._send(payloads.event(said))
        return "\n".join(e.text for e in self.slack.ephemerals[told:] if e.user == who.id)

    # ------------------------------------------------------------------------------------------ ways

    async def go(self, ref: MessageRef, go: Go, who: Identity) -> str:
        """Press it; what comes is in a modal."""
        return seen((await self._opened(ref, go, who))["blocks"])

    async def _opened(self, ref: MessageRef, go: Go, who: Identity) -> Json:
        blocks = (await self._message(ref))["blocks"]
        _, (action, option) = next(one for one in _controls(blocks) if one[0] == f"go:{go}")
        await self._send(await self.slack.press(ref.ref["channel"], ref.ref["ts"], who.id, action, option))
        return await self.house.modal()

    async def choose(self, ref: MessageRef, reviews: Sequence[str], who: Identity) -> str:
        """Tick the lines in the modal."""
        view = await self._opened(ref, Go.BULK, who)
        await self._send(self.slack.submit(view, who.id, {"pick:0": list(reviews)}))
        return seen(self.slack.views[view["id"]]["blocks"])

    async def ask(self, text: str, who: Identity, values: Mapping[str, str]) -> Seen:
        """Fill in the modal that the message's shortcut opens."""
        channel, safe = self.target.address, text.replace("&", "&amp;")
        said = await self.slack.ask("chat.postMessage", {"channel": channel, "text": safe})
        await self._send(await self.slack.shortcut(channel, said["ts"], who.id))
        view = await self.house.modal()
        body = await self._send(self.slack.submit(view, who.id, _drawn(view) | dict(values)))
        errors = {name.removeprefix(_FIELD): fault for name, fault in body.get("errors", {}).items()}
        return Seen(text=seen(body.get("view", {}).get("blocks", [])), errors=errors)

    async def home(self, who: Identity) -> str:
        """Open the tab."""
        await self._send(payloads.opened(who.id))
        return seen(next(view for view in self.slack.views.values() if view["type"] == "home")["blocks"])

    # ------------------------------------------------------------------------------------------ failing

    def lose_next_post(self) -> None:
        """The message is made and the connection cut."""
        self.slack.faults["chat.postMessage"] = [Fault(dropped=True)]

    def refuse_next_post(self) -> None:
        """The bot is not in the channel."""
        self.slack.faults["chat.postMessage"] = [Fault(error="not_in_channel")]

    def slow_next_post(self, seconds: int) -> None:
        """Too many at once."""
        self.slack.faults["chat.postMessage"] = [Fault(status=429, retry_after=seconds)]

    async def pass_time(self, seconds: float) -> None:
        """What Slack asked to wait is shorter by as much."""
        gate = self.adapter._calls._gate
        gate._until = {key: until - seconds for key, until in gate._until.items()}


def _controls(blocks: list[Json]) -> list[tuple[str, tuple[str, int | str]]]:
    """Each control of ours by its verb, each way by `go:` and its name, with how it is pressed."""
    found: list[tuple[str, tuple[str, int | str]]] = []
    for element in (e for block in blocks for e in (*block.get("elements", ()), block.get("accessory") or {})):
        name = str(element.get("action_id", ""))
        if name == "placet:more":
            values = [option["value"] for option in element["options"]]
            found += [(_named(value.split("|")), (name, value)) for value in values]
        elif name.startswith("placet:") and not name.endswith(":because"):
            found.append((_named(name.split(":")[1:]), (name, 0)))
    return found


def _named(parts: list[str]) -> str:
    return ":".join(parts[:2]) if parts[0] == "go" else parts[0]


def _drawn(view: Json) -> Json:
    """What stands in a modal's fields before anybody typed."""
    found: dict[str, Any] = {}
    for block in view["blocks"]:
        element = block.get("element", {})
        value = next((element[name] for name in _INITIAL if name in element), None)
        value = element["initial_option"]["value"] if "initial_option" in element else value
        value = element["initial_options"][0]["value"] if "initial_options" in element else value
        found |= {block["block_id"].removeprefix(_FIELD): value} if value is not None else {}
    return found


def _links(value: Any) -> list[str]:
    if isinstance(value, list):
        return [url for inner in value for url in _links(inner)]
    if isinstance(value, dict):
        here = [value["url"]] if isinstance(value.get("url"), str) else []
        return here + [url for inner in value.values() for url in _links(inner)]
    return []


async def slack_harness(house: House) -> SlackHarness:
    """The contract's view of a House; Bo is somebody there too."""
    house.desk.people[house.bo.id] = BO
    before = frozenset(m["ts"] for m in await house.slack.history(house.target.address))
    return SlackHarness(
        house=house,
        direct=Target(surface="slack", address=house.ana.id, person="ana"),
        before=before,
    )

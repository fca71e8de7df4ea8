"""What people type in Teams: commands, comments beneath a card, and the wish to have something looked at."""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict

from adapters import asking
from adapters.asking import ASK
from adapters.saying import DONE, UNCHANGED, UNHEARD, said, spoken
from adapters.teams import parse, render, views
from adapters.teams.answers import Answers, Manner, Shown
from adapters.teams.bulk import Bulk
from adapters.teams.parse import SURFACE, Kind, Origin, Pointed, Said
from adapters.teams.places import Places
from adapters.teams.press import Pressed
from adapters.teams.seam import Answered, Json
from adapters.token import Token
from reviews.card import Card, Table
from reviews.events import Reply
from reviews.model import Identity, Person, Target
from reviews.ports import Desk, Refusal
from reviews.values import replace

_log = logging.getLogger(__name__)

_WHERE = "Write “comment” and your words as a reply beneath a card, or press Comment on the card."
_EMPTY = "Write your words after “comment”, or press Comment on the card."
#: How the house's own table of commands begins.
_COMMANDS = ("Command",)
#: What is typed here and is no command of the house.
_OURS = Table(
    columns=("In Teams", "What it does"),
    rows=(
        ("home", "What waits for you, what you decided, who is on call"),
        ("bulk [action]", "Approve several reviews of one action"),
        ("ask", "Ask people to look at something"),
        ("comment WORDS", "Beneath a card, with a mention of Placet: a comment on it"),
    ),
)
#: People welcomed, remembered because Teams tells of one installation twice.
_KEPT = 1000


class Words:
    """Takes what was typed, and who newly has us."""

    def __init__(self, desk: Desk, answers: Answers, places: Places, bulk: Bulk) -> None:
        self._desk = desk
        self._answers = answers
        self._places = places
        self._bulk = bulk
        self._welcomed: OrderedDict[str, None] = OrderedDict()

    # ------------------------------------------------------------------------------------------ commands

    async def on_message(self, origin: Origin, payload: Json) -> Answered:
        """A message was written. What is not for us is nobody's business.

        Raises StoreUnavailable for a comment that was not kept: Teams then sends the message again.
        """
        typed = parse.said(payload)
        if not typed.meant:
            return Answered()
        word, _, rest = typed.text.partition(" ")
        if word.casefold() == "comment":
            return await self._comment(typed, rest.strip())
        return await self._answers.give(origin, Manner.MESSAGE, self._answer(typed, word.casefold(), rest.strip()))

    async def _answer(self, typed: Said, word: str, rest: str) -> Shown:
        """What a command comes to, for who typed it alone."""
        person = await self._desk.who(typed.origin.identity)
        if isinstance(person, Refusal):
            return Shown(text=person.text)
        match word:
            case "home":
                return Shown(message=views.welcome(await self._desk.home(person), ""))
            case "ask":
                return await self._asking(person, rest)
            case "bulk":
                return await self._bulk.form(person, rest)
            case _:
                card = await self._desk.command(person, typed.text or "help", surface=SURFACE)
                return Shown(message=_drawn(_helped(card)), link=card.link)

    # ------------------------------------------------------------------------------------------ comments

    async def _comment(self, typed: Said, text: str) -> Answered:
        """A comment beneath a card, kept before Teams hears that we have it; kept twice it is not."""
        origin = typed.origin
        comment = parse.comment(typed, text)
        if comment is None or not text:
            return await self._answers.give(origin, Manner.MESSAGE, _told(_WHERE if comment is None else _EMPTY))
        reply = await self._desk.interact(comment)
        if reply.kind == "bad":
            return await self._answers.give(origin, Manner.MESSAGE, _told(said(reply) or UNHEARD))
        # All there read the comment, so they may read that it is kept.
        await spoken(self._answers.reply(origin, reply.text or DONE), _unsaid)
        return Answered()

    # ------------------------------------------------------------------------------------------ asking

    async def on_pointed(self, origin: Origin, payload: Json) -> Answered:
        """Somebody chose our action on a message: the form to ask with opens."""
        return await self._answers.give(origin, Manner.DIALOG, self._opened(origin, parse.pointed(payload)))

    async def _opened(self, origin: Origin, pointed: Pointed) -> Shown:
        person = await self._desk.who(origin.identity)
        if isinstance(person, Refusal):
            return Shown(text=person.text, title=ASK)
        return replace(await self._asking(person, pointed.text), apart=False)

    async def _asking(self, person: Person, text: str) -> Shown:
        form = await self._desk.asking(person)
        if isinstance(form, Refusal):
            return Shown(text=form.text, title=ASK)
        return Shown(message=views.ask_form(form, text=text, nonce=secrets.token_hex(8)), title=ASK, apart=True)

    async def asked(self, origin: Origin, manner: Manner, pressed: Pressed, pointed: Pointed) -> Shown:
        """The form to ask with was sent."""
        place = await self._place(origin, pointed)
        reply = await asking.ask(
            self._desk, origin.identity, pressed.values, place=place, link=pointed.link, once=pressed.nonce
        )
        if reply.errors and manner is not Manner.MESSAGE:
            return await self._again(origin, pressed, reply)
        return Shown(text=said(reply) or UNCHANGED, title=ASK)

    async def _again(self, origin: Origin, pressed: Pressed, reply: Reply) -> Shown:
        """The form as it was filled in, with what is wrong."""
        person = await self._desk.who(origin.identity)
        form = person if isinstance(person, Refusal) else await self._desk.asking(person)
        if isinstance(form, Refusal):
            return Shown(text=form.text, title=ASK)
        drawn = views.ask_form(form, values=pressed.values, errors=reply.errors, nonce=pressed.nonce)
        return Shown(text=said(reply), message=drawn, title=ASK)

    async def _place(self, origin: Origin, pointed: Pointed) -> Target | None:
        """Where it was asked, if we may write there: one may point at messages in rooms we are not of."""
        if not await self._places.knows(origin):
            return None
        thread = origin.root or pointed.thread if origin.kind is Kind.CHANNEL else ""
        return Target(surface=SURFACE, address=origin.channel, thread=thread)

    # ------------------------------------------------------------------------------------------ coming

    async def on_installed(self, origin: Origin) -> Answered:
        """Somebody has us in a chat of theirs now."""
        if not origin.alone or origin.identity.id in self._welcomed:
            return Answered()
        self._welcomed[origin.identity.id] = None
        if len(self._welcomed) > _KEPT:
            self._welcomed.popitem(last=False)
        return await self._answers.give(origin, Manner.MESSAGE, self._welcome(origin))

    async def _welcome(self, origin: Origin) -> Shown:
        person = await self._desk.who(origin.identity)
        if isinstance(person, Refusal):
            return Shown(message=views.welcome(None, _stranger(origin.identity, person.text)))
        return Shown(message=views.welcome(await self._desk.home(person), f"Welcome, {person.name}."))


def _drawn(card: Card) -> Json:
    return render.private(card, Token.of(card, "") if card.review else None)


def _helped(card: Card) -> Card:
    """The card, and the commands of here where it names those of the house: it is help, or knows no such command."""
    named = any(isinstance(block, Table) and block.columns[:1] == _COMMANDS for block in card.blocks)
    return replace(card, blocks=(*card.blocks, _OURS)) if named else card


def _stranger(identity: Identity, why: str) -> str:
    """Why somebody is not let in, with the ids that an operator needs, each once: the sentence may name them."""
    ids = {"Object ID": identity.id, "tenant": identity.tenant or "not known"}
    return " ".join([why, *(f"Your {name}: {value}." for name, value in ids.items() if value not in why)])


async def _told(text: str) -> Shown:
    return Shown(text=text)


def _unsaid(why: str) -> None:
    _log.warning("that a comment is kept was not said: %s", why)

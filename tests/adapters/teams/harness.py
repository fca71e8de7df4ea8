"""Teams under the contract of every adapter: pressed on what was really posted to a strict fake of Teams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.teams.surface import TeamsSurface
from reviews.card import Go
from reviews.model import Identity, Target, Verb
from reviews.ports import MessageRef
from tests.adapters.teams.checker import card_faults
from tests.adapters.teams.conftest import House
from tests.contracts.harness import BLANK, Seen
from tests.fakes import teams_payloads as payloads
from tests.fakes.desk import FakeDesk
from tests.fakes.teams import Answer, Fault, Teams
from tests.fakes.teams_payloads import CHANNEL, Json, words
from tests.fakes.teams_service import Message

#: What Teams reads as more than words: Markdown in a text, a function of the card's language anywhere.
_MARKDOWN = re.compile(r"[*_~`\[\]<>#]|^\s*(-|\d+\.) ", re.MULTILINE)
_FUNCTION = re.compile(r"\{\{(?!(DATE|TIME)\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(, SHORT)?\)\}\})")
_SAID = ("text", "title", "label", "placeholder", "errorMessage")


@dataclass(kw_only=True)
class TeamsHarness:
    """The contract's view of a House."""

    house: House
    direct: Target

    @property
    def adapter(self) -> TeamsSurface:
        """The surface."""
        return self.house.surface

    @property
    def desk(self) -> FakeDesk:
        """Its desk."""
        return self.house.desk

    @property
    def teams(self) -> Teams:
        """What stands behind it."""
        return self.house.teams

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

    async def read_back(self, ref: MessageRef) -> str:
        """The words of the copy."""
        return self.teams.message(ref).seen

    async def weight(self, ref: MessageRef) -> int:
        """The bytes of its card."""
        return len(json.dumps(self.teams.message(ref).card, ensure_ascii=False, separators=(",", ":")).encode())

    async def markup(self, ref: MessageRef) -> list[str]:
        """Markdown where it is read, functions, links that are not to web addresses, mentions."""
        message = self.teams.message(ref)
        entities = [json.dumps(one) for one in message.activity.get("entities", ())]
        return [*entities, *_markup(message.card), *_MARKDOWN.findall(message.activity.get("text", ""))]

    async def controls(self, ref: MessageRef) -> set[Verb]:
        """Buttons, those within what is unfolded too."""
        verbs = [one.action.get("data", {}).get("verb") for one in payloads.buttons(self.teams.message(ref).card)]
        return {Verb(verb) for verb in verbs if verb}

    async def whispers(self, identity: Identity) -> list[str]:
        """Their own chat with the bot."""
        return [message.seen for message in self.teams.direct(identity.id)]

    async def beneath(self, ref: MessageRef) -> list[str]:
        """The replies in the copy's thread."""
        return [message.seen for message in self.teams.thread(ref.ref["conversation"])]

    async def posts(self) -> list[str]:
        """The messages of the channel."""
        return [message.seen for message in self.teams.posts(CHANNEL)]

    # ------------------------------------------------------------------------------------------ pressing

    async def look(self, ref: MessageRef, who: Identity) -> None:
        """A copy stands until it is drawn again."""

    async def press(
        self, ref: MessageRef, verb: Verb, who: Identity, values: Mapping[str, str] = BLANK, *, again: bool = False
    ) -> Seen:
        """Press, the form filled in; sent again it comes with another id, as Teams does late."""
        message, told = self.teams.message(ref), len(self.teams.direct(who.id))
        answer = await self.teams.press(message, verb, who.id, values, again="new" if again else "")
        return await self._seen(answer, message, who, told)

    async def _seen(self, answer: Answer, message: Message, who: Identity, told: int) -> Seen:
        assert answer.status == 200, answer
        assert not answer.card or card_faults(answer.card) == []
        await self.house.settled()
        heard = await self.whispers(who)
        return Seen(
            text="\n".join([answer.text, words(answer.card), *heard[: len(heard) - told]]), errors=answer.errors
        )

    # ------------------------------------------------------------------------------------------ typing

    async def typed(self, text: str, who: Identity) -> str:
        """Write to the bot in one's own chat with it."""
        told = len(self.teams.direct(who.id))
        answer = await self.teams.say(text, who.id)
        await self.house.settled()
        heard = await self.whispers(who)
        return "\n".join([answer.text, *heard[: len(heard) - told]])

    async def reply(self, ref: MessageRef, text: str, who: Identity) -> str:
        """Mention the bot beneath a copy: it hears nothing else there."""
        told = len(self.teams.direct(who.id))
        await self.teams.say(f"comment {text}", who.id, CHANNEL, beneath=ref.ref["activity"])
        await self.house.settled()
        heard = await self.whispers(who)
        return "\n".join(heard[: len(heard) - told])

    # ------------------------------------------------------------------------------------------ ways

    async def go(self, ref: MessageRef, go: Go, who: Identity) -> str:
        """Press it; what comes is in one's own chat."""
        message, told = self.teams.message(ref), len(self.teams.direct(who.id))
        answer = await self.teams.press(message, f"placet/{go}", who.id)
        return (await self._seen(answer, message, who, told)).text

    async def choose(self, ref: MessageRef, reviews: Sequence[str], who: Identity) -> str:
        """Tick the lines of the form in one's own chat."""
        await self.go(ref, Go.BULK, who)
        form, told = self.teams.direct(who.id)[0], len(self.teams.direct(who.id))
        names = [payloads.name_of(field) for field in payloads.inputs(form.card)]
        ticked = {name: "true" for name in names if name.removeprefix("pick:").partition("|")[0] in reviews}
        answer = await self.teams.press(form, "placet/bulk", who.id, ticked)
        return (await self._seen(answer, form, who, told)).text

    async def ask(self, text: str, who: Identity, values: Mapping[str, str]) -> Seen:
        """Fill in the dialog that the message's action opens."""
        opened = await self.teams.point(text, who.id)
        found = next(payloads.buttons(opened.card))
        data, errors = payloads.gathered(found, values)
        answer = opened if errors else await self.teams.point(text, who.id, data=data)
        return Seen(text=answer.text, errors=errors)

    async def home(self, who: Identity) -> str:
        """Type it."""
        return await self.typed("home", who)

    # ------------------------------------------------------------------------------------------ failing

    def lose_next_post(self) -> None:
        """The message is made and the connection cut."""
        self.teams.faults["create"] = [Fault(dropped=True)]

    def refuse_next_post(self) -> None:
        """The bot is not in the channel."""
        self.teams.faults["create"] = [Fault(status=403, code="BotNotInConversationRoster")]

    def slow_next_post(self, seconds: int) -> None:
        """Too many at once."""
        self.teams.faults["create"] = [Fault(status=429, code="Throttled", retry_after=seconds)]

    async def pass_time(self, seconds: float) -> None:
        """On both sides."""
        self.house.ticks.at += seconds


def _markup(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _markup(one)
    elif isinstance(value, dict):
        yield from _alive(value)
        inner = (one for name, one in value.items() if isinstance(one, list | dict) and name != "data")
        yield from (found for one in inner for found in _markup(one))


def _alive(element: Json) -> Iterator[str]:
    """What of an element is more than words."""
    texts = {name: text for name, text in element.items() if name in _SAID and isinstance(text, str)}
    yield from (f"{name}: {text}" for name, text in texts.items() if _FUNCTION.search(text))
    facts = [text for fact in element.get("facts", ()) for text in (fact["title"], fact["value"])]
    parsed = [texts["text"], *facts] if element.get("type") == "TextBlock" else facts
    yield from (f"Markdown: {text}" for text in parsed if _MARKDOWN.search(text))
    url = element.get("url")
    if isinstance(url, str) and not url.startswith(("https://", "http://")):
        yield url


def teams_harness(house: House) -> TeamsHarness:
    """The contract's view of a House."""
    return TeamsHarness(house=house, direct=Target(surface="teams", address=house.ana.id, person="ana"))

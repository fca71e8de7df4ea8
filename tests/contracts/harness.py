"""What the contract of surfaces asks of whoever brings one: a counterpart to look at, and hands to press with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reviews.card import Go
from reviews.model import Identity, Target, Verb
from reviews.ports import MessageRef, Surface
from tests.fakes.desk import FakeDesk

#: A form left as it was drawn.
BLANK: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What who pressed sees of it: `text` is everything they were told or shown, `errors` faults by form field."""

    text: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


class SentHarness(Protocol):
    """A surface under test with its counterpart: the people and places there, and what stands where."""

    @property
    def adapter(self) -> Surface:
        """The surface."""
        ...

    @property
    def desk(self) -> FakeDesk:
        """Its desk. It has the sample cards, and knows Ana and Bo by the ids they have on this surface."""
        ...

    @property
    def target(self) -> Target:
        """Where a role's cards are posted: a channel, where there are channels."""
        ...

    @property
    def direct(self) -> Target:
        """Where a card for Ana alone is posted."""
        ...

    @property
    def ana(self) -> Identity:
        """A person, as a press of theirs must name them."""
        ...

    @property
    def bo(self) -> Identity:
        """Another."""
        ...

    async def read_back(self, ref: MessageRef) -> str:
        """The words a person reads in the posted copy now."""
        ...

    async def weight(self, ref: MessageRef) -> int:
        """The bytes of the posted copy as they went over the wire."""
        ...

    async def markup(self, ref: MessageRef) -> list[str]:
        """Everything in the copy that the surface would take for markup, mention, link or control of the card's text;
        empty when all text is inert. Our own controls and links do not count."""
        ...

    async def whispers(self, identity: Identity) -> list[str]:
        """What this person alone was told, newest first. What was answered to a press may be left out."""
        ...

    async def beneath(self, ref: MessageRef) -> list[str]:
        """What was said beneath the copy, newest first; empty where nothing can be."""
        ...


class Harness(SentHarness, Protocol):
    """A surface whose copies are pressed, and can be drawn again."""

    async def controls(self, ref: MessageRef) -> set[Verb]:
        """What may be pressed on the copy."""
        ...

    async def look(self, ref: MessageRef, who: Identity) -> None:
        """Have the copy before one's eyes: what is pressed next is what was seen then. Nothing where copies stay."""
        ...

    async def press(
        self, ref: MessageRef, verb: Verb, who: Identity, values: Mapping[str, str] = BLANK, *, again: bool = False
    ) -> Seen:
        """Press a control, its form filled in by field name, and wait until all that follows is done.

        `again` sends the last press of this control once more, as the vendor or the network does.
        """
        ...


class VendorHarness(Harness, Protocol):
    """A surface whose copies somebody else keeps, so that a call may fail."""

    async def posts(self) -> list[str]:
        """The words of each copy at `target`."""
        ...

    def lose_next_post(self) -> None:
        """The next post is made, and its answer is lost."""
        ...

    def refuse_next_post(self) -> None:
        """The next post is refused for ever."""
        ...

    def slow_next_post(self, seconds: int) -> None:
        """The next post is refused for so many seconds."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Let time go by, at the surface and at the vendor."""
        ...


class TypingHarness(Harness, Protocol):
    """A surface where people type commands."""

    async def typed(self, text: str, who: Identity) -> str:
        """Type a command; all that is answered, to them alone."""
        ...


class ReplyingHarness(Harness, Protocol):
    """A surface where what is written beneath a card is a comment."""

    async def reply(self, ref: MessageRef, text: str, who: Identity) -> str:
        """Write beneath a copy; what one is told, if anything."""
        ...


class WalkingHarness(Harness, Protocol):
    """A surface whose cards lead on: to what one person sees alone, to a selection, to the form to ask with."""

    async def go(self, ref: MessageRef, go: Go, who: Identity) -> str:
        """Press the first way of this kind on a copy; all that one is shown."""
        ...

    async def choose(self, ref: MessageRef, reviews: Sequence[str], who: Identity) -> str:
        """Press the way to a selection, tick these reviews and approve them; what came of each."""
        ...

    async def ask(self, text: str, who: Identity, values: Mapping[str, str]) -> Seen:
        """Point at a message with this text and ask for a review; `values` replace what its form holds."""
        ...

    async def home(self, who: Identity) -> str:
        """Open one's home."""
        ...

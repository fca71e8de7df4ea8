"""A running installation with a chat in memory, on which time stands until a test moves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tests.fakes.app import Caller, House
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock


@dataclass(slots=True, kw_only=True)
class Watch:
    """Everything that takes part."""

    house: House
    agent: Caller
    chat: FakeChat
    clock: FakeClock

    def after(self, **by: float) -> None:
        """Let time pass, and whatever is due happen."""
        self.clock.forward(timedelta(**by))
        self.house.app.hub.alarms.set()
        self.house.app.hub.copies.set()

    def places(self) -> list[str]:
        """Where in the chat cards were posted, in order."""
        return [target.address for target, _ in self.chat.posts.values()]

"""How fast Teams is called: windows, waits, and what is forgotten."""

from __future__ import annotations

import pytest

from adapters.teams.pace import Pace
from reviews.errors import SurfaceUnavailable

ROOM = "19:room@thread.tacv2"


class Clock:
    """Seconds that pass only when somebody waits."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        """The present second."""
        return self.at

    async def pause(self, seconds: float) -> None:
        """Let them pass."""
        self.waits.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    """Stands still."""
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    """Teams' own windows: 7 in 1 s, 60 in 30 s."""
    return Pace(clock.now, pause=clock.pause)


def test_seven_go_at_once_and_the_eighth_a_second_later(clock: Clock, pace: Pace) -> None:
    """Told exactly when; what was not let through is not counted."""
    assert [pace.take(ROOM) for _ in range(7)] == [0.0] * 7
    assert pace.take(ROOM) == pytest.approx(1.0)
    clock.at += 0.4
    assert pace.take(ROOM) == pytest.approx(0.6)
    clock.at += 0.6
    assert [pace.take(ROOM) for _ in range(7)] == [0.0] * 7


async def test_no_window_is_ever_overrun(clock: Clock, pace: Pace) -> None:
    """Two hundred calls, each as soon as it may: 7 in any second, 60 in any 30."""
    made = []
    for _ in range(200):
        await pace.wait(ROOM, 60.0)
        made.append(clock.at)
    for most, span in ((7, 1.0), (60, 30.0)):
        assert all(later - sooner >= span - 1e-6 for sooner, later in zip(made, made[most:], strict=False))
    assert made[-1] - made[0] == pytest.approx(90.0, abs=3.0)


def test_a_channel_and_its_threads_are_one(pace: Pace) -> None:
    """Teams counts the thread a bot writes in."""
    for n in range(7):
        assert pace.take(f"{ROOM};messageid={n}") == 0.0
    assert pace.take(ROOM) > 0
    assert pace.take("19:other@thread.tacv2") == 0.0


def test_a_full_window_is_told_to_the_outbox(pace: Pace) -> None:
    """With the seconds left, so that it need not guess."""
    for _ in range(7):
        pace.demand(ROOM)
    with pytest.raises(SurfaceUnavailable) as told:
        pace.demand(ROOM)
    assert told.value.retry_after == pytest.approx(1.0)


async def test_who_waits_waits_no_longer_than_they_said(clock: Clock, pace: Pace) -> None:
    """Somebody is there who would rather be told."""
    for _ in range(7):
        pace.demand(ROOM)
    await pace.wait(ROOM, 5.0)
    assert clock.waits == [pytest.approx(1.0)]
    pace.shut(ROOM, 9.0)
    with pytest.raises(SurfaceUnavailable) as told:
        await pace.wait(ROOM, 5.0)
    assert told.value.retry_after == pytest.approx(9.0)
    assert len(clock.waits) == 1


def test_what_teams_asks_for_is_kept(clock: Clock, pace: Pace) -> None:
    """A shorter wait asked for later does not shorten it."""
    pace.shut(ROOM, 10.0)
    pace.shut(ROOM, 2.0)
    assert pace.take(ROOM) == pytest.approx(10.0)
    clock.at += 10.0
    assert pace.take(ROOM) == 0.0


def test_a_rest_too_short_to_see_is_not_waited_for_without_end(clock: Clock) -> None:
    """Adding less than a clock can show to its time would change nothing."""
    pace = Pace(clock.now, ((1, 1.0),))
    pace.take(ROOM)
    clock.at += 1.0 - 1e-6
    assert pace.take(ROOM) == 0.001


def test_idle_conversations_are_forgotten(clock: Clock, pace: Pace) -> None:
    """A server that lives for months does not remember everybody it ever wrote to; who must wait is remembered."""
    pace.shut("19:shut@thread.v2", 1e6)
    for n in range(5000):
        clock.at += 1.0
        pace.take(f"a:{n}")
    assert len(pace._lanes) <= 1024
    assert pace.take("19:shut@thread.v2") == pytest.approx(1e6 - 5000)

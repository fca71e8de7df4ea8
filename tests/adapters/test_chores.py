"""Work that follows an acknowledgement is kept, bounded, and ended at a stop."""

from __future__ import annotations

import asyncio

import pytest

from adapters.chores import Chores
from reviews.errors import SurfaceUnavailable


async def test_what_was_begun_ends_before_a_stop() -> None:
    """Also what it begins itself."""
    chores, done = Chores("chat"), list[str]()

    async def second() -> None:
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        chores.add(second())

    chores.add(first())
    await chores.drain(10.0)
    assert done == ["second"]


async def test_what_does_not_end_is_cancelled() -> None:
    """A stop has an end."""
    chores = Chores("chat")
    never = chores.begin(asyncio.Event().wait())
    await chores.drain(0.0)
    assert never.cancelled()


async def test_too_much_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """What must be done is begun all the same."""
    chores, done = Chores("chat", most=1), list[str]()

    async def note(what: str) -> None:
        done.append(what)

    chores.add(note("first"))
    chores.add(note("too much"))
    chores.begin(note("must be"))
    await chores.drain(10.0)
    assert done == ["first", "must be"]
    assert "left out" in caplog.text


async def test_a_failure_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """With its stack where it is a defect of ours, with its sentence where it is known."""
    chores = Chores("chat")

    async def fails(fault: Exception) -> None:
        raise fault

    chores.add(fails(SurfaceUnavailable("Slack is down.")))
    chores.add(fails(ValueError("a defect")))
    await chores.drain(10.0)
    assert "Slack is down." in caplog.text
    assert "a defect" in caplog.text
    assert [record.exc_info is not None for record in caplog.records] == [False, True]

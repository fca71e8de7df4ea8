"""What lies between a press and its answer, and what holds up the loop."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.teams import press
from adapters.teams.press import How
from adapters.token import Token
from reviews.events import Interaction, Reply
from reviews.values import replace
from tests.adapters.teams.fake_connector import SERVICE, Rig
from tests.fakes import cards
from tests.fakes import teams_payloads as payloads
from tests.fakes.desk import FakeDesk, desk_of, item
from tests.fakes.loopwatch import Watched, loop_watched
from tests.fakes.teams_payloads import TEAMS_ANA

#: Calls one callback may make: the largest card, made, drawn and measured, takes about thirty-five thousand.
LONGEST = 50_000


class _Noting(FakeDesk):
    """Notes which calls Teams had had when it was asked to decide."""

    calls: list[tuple[str, str]]
    decided: list[list[tuple[str, str]]]

    async def interact(self, interaction: Interaction) -> Reply:
        """Decide."""
        self.decided.append(list(self.calls))
        return await super().interact(interaction)


async def test_nothing_of_teams_lies_before_a_decision_or_its_answer() -> None:
    """No call to Teams: what must be sent to others is the outbox's."""
    desk = _Noting(cards=desk_of().cards)
    rig = Rig(desk=desk)
    ref = await rig.post()
    rig.connector.calls.clear()
    desk.calls, desk.decided = rig.connector.calls, []
    rig.connector.held = asyncio.Event()
    await rig.press(ref.ref["activity"], "approve")
    assert desk.decided == [[]]
    assert rig.connector.calls == []


async def test_a_form_reads_its_card_twice() -> None:
    """To type what was filled in, and to be shown with the answer; no more is asked of the database."""
    rig = Rig()
    ref = await rig.post()
    await rig.press(ref.ref["activity"], "reject", values={"text": "no"})
    assert len(rig.desk.reads) == 2


async def _round(rig: Rig, pressed: list[dict[str, Any]]) -> Watched:
    """Fifty presses, the largest card, and a home of a hundred lines, watched."""
    with loop_watched() as seen:
        answers = await asyncio.gather(*map(rig.deliver, pressed))
        assert {answer.status for answer in answers} == {200}
        await rig.post(cards.largest(), copy="copy-largest")
        await rig.say("home")
    return seen


async def test_the_loop_is_never_held_up() -> None:
    """No waiting call, and no callback of much work."""
    rig = Rig()
    rig.desk.items = [item(replace(cards.refund(), review=f"rev_{n}"), seq=n) for n in range(100)]
    ref = await rig.post()
    await rig.say("home")
    data = press.data(How.REFRESH, token=Token.of(cards.refund(), "copy-7"))
    place = rig.connector.places[ref.ref["activity"]]
    pressed = [rig.pressing(ref.ref["activity"], "escalate") for _ in range(25)]
    pressed += [payloads.pressed({}, data, TEAMS_ANA, place, ref.ref["activity"], service=SERVICE) for _ in range(25)]
    seen = await _round(rig, pressed)
    assert seen.waited == []
    assert seen.longest < LONGEST, seen.where

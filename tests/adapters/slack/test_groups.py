"""What is asked of Slack about people: who is in a user group, and who has paused their notifications."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.port import Member
from adapters.slack.checks import TOOLS
from reviews.errors import SurfaceRefused, SurfaceUnavailable
from reviews.model import Target
from tests.adapters.slack.conftest import House
from tests.fakes import cards
from tests.fakes.slack import Fault
from tests.fakes.slack_process import TOKEN

pytestmark = [pytest.mark.node, pytest.mark.slow]

ENV = {"PLACET_SLACK_BOT_TOKEN": TOKEN, "PLACET_SLACK_SIGNING_SECRET": "0" * 32}


def _instant(house: House, **later: int) -> int:
    return int((house.adapter._clock.now() + timedelta(**later)).timestamp())


async def _muted(house: House) -> str:
    target = Target(surface="slack", address=house.ana.id, person="ana")
    return (await house.adapter.post(cards.held(), target, "copy-quiet")).muted


# --- pauses


@pytest.mark.parametrize(
    ("told", "hours"),
    [
        ({"dnd_enabled": True, "next_dnd_start_ts": -1, "next_dnd_end_ts": 8}, 8),
        ({"dnd_enabled": False, "snooze_enabled": True, "snooze_endtime": 2}, 2),
        ({"dnd_enabled": True, "next_dnd_start_ts": -1, "next_dnd_end_ts": 8, "snooze_enabled": True}, 8),
        ({"dnd_enabled": True, "next_dnd_start_ts": 3, "next_dnd_end_ts": 8}, None),
        ({"dnd_enabled": False, "next_dnd_start_ts": -1, "next_dnd_end_ts": 8}, None),
        ({"snooze_enabled": True, "snooze_endtime": -1}, None),
    ],
)
async def test_who_has_paused_notifications_is_said_with_the_post(
    house: House, told: dict[str, Any], hours: int | None
) -> None:
    """By name, with the end of it, by their schedule or a snooze; nothing of a pause to come, off, or over."""
    stamps = {
        name: _instant(house, hours=value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in told.items()
    }
    house.slack.told["dnd.info"] = {"ok": True, **stamps}
    until = f"{house.adapter._clock.now() + timedelta(hours=hours or 0):%d %b %H:%M} UTC"
    assert await _muted(house) == (f"Ana Ruiz has paused notifications in Slack until {until}" if hours else "")


async def test_a_channel_pauses_nothing(house: House) -> None:
    """Nobody is asked about."""
    ref = await house.adapter.post(cards.held(), house.target, "copy-loud")
    assert ref.muted == ""
    assert "dnd.info" not in [method for method, _ in house.slack.calls]


@pytest.mark.parametrize(("error", "asked"), [("missing_scope", 1), ("user_not_found", 2)])
async def test_what_slack_does_not_say_is_not_claimed(house: House, error: str, asked: int) -> None:
    """The card is there all the same; without the scope Slack is not asked again."""
    house.slack.told["dnd.info"] = {"ok": False, "error": error}
    assert [await _muted(house), await _muted(house)] == ["", ""]
    assert [method for method, _ in house.slack.calls].count("dnd.info") == asked


# --- groups


async def _members(house: House, group: str = "S0OPS1") -> list[Member]:
    return list(await TOOLS.members({"api_url": house.slack.api_url}, ENV, group=group))


async def test_the_members_of_a_user_group(house: House) -> None:
    """With name and e-mail; who is a bot, a guest or gone is marked, and nobody is left out."""
    house.slack.told["usergroups.users.list"] = {"ok": True, "users": ["U0ANA"]}
    profile = {"real_name": "Ana Ruiz", "email": "Ana@Example.com"}
    house.slack.told["users.info"] = {"ok": True, "user": {"id": "U0ANA", "name": "ana", "profile": profile}}
    ana = Member(id="U0ANA", name="Ana Ruiz", email="Ana@Example.com")
    assert await _members(house) == [ana]
    for mark, guest, active in (("is_bot", True, True), ("is_ultra_restricted", True, True), ("deleted", False, False)):
        house.slack.told["users.info"] = {"ok": True, "user": {"profile": profile, mark: True}}
        (found,) = await _members(house)
        assert (found.guest, found.active) == (guest, active), mark
    house.slack.told["users.info"] = {"ok": False, "error": "user_not_found"}
    assert await _members(house) == [Member(id="U0ANA", name="U0ANA", active=False)]


@pytest.mark.parametrize(
    ("group", "error", "says"),
    [
        ("@ops", "", "no id of a Slack user group"),
        ("S0GONE", "no_such_subteam", "no user group S0GONE"),
        ("S0OPS1", "missing_scope", "lacks a permission"),
    ],
)
async def test_a_group_that_cannot_be_read(house: House, group: str, error: str, says: str) -> None:
    """The sentence says what to do."""
    house.slack.told["usergroups.users.list"] = {"ok": False, "error": error}
    with pytest.raises(SurfaceRefused, match=says):
        await _members(house, group)


async def test_a_slack_that_is_not_set_up_has_no_groups() -> None:
    """Nothing is asked."""
    with pytest.raises(SurfaceRefused, match="PLACET_SLACK_BOT_TOKEN is not set"):
        await TOOLS.members({}, {}, group="S0OPS1")


async def test_a_slack_that_is_down_is_asked_later(house: House) -> None:
    """Which is not the same as an empty group."""
    house.slack.faults["usergroups.users.list"] = [Fault(status=503), Fault(status=503), Fault(status=503)]
    with pytest.raises(SurfaceUnavailable):
        await _members(house)

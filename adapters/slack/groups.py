"""Who is in a user group, and who has paused their notifications: what is asked of Slack about people."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from adapters.port import Member
from adapters.slack.calls import Calls, Refused, translated
from adapters.slack.text import Json
from reviews.errors import PlacetError, SurfaceRefused

_log = logging.getLogger(__name__)

_GROUP = re.compile(r"S[A-Z0-9]{4,}")
#: Seconds that asking whether somebody is disturbed may take: their card is there already.
_BRIEF = 2.0
#: The account by which Slack itself writes.
_SLACKBOT = "USLACKBOT"
_UNSEEN = frozenset({"user_not_found", "user_not_visible"})
_UNKNOWN = "In Slack, People > User groups > the group > ⋯ > Copy group ID."


async def members(calls: Calls, group: str) -> Sequence[Member]:
    """Everybody in a user group, `S…`. Raises SurfaceUnavailable, SurfaceRefused."""
    if not _GROUP.fullmatch(group.strip()):
        raise SurfaceRefused(f"{group!r} is no id of a Slack user group, such as S0123ABCD. {_UNKNOWN}")
    try:
        with translated():
            found = await calls.steady.usergroups_users_list(usergroup=group.strip())
    except Refused as fault:
        raise _explained(fault, group) from fault
    return [await _member(calls, str(user)) for user in found["users"]]


async def _member(calls: Calls, user: str) -> Member:
    """Who is behind an id. Somebody this bot is not shown is nobody who may be matched."""
    try:
        with translated():
            told: Json = (await calls.steady.users_info(user=user))["user"]
    except Refused as fault:
        if fault.error not in _UNSEEN:
            raise
        return Member(id=user, name=user, active=False)
    profile = told.get("profile") or {}
    other = any(told.get(mark) for mark in ("is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"))
    return Member(
        id=user,
        name=str(profile.get("real_name") or told.get("real_name") or told.get("name") or user),
        email=str(profile.get("email") or ""),
        active=not told.get("deleted"),
        guest=other or user == _SLACKBOT,
    )


def _explained(fault: Refused, group: str) -> SurfaceRefused:
    if fault.error in ("no_such_subteam", "subteam_not_found", "invalid_arguments"):
        return SurfaceRefused(f"Slack knows no user group {group}. {_UNKNOWN}")
    return fault


class Pauses:
    """Until when somebody has paused their notifications. Without the scope for it nothing is claimed."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._blind = False

    async def until(self, user: str, now: datetime) -> datetime | None:
        """Until when Slack does not notify them; None where it does, or does not say. Raises nothing."""
        if self._blind:
            return None
        try:
            async with asyncio.timeout(_BRIEF):
                with translated():
                    told = await self._calls.steady.dnd_info(user=user)
        except Refused as fault:
            self._blind = fault.error == "missing_scope"
            _log.info("Slack does not say who has paused notifications: %s", fault)
            return None
        except (PlacetError, TimeoutError) as fault:
            _log.info("Slack did not say whether %s has paused notifications: %s", user, fault)
            return None
        return _paused(dict(told.data) if isinstance(told.data, dict) else {}, now)


def _paused(told: Json, now: datetime) -> datetime | None:
    """https://docs.slack.dev/reference/methods/dnd.info"""
    snoozed = _instant(told.get("snooze_endtime")) if told.get("snooze_enabled") else None
    start, end = _instant(told.get("next_dnd_start_ts")), _instant(told.get("next_dnd_end_ts"))
    quiet = end if told.get("dnd_enabled") and start and end and start <= now else None
    later = [until for until in (snoozed, quiet) if until is not None and until > now]
    return max(later, default=None)


def _instant(seconds: object) -> datetime | None:
    """Unix seconds as Slack gives them, 1 for never."""
    known = isinstance(seconds, int | float) and seconds > 1
    return datetime.fromtimestamp(float(seconds), UTC) if known and isinstance(seconds, int | float) else None

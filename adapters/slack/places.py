"""Where a card goes: a channel by its id or name, a person by a direct message."""

from __future__ import annotations

import re
from collections import OrderedDict

from adapters.slack.calls import Calls, translated
from reviews.errors import SurfaceRefused
from reviews.model import Target

_PERSON = re.compile(r"[UW][A-Z0-9]{4,}")
_PLACE = re.compile(r"[CGD][A-Z0-9]{4,}")
_KEPT = 5000
_PAGES = 50


def is_person(address: str) -> bool:
    """Whether an address is a person's: what is sent there is a direct message."""
    return _PERSON.fullmatch(address) is not None


class Places:
    """Channel ids by address, asked for once. A refused one is asked for again (`forget`)."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._ids: OrderedDict[str, str] = OrderedDict()

    async def channel(self, target: Target) -> str:
        """The channel id to post to. Raises SurfaceRefused for a place that is not there, else as `Surface.post`."""
        address = target.address.strip()
        if _PLACE.fullmatch(address):
            return address
        if address not in self._ids:
            self._ids[address] = await self._ask(address)
            if len(self._ids) > _KEPT:
                self._ids.popitem(last=False)
        return self._ids[address]

    def forget(self, target: Target) -> None:
        """Ask again next time."""
        self._ids.pop(target.address.strip(), None)

    async def _ask(self, address: str) -> str:
        if is_person(address):
            with translated():
                opened = await self._calls.steady.conversations_open(users=[address])
            return str(opened["channel"]["id"])
        found = await self._named(address.removeprefix("#").lower())
        if found is None:
            raise SurfaceRefused(
                f"Slack shows this bot no channel {address!r}. Check the name in placet.yml; into a private channel "
                "the bot must be invited: type /invite @placet there."
            )
        return found

    async def _named(self, name: str) -> str | None:
        cursor = ""
        for _ in range(_PAGES):
            with translated():
                page = await self._calls.steady.conversations_list(
                    types="public_channel,private_channel", exclude_archived=True, limit=1000, cursor=cursor
                )
            found = next((c["id"] for c in page["channels"] if str(c.get("name", "")).lower() == name), None)
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if found or not cursor:
                return found
        return None

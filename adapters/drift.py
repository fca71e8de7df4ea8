"""This machine's clock beside a vendor's: what is signed counts for minutes only."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters.port import Finding, bad, ok, warn

#: Seconds by which clocks may differ, and by which they must not: five minutes are the vendors' own limit.
_DRIFT, _TOO_FAR = 60, 240


def clock(vendor: str, surface: str, date: str, now: datetime) -> Finding:
    """What the `Date` header of a vendor's answer says of our clock; `surface` is what sends signed calls."""
    try:
        theirs = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return warn("clock", f"{vendor} did not say what time it is", "Compare this machine's clock with another.")
    off = round((now - theirs.astimezone(UTC)).total_seconds())
    if abs(off) <= _DRIFT:
        return ok("clock", f"runs with {vendor}'s")
    fix = f"Set this machine's clock by NTP: what {surface} sends is refused when the two are five minutes apart."
    side = f"ahead of {vendor}'s" if off > 0 else f"behind {vendor}'s"
    text = f"{abs(off)} s {side}"
    return bad("clock", text, fix) if abs(off) > _TOO_FAR else warn("clock", text, fix)

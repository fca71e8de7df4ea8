"""Text for any surface: cleaned, on one line, cut. Pure."""

from __future__ import annotations

import json
import re

from reviews import unseen

_UNSEEN = re.compile(unseen.UNSEEN)
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> str:
    """The text with ordinary line breaks and no character that hides or reorders others."""
    return unseen.clean(_BREAKS.sub("\n", text))


def spelled(text: str) -> str:
    """JSON with each character that `clean` would change written out, as in `\\u200b`: it is the same JSON.

    Such characters stand in JSON only within its strings, where they may be written so (RFC 8259, section 7).
    """
    return _BREAKS.sub(_spelled, _UNSEEN.sub(_spelled, text))


def _spelled(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def line(text: str) -> str:
    """The text on one line."""
    return " ".join(clean(text).split())


def cut(text: str, most: int) -> str:
    """At most `most` characters; an ellipsis says that some are missing."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"

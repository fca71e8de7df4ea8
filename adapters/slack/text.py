"""Text for Slack: cleaned, cut, escaped. Pure.

Messages are drawn with `plain_text` and rich text elements alone, which Slack never parses for markup: no agent can
write a mention, a link or a bold word. Only the fallback line is parsed; escaped, it holds neither.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

from reviews import unseen

Json: TypeAlias = dict[str, Any]

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


def escape(text: str) -> str:
    """`&`, `<` and `>` as Slack wants them: without them there is no mention and no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """What Slack sends back, as it was before it was escaped."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def cut(text: str, most: int) -> str:
    """At most `most` characters; an ellipsis says that some are missing."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def escaped(text: str, most: int) -> str:
    """Escaped, and at most `most` characters long after it: no entity is cut in two."""
    short = cut(text, most)
    while len(escape(short)) > most:
        short = cut(text, len(short) - max(1, (len(escape(short)) - most) // 5))
    return escape(short)


def plain(text: str, most: int, *, lines: bool = False) -> Json:
    """A `plain_text` object, on one line unless `lines`. Slack refuses an empty one: a dash stands for nothing."""
    words = clean(text).strip() if lines else line(text)
    return {"type": "plain_text", "text": escaped(words, most) or "–", "emoji": False}

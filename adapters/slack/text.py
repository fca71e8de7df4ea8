"""Text for Slack: cleaned, cut, escaped. Pure.

Messages are drawn with `plain_text` and rich text elements alone, which Slack never parses for markup: no agent can
write a mention, a link or a bold word. Only the fallback line is parsed; escaped, it holds neither.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from adapters.text import clean, cut, line

Json: TypeAlias = dict[str, Any]


def escape(text: str) -> str:
    """`&`, `<` and `>` as Slack wants them: without them there is no mention and no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """What Slack sends back, as it was before it was escaped."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


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

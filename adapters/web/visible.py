"""Foreign text made safe to look at: what would be invisible, or turn other text round, is shown by its name. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from reviews.unseen import UNSEEN

# Joiners and variation selectors are part of emoji and of many scripts, but hide nothing good behind a Latin letter.
_MARK = re.compile(f"{UNSEEN}|(?:(?<=[\x00-\x7f])|^)[\u200c\u200d\ufe00-\ufe0f]")
_BREAK = re.compile("\r\n|[\r\u2028\u2029]")


def visible(text: str, highlight: Sequence[str] = ()) -> Markup:
    """The text as HTML: escaped, invisible and turning characters named, `highlight` words in <mark>."""
    text = _BREAK.sub("\n", text)
    words = [re.escape(word) for word in highlight[:20] if len(word.strip()) > 1]
    if not words:
        return _named(text)
    parts = re.split(f"({'|'.join(words)})", text, flags=re.IGNORECASE)
    # re.split with one group: every second part is a match.
    return Markup("").join(_marked(part) if n % 2 else _named(part) for n, part in enumerate(parts))


def plain(text: str) -> str:
    """The text as one line for titles and attributes, invisible and turning characters named."""
    named = _MARK.sub(lambda found: f"[{_code(found[0])}]", _BREAK.sub("\n", text))
    return " ".join(named.split())


def unseen(text: str) -> tuple[str, ...]:
    """The numbers of the invisible and turning characters in a text, each once, line ends aside."""
    return tuple(dict.fromkeys(_code(found[0]) for found in _MARK.finditer(_BREAK.sub("\n", text))))


def cut(text: str, limit: int) -> tuple[str, str]:
    """The text in two: what is shown at once, broken at a space where there is one, and the rest."""
    if len(text) <= limit * 5 // 4:
        return text, ""
    at = text.rfind(" ", limit * 3 // 4, limit)
    at = at if at > 0 else limit
    return text[:at], text[at:]


def _marked(text: str) -> Markup:
    return Markup("<mark>{}</mark>").format(_named(text))


def _named(text: str) -> Markup:
    return Markup("").join(_pieces(text))


def _pieces(text: str) -> Iterator[Markup]:
    end = 0
    for found in _MARK.finditer(text):
        yield escape(text[end : found.start()])
        yield Markup('<span class="hidden-char" title="{}">{}</span>').format(_name(found[0]), _code(found[0]))
        end = found.end()
    yield escape(text[end:])


def _code(char: str) -> str:
    return f"U+{ord(char):04X}"


def _name(char: str) -> str:
    return unicodedata.name(char, "control character").lower()

"""Characters that hide, turn or reorder text, as a regular expression's class. No I/O.

Unicode TR36 and "Trojan Source" (CVE-2021-42574) tell why: an override can make 1800 read as 0081, and zero-width
or tag characters hide words from the person that the agent's next reader sees.
"""

from __future__ import annotations

import re

_TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_HIDDEN = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
)
#: Lone surrogates among them: they cannot even be sent.
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\U000e0000-\U000e0fff"

#: One such character. Line feeds and tabs are none.
UNSEEN = f"[{_TURNING}{_HIDDEN}{_CONTROL}]"

_UNSEEN = re.compile(UNSEEN)


def clean(text: str) -> str:
    """The text with each such character replaced by U+FFFD, which is seen."""
    return _UNSEEN.sub("\ufffd", text)

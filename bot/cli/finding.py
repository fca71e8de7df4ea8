"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from reviews.model import Object

#: The name of what is found in placet.yml itself.
CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `state` is `ok`, `warn` (look at it) or `bad` (it will fail); `fix` says what to do."""

    name: str
    state: str
    text: str
    fix: str = ""

    def as_json(self) -> Object:
        """The finding for other programs."""
        return asdict(self)


def ok(name: str, text: str) -> Finding:
    """Well."""
    return Finding(name=name, state="ok", text=text)


def warn(name: str, text: str, fix: str) -> Finding:
    """Works, and should be looked at: `fix` is the way out."""
    return Finding(name=name, state="warn", text=text, fix=fix)


def bad(name: str, text: str, fix: str = "") -> Finding:
    """Will fail, or does."""
    return Finding(name=name, state="bad", text=text, fix=fix)

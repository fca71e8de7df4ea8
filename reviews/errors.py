"""One class per failure; its sentence is what people read. No I/O."""

from __future__ import annotations


class PlacetError(Exception):
    """The root of every failure Placet speaks of. `str()` of it is a sentence that says how to go on."""


class StoreUnavailable(PlacetError):
    """The database did not take it; nothing was changed. Try again; if it stays, look at disk space and the log."""


class NotFound(PlacetError):
    """There is no such thing, or it is not yours to see."""


class Duplicate(PlacetError):
    """A second one of what may exist once."""


class PolicyConflict(PlacetError):
    """A policy of this name and version was loaded before with another text. Raise `version` in the file."""


class DigestImpossible(PlacetError):
    """The value has no canonical form: a number is not finite, or an integer beyond 2^53 is not a string."""


class BadSignature(PlacetError):
    """The signature does not fit the body, or the message is too old."""


class SurfaceUnavailable(PlacetError):
    """The surface did not take it for now. `retry_after` in seconds, where the vendor said one."""

    def __init__(self, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class SurfaceRefused(PlacetError):
    """The surface will never take it as it is: no such channel, not a member, blocked. The text says the fix."""


class SurfaceBlind(PlacetError):
    """It cannot be looked up there: the permission is missing. What may have been posted is posted once more."""


class SurfaceAmbiguous(PlacetError):
    """The post may or may not have been made: the answer was lost. Look for it before posting again."""

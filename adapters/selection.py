"""Several reviews approved at once: which ones were chosen, and what came of each. Shared by the adapters."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from adapters.text import line
from reviews.errors import NotFound, StoreUnavailable
from reviews.events import Interaction
from reviews.filled import Faults
from reviews.model import Identity, Person, Verb
from reviews.ports import Desk, QueueFilter, QueueItem, Refusal

MAX_PICKS = 50
#: What stands above a selection, and what it says where there is nothing to choose from.
SEVERAL = "Approve several"
NOTHING = "Nothing waits for you that may be approved together with others."

#: Lines of the queue looked through.
_LOOKED = 100
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A line of the queue chosen for a bulk approval, as it was shown. `digest` is that of its proposal."""

    review: str
    revision: int
    digest: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one line of a bulk approval."""

    review: str
    title: str
    text: str
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a person may approve together: lines of one action, or how many wait by action where one must be chosen."""

    action: str = ""
    items: tuple[QueueItem, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)


async def offered(desk: Desk, person: Person, action: str = "") -> Offer:
    """The lines of one action that a person may approve together; which actions there are, where `action` is empty."""
    page = await desk.queue(person, QueueFilter(view="roles", action=action or None, limit=_LOOKED))
    items = tuple(item for item in page.items if item.bulk)
    waiting = Counter(item.action for item in items)
    chosen = action or (next(iter(waiting)) if len(waiting) == 1 else "")
    return Offer(action=chosen, items=items if chosen else (), waiting=waiting)


def which(left: int) -> str:
    """The question which action to approve several of; `left` are not among those one may choose from."""
    return "Of which action?" + (f" {left} more are on the full page." if left > 0 else "")


def nothing_of(action: str) -> str:
    """What is said where none of an action may be approved together."""
    return f"Nothing of {line(action)} may be approved together with others now."


#: What is said where a selection came without a line.
NONE_CHOSEN = "Nothing was chosen, so nothing was done."


def unsure(why: str) -> str:
    """What is said where an approval of several broke off: some of it may stand."""
    return f"Look at your queue for what was done: it broke off. {why}"


def together(chosen: Iterable[Pick]) -> tuple[Pick, ...] | Faults:
    """The lines chosen for one bulk approval: at least one, not too many, of one action."""
    found = tuple(chosen)
    if not found:
        return Faults(text="Choose at least one review of the list, then approve.")
    if len(found) > MAX_PICKS:
        return Faults(text=f"Choose at most {MAX_PICKS} at a time: each one should be read.")
    if len({p.action for p in found}) > 1:
        return Faults(text="Only reviews of the same action can be approved together.")
    return found


def picks(chosen: Sequence[str]) -> tuple[Pick, ...] | Faults:
    """As `together`, from the values `pick_value` made; one that it did not make spoils the whole choice."""
    found = tuple(p for p in map(_pick, chosen) if p is not None)
    return together(found if len(found) == len(chosen) else ())


def pick_value(pick: Pick) -> str:
    """The form value of a chosen line; `picks` reads it back."""
    return json.dumps([pick.review, pick.revision, pick.digest, pick.action], separators=(",", ":"))


async def approve(desk: Desk, identity: Identity, chosen: Sequence[Pick]) -> tuple[Result, ...]:
    """Approve each on its own; the desk refuses what may not be approved with others, or is not as it was shown.

    Every line comes to a result, also where the store fails in the middle: what was approved before stands.
    """
    person = await desk.who(identity)
    if isinstance(person, Refusal):
        return tuple(_bad(pick, person.text) for pick in chosen)
    return tuple([await _approve(desk, identity, person, pick) for pick in chosen])


async def _approve(desk: Desk, identity: Identity, person: Person, pick: Pick) -> Result:
    title = pick.review
    try:
        title = (await desk.read(pick.review, person, surface=identity.surface)).title
        reply = await desk.interact(_approval(identity, pick))
    except NotFound:
        return _bad(pick, "Not yours to see.")
    except StoreUnavailable as fault:
        return _bad(pick, str(fault) or str(StoreUnavailable.__doc__), title)
    return Result(review=pick.review, title=title, text=reply.text, good=reply.kind == "good")


def _approval(identity: Identity, pick: Pick) -> Interaction:
    return Interaction(
        verb=Verb.APPROVE,
        identity=identity,
        review=pick.review,
        revision=pick.revision,
        shown=pick.digest or None,
        bulk=pick.action,
    )


def _bad(pick: Pick, text: str, title: str = "") -> Result:
    return Result(review=pick.review, title=title or pick.review, text=text, good=False)


def _pick(text: str) -> Pick | None:
    try:
        review, revision, digest, action = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(review, str) and _NAME.fullmatch(review) and type(revision) is int):
        return None
    if not (isinstance(digest, str) and isinstance(action, str)):
        return None
    return Pick(review=review, revision=revision, digest=digest, action=action)

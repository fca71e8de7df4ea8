"""Who may decide a review, and which slots their votes fill. No I/O.

The rules, in the order they are asked: nobody who decided the review this one is about; never the agent's owners above
low risk, nor the person acted for (but `confirm`, which is theirs alone); the reviewer's scopes cover the request's;
then the slot's role, or being called by a rung (an elector); a level counts only where the route asks for a level.
Distinct persons fill slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reviews.model import Need, Order, Person, Review, ReviewType, RiskLevel, Tier, Verb, Vote

#: The slot `confirm` has before any other.
PRINCIPAL = Need(role="the person acted for")
#: The slot of a route that names neither role nor level.
CALLED = Need(role="somebody on the escalation chain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A person may decide: the slots they can fill, and why (`role manager`, `called: oncall:it-ops.primary`)."""

    slots: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """A person may not decide, and the sentence that tells them why."""

    text: str


def allowed(review: Review) -> tuple[Verb, ...]:
    """The decisions open on this revision; rejecting always is.

    What only a person does is answered, never approved; nothing else is answered but a handoff. Where silence left it
    to be done by hand, it is not edited either: an edit is a yes to what it makes.
    """
    by_hand = review.ladder.by_hand
    person_does = by_hand or review.route.tier is Tier.HUMAN_ONLY
    closed = {Verb.APPROVE} if person_does else set()
    if by_hand:
        closed.add(Verb.EDIT)
    if not person_does and review.request.review_type is not ReviewType.HANDOFF:
        closed.add(Verb.ANSWER)
    opened = (Verb.ANSWER, Verb.REJECT) if by_hand else (Verb.REJECT,)
    return tuple(dict.fromkeys(verb for verb in (*review.route.allowed, *opened) if verb not in closed))


def slots_of(review: Review) -> tuple[Need, ...]:
    """The slots of the current revision, one at least; `confirm` begins with the one of the person acted for."""
    needs = review.route.needs
    if review.route.tier is Tier.CONFIRM:
        return (PRINCIPAL, *needs)
    return needs or (CALLED,)


def standing(review: Review, person: Person) -> Standing | Barred:
    """Whether this person may decide this revision."""
    barred = _conflict(review, person) or _out_of_scope(review, person)
    if barred:
        return Barred(text=barred)
    reasons = [(slot, why) for slot, need in enumerate(slots_of(review)) if (why := _fits(review, need, person))]
    if not reasons:
        return Barred(text=f"This needs {needed(review)}. You may comment, or escalate it to them.")
    return Standing(
        slots=tuple(slot for slot, _ in reasons), source="; ".join(dict.fromkeys(why for _, why in reasons))
    )


def seats(review: Review, votes: Iterable[Vote]) -> dict[int, Vote]:
    """Which slot each approval fills: a largest matching of distinct persons to slots, kept in the order of votes.

    In sequence, slot n is filled only after slot n-1.
    """
    approvals = list({v.person: v for v in votes if v.verb is Verb.APPROVE}.values())
    if review.route.order is Order.SEQUENCE:
        return _in_sequence(approvals)
    taken: dict[int, Vote] = {}
    for vote in approvals:
        _seat(vote, taken, set())
    return taken


def adds(review: Review, person: Person) -> bool:
    """Whether an approval of theirs would count now: they have given none, and there is a slot for it."""
    able, votes = standing(review, person), review.votes_now()
    if isinstance(able, Barred) or any(vote.person == person.id and vote.verb is Verb.APPROVE for vote in votes):
        return False
    yes = Vote(
        person=person.id,
        name=person.name,
        verb=Verb.APPROVE,
        revision=review.revision,
        at=review.created_at,
        surface="",
        slots=able.slots,
    )
    return person.id in {vote.person for vote in seats(review, (*votes, yes)).values()}


def unfilled(review: Review) -> tuple[Need, ...]:
    """The slots still open; in sequence the next one comes first."""
    slots = slots_of(review)
    if not review.votes:
        return slots
    taken = seats(review, review.votes_now())
    return tuple(need for slot, need in enumerate(slots) if slot not in taken)


def coming(review: Review, approving: Person | None = None) -> tuple[Need, ...]:
    """The slots whose people are called now: in sequence the next one alone, else all of the route's.

    `approving` is somebody who is about to approve: then as it will be afterwards.
    """
    if review.route.order is not Order.SEQUENCE or review.route.tier is Tier.CONFIRM:
        return review.route.needs
    slots, votes = slots_of(review), review.votes_now()
    taken = seats(review, votes)
    if approving is not None and len(taken) < len(slots):
        able = standing(review, approving)
        fresh = approving.id not in {vote.person for vote in taken.values()}
        if isinstance(able, Standing) and fresh and len(taken) in able.slots:
            return slots[len(taken) + 1 : len(taken) + 2]
    return slots[len(taken) : len(taken) + 1]


def needed(review: Review) -> str:
    """Who is still needed, in words: `security and lead-engineer`."""
    words = [str(need) for need in unfilled(review) or slots_of(review)]
    return (", then " if review.route.order is Order.SEQUENCE else " and ").join(words)


def _conflict(review: Review, person: Person) -> str | None:
    if person.id in review.excluded:
        return "You have had your say in the review this is about, so somebody else must decide it."
    principal = review.principal is not None and person.id == review.principal
    confirm = review.route.tier is Tier.CONFIRM
    if confirm and not principal and not review.route.needs:
        return "Only the person this is done for may confirm it."
    if (principal and not confirm) or (person.id in review.named and not principal):
        return "This is done on your behalf, so somebody else must decide it."
    if person.id in review.owners and review.route.risk is not RiskLevel.LOW:
        return "You own this agent, so somebody else must decide what it does above low risk."
    return None


def _out_of_scope(review: Review, person: Person) -> str | None:
    missing = review.route.scopes - person.scopes
    if missing:
        return f"This needs the scope {', '.join(sorted(missing))}, which you do not have."
    return None


def _fits(review: Review, need: Need, person: Person) -> str | None:
    if need == PRINCIPAL:
        return str(need) if person.id == review.principal else None
    if need.role is None:
        return f"level {person.level}" if person.level >= (need.level or 0) else None
    if need.role in person.roles:
        group = person.groups.get(need.role)
        return f"role {need.role}" if group is None else f"role {need.role}, {group}"
    called = review.called.get(person.id)
    return f"called: {called}" if called is not None else None


def _in_sequence(approvals: Sequence[Vote]) -> dict[int, Vote]:
    taken: dict[int, Vote] = {}
    for vote in approvals:
        if len(taken) in vote.slots:
            taken[len(taken)] = vote
    return taken


def _seat(vote: Vote, taken: dict[int, Vote], tried: set[int]) -> bool:
    """Find a slot for a vote: a free one, else by moving an earlier vote to another it can fill (augmenting path)."""
    free = next((slot for slot in vote.slots if slot not in taken), None)
    if free is not None:
        taken[free] = vote
        return True
    for slot in vote.slots:
        if slot not in tried:
            tried.add(slot)
            if _seat(taken[slot], taken, tried):
                taken[slot] = vote
                return True
    return False

"""From what a person pressed to the event it is: whom it reaches, how it is routed anew, by which way it may come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.drawing import senior_level
from bot.entries import MOST_SENIOR
from bot.glass import concerned
from bot.ids import review_id
from bot.listing import concerns, may_see
from bot.people import Directory
from bot.routing import Routed
from bot.service import Service
from policies import durations, schemas
from reviews import eligibility
from reviews.events import (
    Answered,
    Appealed,
    Approved,
    BrokenGlass,
    ChangesRequested,
    Commented,
    Edited,
    Escalated,
    Event,
    Handed,
    Interaction,
    Rejected,
    Revealed,
    Revoked,
    Taken,
    Undone,
)
from reviews.forms import merged
from reviews.keeping import Tx
from reviews.model import Need, Object, Order, Person, Reach, Review, Right, RiskLevel, Seat, Tier, Verb
from reviews.unseen import clean
from reviews.values import replace

#: How long taking a review keeps the ladder from climbing.
TAKEN_FOR = timedelta(minutes=15)
#: What a link sent with one review lets its holder do.
_BY_LINK = frozenset({Verb.TAKE, Verb.ESCALATE, Verb.REJECT, Verb.COMMENT})
#: What no token is enough for, whatever the route: whoever finds one could stop everything, or let everything go. It
#: is written down even where it is refused before the review is asked: that it was tried concerns the house.
GRAVE = frozenset({Verb.STOP, Verb.RESUME, Verb.BREAK_GLASS, Verb.APPEAL})
#: Verbs refused with a sentence about who may, rather than as if the review were not there.
_VOTES = frozenset({Verb.APPROVE, Verb.EDIT, Verb.REJECT, Verb.REQUEST_CHANGES, Verb.ANSWER})


class FieldErrors(Exception):
    """What was filled in has faults; maps a field (JSON Pointer) to its fault."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


def weak_way(interaction: Interaction) -> str | None:
    """Why this way of coming in is never enough for this act; None when it may be."""
    verb, identity = interaction.verb, interaction.identity
    if identity.tenant == "link" and verb not in _BY_LINK:
        return "A link alone lets you read, take, escalate, comment or reject. Sign in, or decide in chat."
    if identity.surface == "api" and verb in GRAVE:
        return "This needs a person signed in or known in chat: a token is not enough here."
    return None


class Pressing:
    """Makes events of interactions, inside the transaction that decides them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def not_here(self, review: Review, person: Person, interaction: Interaction) -> str | None:
        """Why this way of coming in is not enough for this act; None when it is."""
        verb, identity = interaction.verb, interaction.identity
        if (weak := weak_way(interaction)) is not None:
            return weak
        if identity.surface == "api" and self._guarded(review):
            return "This needs a person signed in or known in chat: a token is not enough here."
        if interaction.revision is None and verb in (*_VOTES, Verb.BREAK_GLASS):
            return "Say which revision you saw: open the review, look, and press there."
        if interaction.bulk is not None and (
            review.request.action.name != interaction.bulk or review.route.risk is not RiskLevel.LOW
        ):
            return "Only low-risk reviews of one and the same action can be approved together."
        # Owners read what their agent asked, and of all there is to do they may only appeal.
        owns = verb is Verb.APPEAL and person.id in review.owners
        if verb not in _VOTES and not owns and not concerns(review, person):
            what = "act on" if may_see(review, person) else "see"
            return f"This review is not yours to {what}. It needs {eligibility.needed(review)}."
        return None

    def _guarded(self, review: Review) -> bool:
        """Whether a route is too grave for a token: two persons, or a level of 2 and more."""
        roles = self._service.directory().config.roles
        levels = [n.level or (roles[n.role].level if n.role in roles else 0) for n in review.route.needs]
        return review.route.tier is Tier.DUAL or max(levels, default=0) >= 2

    def event(self, tx: Tx, review: Review, person: Person, i: Interaction) -> Event:  # noqa: C901 - one flat match over a closed set
        """The event a press is. Raises FieldErrors, and BadRequest for an edit that cannot be routed."""
        at = tx.now()
        who = _Particulars(person, at, i)
        match i.verb:
            case Verb.APPROVE:
                return who.make(Approved, reach=self._next(review, person, at))
            case Verb.REJECT:
                return who.make(Rejected)
            case Verb.REQUEST_CHANGES:
                return who.make(ChangesRequested, about=i.about)
            case Verb.EDIT:
                routed = self._routed_edit(tx, review, person, i, at)
                turn = self._next(replace(review, proposal=routed.proposal), person, at)
                return who.make(
                    Edited, proposal=routed.proposal, schedule=routed.schedule, reach=routed.reach, turn=turn
                )
            case Verb.ANSWER:
                return who.make(Answered, answer=i.arguments or {"done": i.notes or i.reason or ""})
            case Verb.COMMENT:
                return who.make(Commented)
            case Verb.ESCALATE:
                return who.make(Escalated, reach=self._service.router.reach(review, at, tx=tx))
            case Verb.TAKE:
                return who.make(Taken, until=at + TAKEN_FOR)
            case Verb.HAND:
                return self._handed(who, i.to or "", at)
            case Verb.REVEAL:
                if not clean(i.reason or "").strip(" \ufffd"):
                    raise FieldErrors({"reason": "Say why you need to see it."})
                return who.make(Revealed)
            case Verb.UNDO:
                return who.make(Undone)
            case Verb.REVOKE:
                return who.make(Revoked, senior_level=senior_level(self._service.directory(), review))
            case Verb.BREAK_GLASS:
                return self._broken_glass(who, review, person)
            case Verb.APPEAL:
                return self._appealed(who, review, person, at)
            case Verb.STOP | Verb.RESUME:
                raise AssertionError("an agent is stopped by bot/stopping.py, before any review is looked at")

    def _next(self, review: Review, person: Person, at: datetime) -> tuple[Reach, ...]:
        """Whom the chain reaches once this person approved, where slots are filled one after the other."""
        in_turn = review.route.order is Order.SEQUENCE
        return self._service.router.reach(review, at, approving=person) if in_turn else ()

    def _handed(self, who: _Particulars, to: str, at: datetime) -> Event:
        directory = self._service.directory()
        person = directory.person(to)
        if person is None:
            raise FieldErrors({"to": "Choose a person."})
        return who.make(Handed, to=person, until=at + TAKEN_FOR, targets=directory.first_places([person.id]))

    def _broken_glass(self, who: _Particulars, review: Review, person: Person) -> Event:
        """Its card goes where it is told."""
        directory = self._service.directory()
        rules = directory.config.glass
        return who.make(
            BrokenGlass,
            allowed=Right.BREAK_GLASS in person.may,
            window=durations.parse(rules.window),
            valid_for=durations.parse(rules.valid_for),
            targets=concerned(review, person, directory),
        )

    def _appealed(self, who: _Particulars, review: Review, person: Person, at: datetime) -> Event:
        allowed = Right.APPEAL in person.may or person.id in review.owners
        level = self._higher(review, person)
        return who.make(Appealed, allowed=allowed, level=level, follow=review_id(at))

    def _higher(self, review: Review, appellant: Person) -> int | None:
        """The level above whoever rejected it; None where nobody has it who may decide the appeal."""
        directory = self._service.directory()
        seats = review.decision.by if review.decision is not None else ()
        level = max((_level(directory, review, seat) for seat in seats), default=0) + 1
        barred = {appellant.id, review.principal, *review.owners, *review.named, *review.excluded}
        able = [other for other in directory.people() if other.level >= level and other.id not in barred]
        return level if able else None

    def _routed_edit(self, tx: Tx, review: Review, person: Person, i: Interaction, at: datetime) -> Routed:
        """Classify an edit again. Raises FieldErrors where it breaks the action's schema."""
        if i.arguments is None:
            raise FieldErrors({"": "Send the complete arguments."})
        arguments = merged(review, i.arguments)
        faults = self._schema_faults(review, arguments)
        if faults:
            raise FieldErrors(faults)
        action = replace(review.request.action, arguments=arguments)
        return self._service.router.again(tx, review, replace(review.request, action=action), at, person.id)

    def _schema_faults(self, review: Review, arguments: Object) -> dict[str, str]:
        schema = review.route.schema
        return schemas.faults(schema, arguments) if schema is not None else {}


def _level(directory: Directory, review: Review, seat: Seat) -> int:
    """How senior a decision was: as who made it, and as the slot they filled. No placet.yml makes it less so since.

    Of somebody gone, whose slot says nothing, nobody is known to be above.
    """
    need = next(iter(eligibility.slots_of(review)[seat.slot :]), Need())
    person, role = directory.person(seat.person), directory.config.roles.get(need.role or "")
    known = (person.level if person else None, role.level if role else None, need.level)
    return max((level for level in known if level is not None), default=MOST_SENIOR)


class _Particulars:
    """What every event of one interaction has in common."""

    def __init__(self, person: Person, at: datetime, interaction: Interaction) -> None:
        self._common = {
            "person": person,
            "at": at,
            "surface": interaction.identity.surface,
            "revision": interaction.revision,
            "reason": interaction.reason,
            "notes": interaction.notes,
            "shown": interaction.shown,
        }

    def make(self, event: Callable[..., Event], **particulars: object) -> Event:
        """The event, with what is its own."""
        return event(**self._common, **particulars)

"""People's side of the house: what every surface may ask, behind one port (`reviews.ports.Desk`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from bot import wire
from bot.listing import command_card, query_of, queue_item
from bot.routing import PolicyMissing, Routed
from bot.service import Service
from policies import schemas
from reviews import eligibility
from reviews.card import Card
from reviews.eligibility import Barred
from reviews.errors import DigestImpossible, NotFound
from reviews.events import (
    Answer,
    Answered,
    Approved,
    BrokenGlass,
    ChangesRequested,
    Commented,
    Edited,
    Escalated,
    Event,
    Handed,
    Interaction,
    Record,
    Rejected,
    Reply,
    Revealed,
    Revoked,
    Taken,
    Transition,
    Undone,
)
from reviews.forms import merged
from reviews.model import Identity, Object, Person, Review, RiskLevel, Tier, Verb
from reviews.ports import Entry, MessageRef, Notice, Query, QueueFilter, QueuePage, Refusal, Tx
from reviews.present import Earlier, Surroundings, clean, present, title_of
from reviews.timeline import timeline
from reviews.values import replace

#: How long taking a review keeps the ladder from climbing.
TAKEN_FOR = timedelta(minutes=15)
#: How long what was redacted stays shown to who asked.
REVEALED_FOR = timedelta(minutes=15)
#: What a link sent with one review lets its holder do.
_BY_LINK = frozenset({Verb.TAKE, Verb.ESCALATE, Verb.REJECT, Verb.COMMENT})
#: Verbs refused with a sentence about who may, rather than as if the review were not there.
_VOTES = frozenset({Verb.APPROVE, Verb.EDIT, Verb.REJECT, Verb.REQUEST_CHANGES, Verb.ANSWER})
#: The role that may break the glass.
BREAK_GLASS = "break-glass"
_HISTORY = 5
#: A queue's length is counted no further than this.
_COUNTED = 1000


class FieldErrors(Exception):
    """What was filled in has faults; maps a field (JSON Pointer) to its fault."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


class FrontDesk:
    """Implements `reviews.ports.Desk` over the service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen: set[tuple[str, str]] = set()

    async def who(self, identity: Identity) -> Person | Refusal:
        """The person behind a verified identity."""
        return self._service.directory().who(identity)

    def watch(self) -> AsyncIterator[Notice]:
        """Every change from now on."""
        return self._service.hub.watch()

    # ---------------------------------------------------------------------------- acting

    async def interact(self, interaction: Interaction) -> Reply:
        """Take what a person did; committed before it is answered. Every fault becomes a sentence for them."""
        person = self._service.directory().who(interaction.identity)
        if isinstance(person, Refusal):
            return Reply(answer=Answer.FORBIDDEN, text=person.text)

        def act(tx: Tx) -> Transition | Reply:
            review = tx.lock(interaction.review)
            if review is None:
                return Reply(answer=Answer.MISSING, text="This review is not here any more.")
            refusal = self._not_here(review, person, interaction)
            if refusal is not None:
                return Reply(answer=Answer.FORBIDDEN, text=refusal, review=review)
            self._adopt(tx, review, interaction)
            event = self._event(tx, review, person, interaction)
            return event if isinstance(event, Reply) else self._service.keep(tx, review, event)

        try:
            done = await self._service.store.tx(act)
        except FieldErrors as fault:
            return Reply(answer=Answer.REFUSED, text="Some fields need another look.", errors=fault.errors)
        except (wire.BadRequest, PolicyMissing, DigestImpossible) as fault:
            return Reply(answer=Answer.REFUSED, text=str(fault))
        if isinstance(done, Reply):
            return done
        self._service.announce(done.review, done.effects)
        return Reply(answer=done.answer, text=done.text, review=done.review)

    def _not_here(self, review: Review, person: Person, interaction: Interaction) -> str | None:
        """Why this way of coming in is not enough for this act; None when it is."""
        verb, identity = interaction.verb, interaction.identity
        if identity.tenant == "link" and verb not in _BY_LINK:
            return "A link alone lets you read, take, escalate or reject. Sign in, or decide in chat."
        if identity.surface == "api" and self._guarded(review):
            return "This needs a person signed in or known in chat: a token is not enough here."
        if interaction.revision is None and verb in (*_VOTES, Verb.BREAK_GLASS):
            return "Say which revision you saw: open the review, look, and press there."
        if interaction.bulk is not None and (
            review.request.action.name != interaction.bulk or review.route.risk is not RiskLevel.LOW
        ):
            return "Only low-risk reviews of one and the same action can be approved together."
        if verb not in _VOTES and not may_see(review, person):
            return "This review is not yours to see."
        return None

    def _guarded(self, review: Review) -> bool:
        """Whether a route is too grave for a token: two persons, or a level of 2 and more."""
        roles = self._service.directory().config.roles
        levels = [n.level or (roles[n.role].level if n.role in roles else 0) for n in review.route.needs]
        return review.route.tier is Tier.DUAL or max(levels, default=0) >= 2

    def _adopt(self, tx: Tx, review: Review, interaction: Interaction) -> None:
        """A press on a copy whose posting was never confirmed proves that it is there."""
        copy = tx.copy(interaction.copy) if interaction.copy else None
        if copy is None or copy.review != review.id or copy.state not in ("posting", "unknown") or not interaction.ref:
            return
        ref = _ref(interaction)
        tx.keep_copy(replace(copy, state="posted", ref=ref, shown=0), tx.now())

    def _event(self, tx: Tx, review: Review, person: Person, i: Interaction) -> Event | Reply:  # noqa: C901 - one flat match over a closed set
        at = tx.now()
        who = _Particulars(person, at, i)
        match i.verb:
            case Verb.APPROVE:
                return who.make(Approved)
            case Verb.REJECT:
                return who.make(Rejected)
            case Verb.REQUEST_CHANGES:
                return who.make(ChangesRequested, about=i.about)
            case Verb.EDIT:
                routed = self._routed_edit(tx, review, person, i, at)
                return who.make(Edited, proposal=routed.proposal, schedule=routed.schedule, reach=routed.reach)
            case Verb.ANSWER:
                return who.make(Answered, answer=i.arguments or {"done": i.notes or i.reason or ""})
            case Verb.COMMENT:
                return who.make(Commented)
            case Verb.ESCALATE:
                return who.make(Escalated, reach=self._service.router.reach(review, at))
            case Verb.TAKE:
                return who.make(Taken, until=at + TAKEN_FOR)
            case Verb.HAND:
                to = self._service.directory().person(i.to or "")
                if to is None:
                    raise FieldErrors({"to": "Choose a person."})
                return who.make(Handed, to=to, until=at + TAKEN_FOR)
            case Verb.REVEAL:
                if not clean(i.reason or "").strip(" \ufffd"):
                    raise FieldErrors({"reason": "Say why you need to see it."})
                return who.make(Revealed)
            case Verb.UNDO:
                return who.make(Undone)
            case Verb.REVOKE:
                return who.make(Revoked, senior_level=self._senior_level(review))
            case Verb.BREAK_GLASS:
                return who.make(BrokenGlass, allowed=BREAK_GLASS in person.roles)
            case Verb.STOP | Verb.RESUME:
                return Reply(answer=Answer.REFUSED, text="Stopping an agent is the operator's: `placet agent revoke`.")

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

    def _senior_level(self, review: Review) -> int:
        """A decision is taken back by somebody at least as senior as who made it."""
        directory = self._service.directory()
        deciders = [directory.person(seat.person) for seat in (review.decision.by if review.decision else ())]
        return max((person.level for person in deciders if person is not None), default=2)

    # ---------------------------------------------------------------------------- reading

    async def queue(self, person: Person, filter: QueueFilter) -> QueuePage:
        """The reviews this person may see."""
        query = query_of(person, filter)

        def look(tx: Tx) -> QueuePage:
            found = tx.find(query)
            items = tuple(queue_item(review, person) for review in found[: filter.limit] if may_see(review, person))
            counts = {
                view: tx.count(query_of(person, QueueFilter(view=view)), at_most=_COUNTED) for view in _views(person)
            }
            more = str(query.offset + filter.limit) if len(found) > filter.limit else None
            return QueuePage(items=items, cursor=more, counts=counts)

        return await self._service.store.view(look)

    async def read(self, review: str, person: Person, *, surface: str, reveal: bool = False) -> Card:
        """The full card as this person may see it; the first time is written down."""
        now = self._service.clock.now()

        def look(tx: Tx) -> Card:
            found = tx.read(review)
            if found is None or not may_see(found, person):
                raise NotFound("There is no such review, or it is not yours to see.")
            shown = reveal and _revealed(tx.log(review=review), person, now)
            return self.card(tx, found, revealed=shown)

        card = await self._service.store.view(look)
        await self._note_first_view(review, person, surface, card)
        return card

    async def _note_first_view(self, review: str, person: Person, surface: str, card: Card) -> None:
        if (review, person.id) in self._seen:
            return

        def note(tx: Tx) -> None:
            actor = f"person:{person.id}"
            if not any(entry.kind == "card.viewed" and entry.actor == actor for entry in tx.log(review=review)):
                tx.record(_viewed(actor, tx.now(), surface, card), review)

        await self._service.store.tx(note)
        if len(self._seen) > 100_000:
            self._seen.clear()
        self._seen.add((review, person.id))

    async def command(self, person: Person, text: str) -> Card:
        """Answer `list`, `mine`, `show ID` or `help`."""
        word, _, rest = text.strip().partition(" ")
        if word == "show" and rest:
            return await self.read(rest.strip(), person, surface="command")
        view = {"mine": "mine", "list": "roles", "": "roles"}.get(word)
        page = await self.queue(person, QueueFilter(view=view)) if view else None
        return command_card(word, page, self._service.base_url)

    def card(self, tx: Tx, review: Review, *, revealed: bool = False) -> Card:
        """The card of a review with all that surrounds it."""
        directory = self._service.directory()
        eligible = [
            person.id
            for person in directory.people()
            if not review.status.over and not isinstance(eligibility.standing(review, person), Barred)
        ]
        around = Surroundings(
            link=f"{self._service.base_url}/reviews/{review.id}",
            timeline=timeline(tx.log(review=review.id), directory.names()),
            history=_history(tx, review),
            names=directory.names(),
            people=tuple(eligible),
            revealed=revealed,
        )
        return present(review, around)


def _views(person: Person) -> tuple[str, ...]:
    return ("mine", "roles", "decided", "all") if person.auditor else ("mine", "roles", "decided")


def may_see(review: Review, person: Person) -> bool:
    """Whether a person may read a review: auditors all; others those of their roles and those they were called to."""
    if person.auditor or person.id in review.called or person.id in (review.owner, review.principal):
        return True
    if any(vote.person == person.id for vote in review.votes):
        return True
    return any(
        need.role in person.roles if need.role is not None else person.level >= (need.level or 0)
        for need in review.route.needs
    )


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


def _revealed(log: list[Entry], person: Person, now: datetime) -> bool:
    """Whether this person has lately written down why they look at what is redacted."""
    return any(
        entry.kind == "review.revealed" and entry.actor == f"person:{person.id}" and now - entry.at < REVEALED_FOR
        for entry in log
    )


def _history(tx: Tx, review: Review) -> tuple[Earlier, ...]:
    subject = review.request.subject
    if subject is None:
        return ()
    query = Query(subject=subject, action=review.request.action.name, limit=_HISTORY + 1)
    return tuple(
        Earlier(
            when=f"{earlier.created_at:%d %b %Y %H:%M} UTC",
            what=title_of(earlier),
            came_to=earlier.status.replace("_", " "),
        )
        for earlier in tx.find(query)
        if earlier.id != review.id and earlier.sandbox == review.sandbox and earlier.agent == review.agent
    )[:_HISTORY]


def _ref(interaction: Interaction) -> MessageRef:
    return MessageRef(surface=interaction.identity.surface, ref=interaction.ref or {})


def _viewed(actor: str, at: datetime, surface: str, card: Card) -> Record:
    return Record(
        kind="card.viewed", at=at, actor=actor, detail={"surface": surface, "card": card.digest}, public=False
    )

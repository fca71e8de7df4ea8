"""People's side of the house: what every surface may ask, behind one port (`reviews.ports.Desk`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

from bot import wire
from bot.absence import Absences
from bot.adoption import adopt
from bot.asking import Asking
from bot.commands import Commands
from bot.drawing import LOGGED, Drawing
from bot.listing import COUNTED, Home, Some, home_card, may_see, query_of, queue_card, queue_item, some
from bot.routing import PolicyMissing, Routed
from bot.service import Service
from policies import schemas
from reviews import eligibility
from reviews.card import Card, Form
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
from reviews.keeping import Agent, Entry, Tx
from reviews.model import Identity, Object, Person, Review, RiskLevel, Tier, Verb
from reviews.ports import Asked, Notice, QueueFilter, QueuePage, Refusal
from reviews.steps import sentence
from reviews.unseen import clean
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
#: Who escalates twice within this long pressed twice: they did not mean the rung after the next.
ONE_PRESS = timedelta(seconds=10)
#: Home names so many reviews that wait, and looks through so many decided ones for some of this person's.
_WAITING, _LOOKED, _DECIDED = 20, 40, 10


class FieldErrors(Exception):
    """What was filled in has faults; maps a field (JSON Pointer) to its fault."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(str(errors))
        self.errors = errors


class FrontDesk:
    """Implements `reviews.ports.Desk` over the service. `agent` finds an agent by name."""

    def __init__(self, service: Service, absences: Absences, agent: Callable[[str], Agent | None]) -> None:
        self._service = service
        self._commands = Commands(self, service, absences)
        self._asking = Asking(service, agent)
        self._seen: set[tuple[str, str]] = set()
        #: Draws a review's card as it stands; shared with the outbox.
        self.card = Drawing(service.directory, service.base_url).card

    async def who(self, identity: Identity) -> Person | Refusal:
        """The person behind a verified identity."""
        return self._service.directory().who(identity)

    def watch(self) -> AsyncIterator[Notice]:
        """Every change from now on."""
        return self._service.hub.watch()

    # ---------------------------------------------------------------------------- acting

    async def interact(self, interaction: Interaction) -> Reply:
        """Take what a person did; committed before it is answered. Every fault becomes a sentence for them."""
        if interaction.mark is not None and not interaction.review:
            meant = await self._marked(interaction)
            if isinstance(meant, Reply):
                return meant
            interaction = meant
        person = self._service.directory().who(interaction.identity)
        if isinstance(person, Refusal):
            return Reply(answer=Answer.FORBIDDEN, text=person.text)
        if long := _too_long(interaction):
            return Reply(answer=Answer.REFUSED, text="This is too long to be kept; nothing was done.", errors=long)
        try:
            done = await self._service.store.tx(lambda tx: self._act(tx, person, interaction))
        except FieldErrors as fault:
            return Reply(answer=Answer.REFUSED, text="Some fields need another look.", errors=fault.errors)
        except (wire.BadRequest, PolicyMissing, DigestImpossible) as fault:
            return Reply(answer=Answer.REFUSED, text=str(fault))
        if isinstance(done, Reply):
            return done
        self._service.announce(done.review, done.effects)
        await self._asking.used(done.review)
        return Reply(answer=done.answer, text=_with_who_may(done), review=done.review)

    async def _marked(self, interaction: Interaction) -> Interaction | Reply:
        """The same, naming the review of the posted copy that was replied to; else why there is none.

        Of a message nobody here knows nothing is said: it may be anybody's. Who knows that it is ours says so.
        """
        surface, mark = interaction.identity.surface, interaction.mark or ""
        copy = await self._service.store.view(lambda tx: tx.copy_by_mark(surface, mark))
        if copy is None:
            return Reply(answer=Answer.MISSING, text="")
        if not copy.review:
            return Reply(answer=Answer.REFUSED, text="This card is of several reviews: open one and comment there.")
        return replace(interaction, review=copy.review)

    def _act(self, tx: Tx, person: Person, interaction: Interaction) -> Transition | Reply:
        """Lock, decide, keep; once for each press, however often the surface delivers it."""
        review = tx.lock(interaction.review)
        if review is None:
            return Reply(answer=Answer.MISSING, text="This review is not here any more.")
        refusal = self._not_here(review, person, interaction)
        if refusal is not None:
            return Reply(answer=Answer.FORBIDDEN, text=refusal, review=review)
        if may_see(review, person):
            adopt(tx, review, interaction)
        before = _taken_before(tx, person, interaction)
        if before is not None:
            return Reply(answer=Answer.SAME, text=f"{before} {sentence(review)}", review=review)
        event = self._event(tx, review, person, interaction)
        return event if isinstance(event, Reply) else self._service.keep(tx, review, event)

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
            return f"This review is not yours to see. It needs {eligibility.needed(review)}."
        return None

    def _guarded(self, review: Review) -> bool:
        """Whether a route is too grave for a token: two persons, or a level of 2 and more."""
        roles = self._service.directory().config.roles
        levels = [n.level or (roles[n.role].level if n.role in roles else 0) for n in review.route.needs]
        return review.route.tier is Tier.DUAL or max(levels, default=0) >= 2

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
            names, visible = self._service.directory().names(), (r for r in found[: filter.limit] if may_see(r, person))
            items = tuple(queue_item(review, person, names) for review in visible)
            counts = {
                view: tx.count(query_of(person, QueueFilter(view=view)), at_most=COUNTED) for view in _views(person)
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
            shown = reveal and _revealed(tx.log(review=review, limit=LOGGED, public=True), person, now)
            return self.card(tx, found, revealed=shown)

        card = await self._service.store.view(look)
        await self._note_first_view(review, person, surface, card)
        return card

    async def _note_first_view(self, review: str, person: Person, surface: str, card: Card) -> None:
        if (review, person.id) in self._seen:
            return

        def note(tx: Tx) -> None:
            actor, log = f"person:{person.id}", tx.log(review=review, limit=LOGGED)
            if not any(entry.kind == "card.viewed" and entry.actor == actor for entry in log):
                tx.record(_viewed(actor, tx.now(), surface, card), review)

        await self._service.store.tx(note)
        if len(self._seen) > 100_000:
            self._seen.clear()
        self._seen.add((review, person.id))

    async def command(self, person: Person, text: str, *, surface: str) -> Card:
        """Answer what a person typed (`bot/commands.py` has the list). Raises StoreUnavailable."""
        return await self._commands.answer(person, text, surface)

    async def home(self, person: Person) -> Card:
        """What a person comes home to."""

        def look(tx: Tx) -> tuple[Some, Some]:
            lately = some(tx, person, QueueFilter(view="decided", limit=_LOOKED)).reviews
            theirs = tuple(review for review in lately if any(vote.person == person.id for vote in review.votes))
            # The view by roles holds what they were called to as well, the most urgent first.
            return some(tx, person, QueueFilter(limit=_WAITING)), Some(reviews=theirs[:_DECIDED])

        waiting, decided = await self._service.store.view(look)
        away, calls = self._commands.whether_away(person), self._commands.calls()
        home = Home(person=person, waiting=waiting, decided=decided, away=away, calls=calls)
        return home_card(home, self._service.directory().names(), self._service.base_url)

    def queue_card(self, reviews: Sequence[Review], more: int) -> Card:
        """The card of what was folded at one place; the outbox draws it."""
        return queue_card(reviews, more, self._service.directory().names(), self._service.base_url)

    # ---------------------------------------------------------------------------- asking

    async def asking(self, person: Person) -> Form | Refusal:
        """The form to ask for a review with."""
        return self._asking.form(person)

    async def ask(self, asked: Asked) -> Reply:
        """Open a review in a person's name, who never decides it themselves."""
        return await self._asking.ask(asked)


def _taken_before(tx: Tx, person: Person, i: Interaction) -> str | None:
    """What is said of a press that is not new: delivered before, or the second click of a double one; else None."""
    if i.once is not None and not tx.once(f"{i.identity.surface}:{i.once}"):
        return "That was taken already."
    if i.verb is Verb.ESCALATE and not tx.once(f"escalate:{i.review}:{person.id}", within=ONE_PRESS):
        return "You escalated this a moment ago."
    return None


def _too_long(said: Interaction) -> dict[str, str]:
    """Words that no form would have let through: what a surface hands on of its own accord is bounded here."""
    words = {"reason": said.reason, "notes": said.notes, "about": said.about}
    most = {"reason": wire.MAX_WORDS, "notes": wire.MAX_WORDS, "about": wire.MAX_NAME}
    return {
        name: f"At most {most[name]} characters; this has {len(text)}."
        for name, text in words.items()
        if text is not None and len(text) > most[name]
    }


def _with_who_may(done: Transition) -> str:
    """What is said of a transition; who may not is told who may."""
    if done.answer is not Answer.FORBIDDEN or done.review.status.over:
        return done.text
    needed = eligibility.needed(done.review)
    return done.text if needed in done.text else f"{done.text} It needs {needed}."


def _views(person: Person) -> tuple[str, ...]:
    return ("mine", "roles", "decided", "all") if person.auditor else ("mine", "roles", "decided")


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


def _viewed(actor: str, at: datetime, surface: str, card: Card) -> Record:
    return Record(
        kind="card.viewed", at=at, actor=actor, detail={"surface": surface, "card": card.digest}, public=False
    )

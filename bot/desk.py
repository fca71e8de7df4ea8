"""People's side of the house: what every surface may ask, behind one port (`reviews.ports.Desk`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

from bot import bounds, bulletins, glass, wire
from bot.absence import Absences
from bot.adoption import adopt
from bot.asking import Asking
from bot.commands import Commands
from bot.drawing import LOGGED, Drawing
from bot.listing import (
    COUNTED,
    Home,
    Some,
    backlog_facts,
    backlog_of,
    concerns,
    home_card,
    may_see,
    query_of,
    queue_card,
    queue_item,
    some,
)
from bot.pressing import GRAVE, FieldErrors, Pressing, weak_way
from bot.routing import PolicyMissing
from bot.service import Service
from bot.stopping import NotStopped, Stopping, refused
from reviews import eligibility
from reviews.card import Card, Form
from reviews.errors import DigestImpossible, NotFound
from reviews.events import (
    Answer,
    Interaction,
    Record,
    Reply,
    Transition,
)
from reviews.keeping import Agent, Bulletin, Entry, Tx
from reviews.model import Identity, Person, Review, Right, Verb
from reviews.ports import Asked, Backlog, Notice, QueueFilter, QueuePage, Refusal
from reviews.steps import sentence
from reviews.values import replace

#: How long what was redacted stays shown to who asked.
REVEALED_FOR = timedelta(minutes=15)
#: Who escalates twice within this long pressed twice: they did not mean the rung after the next.
ONE_PRESS = timedelta(seconds=10)
#: Home names so many reviews that wait, and looks through so many decided ones for some of this person's.
_WAITING, _LOOKED, _DECIDED = 20, 40, 10


class FrontDesk:
    """Implements `reviews.ports.Desk` over the service. `agent` finds an agent by name."""

    def __init__(
        self, service: Service, absences: Absences, stopping: Stopping, agent: Callable[[str], Agent | None]
    ) -> None:
        self._service, self._stopping = service, stopping
        self._commands = Commands(self, service, absences, stopping)
        self._asking = Asking(service, agent)
        self._pressing = Pressing(service)
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
        if interaction.verb in (Verb.STOP, Verb.RESUME):
            return await self._order(person, interaction)
        try:
            done = await self._service.store.tx(lambda tx: self._act(tx, person, interaction))
        except FieldErrors as fault:
            return Reply(answer=Answer.REFUSED, text="Some fields need another look.", errors=fault.errors)
        except (wire.BadRequest, PolicyMissing, DigestImpossible) as fault:
            return Reply(answer=Answer.REFUSED, text=str(fault))
        if isinstance(done, Reply):
            return done
        self._service.announce(done)
        if interaction.verb is Verb.BREAK_GLASS:
            self._service.hub.copies.set()
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

    async def _order(self, person: Person, i: Interaction) -> Reply:
        """Stop an agent or let it go on: the one named, or whose review this is."""
        review = await self._service.store.view(lambda tx: tx.read(i.review)) if i.review else None
        agent = review.agent if review is not None else i.agent
        if agent is None:
            return Reply(answer=Answer.MISSING, text="This review is not here any more.")
        if (weak := weak_way(i)) is not None:
            await self._stopping.refused(person, i.verb, agent, weak)
            return Reply(answer=Answer.FORBIDDEN, text=weak)
        once = f"{i.identity.surface}:{i.once}" if i.once is not None else None
        try:
            if i.verb is Verb.STOP:
                done = await self._stopping.stop(agent, person, i.reason or "", i.notes, once=once)
            else:
                done = await self._stopping.resume(agent, person, once=once)
        except NotStopped as fault:
            errors = {fault.field: str(fault)} if fault.field is not None else {}
            return Reply(answer=fault.answer, text=str(fault), errors=errors)
        except NotFound as fault:
            return Reply(answer=Answer.MISSING, text=str(fault))
        if review is not None:
            review = await self._service.store.view(lambda tx: tx.read(i.review))
        return Reply(answer=Answer.DONE if done.new else Answer.SAME, text=done.text, review=review)

    def _act(self, tx: Tx, person: Person, interaction: Interaction) -> Transition | Reply:
        """Lock, decide, keep; once for each press, however often the surface delivers it."""
        review = tx.lock(interaction.review)
        if review is None:
            return Reply(answer=Answer.MISSING, text="This review is not here any more.")
        if _seen_otherwise(review, person, interaction):
            text = "That digest is not what stands now; look again."
            return Reply(answer=Answer.REFUSED, text=text, review=review)
        refusal = self._pressing.not_here(review, person, interaction)
        if refusal is not None:
            if interaction.verb in GRAVE:
                tx.record(refused(person, interaction.verb, refusal, tx.now()), review.id)
            return Reply(answer=Answer.FORBIDDEN, text=refusal, review=review)
        if concerns(review, person):
            adopt(tx, review, interaction)
        before = _taken_before(tx, person, interaction)
        if before is not None:
            return Reply(answer=Answer.SAME, text=f"{before} {sentence(review)}", review=review)
        done = self._service.keep(tx, review, self._pressing.event(tx, review, person, interaction))
        if interaction.verb is Verb.BREAK_GLASS:
            glass.tell(tx, done, person, self._service.directory(), self._service.base_url)
        return done

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
            return QueuePage(items=items, cursor=more, counts=counts, backlog=backlog_of(tx, person))

        return await self._service.store.view(look)

    async def read(self, review: str, person: Person, *, surface: str, reveal: bool = False) -> Card:
        """The full card as this person may see it; the first time is written down."""
        now = self._service.clock.now()

        def look(tx: Tx) -> Card:
            found = tx.read(review)
            if found is None or not may_see(found, person):
                raise NotFound("There is no such review, or it is not yours to see.")
            shown = (
                reveal
                and concerns(found, person)
                and _revealed(tx.log(review=review, limit=LOGGED, public=True), person, now)
            )
            return self.card(tx, found, reader=person.id, revealed=shown)

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

        def look(tx: Tx) -> tuple[Some, Some, tuple[Backlog, ...], tuple[Bulletin, ...]]:
            lately = some(tx, person, QueueFilter(view="decided", limit=_LOOKED)).reviews
            theirs = tuple(review for review in lately if any(vote.person == person.id for vote in review.votes))
            # The view by roles holds what they were called to as well, the most urgent first.
            waiting = some(tx, person, QueueFilter(limit=_WAITING))
            said = bulletins.lately(tx, person, self._service.directory())
            return waiting, Some(reviews=theirs[:_DECIDED]), backlog_of(tx, person), said

        waiting, decided, backlog, said = await self._service.store.view(look)
        home = Home(
            person=person,
            waiting=waiting,
            decided=decided,
            away=self._commands.whether_away(person),
            calls=self._commands.calls(),
            backlog=backlog_facts(backlog, self._service.clock.now()),
            said=bulletins.facts(said),
            agents=tuple(await self._commands.agents(person)) if Right.STOP in person.may else (),
        )
        return home_card(home, self._service.directory().names(), self._service.base_url)

    def queue_card(self, reviews: Sequence[Review], more: int) -> Card:
        """The card of what was folded at one place; the outbox draws it."""
        return queue_card(reviews, more, self._service.directory().names(), self._service.base_url)

    # ---------------------------------------------------------------------------- asking

    async def asking(self, person: Person) -> Form | Refusal:
        """The form to ask for a review with."""
        return self._asking.form(person)

    async def look(self) -> None:
        """Use what of people's own asks was approved and may be used by now. Raises StoreUnavailable."""
        await self._asking.look()

    async def ask(self, asked: Asked) -> Reply:
        """Open a review in a person's name, who never decides it themselves."""
        return await self._asking.ask(asked)


def _seen_otherwise(review: Review, person: Person, i: Interaction) -> bool:
    """Whether a vote over HTTP is on a proposal other than the one that stands; a card's digest is only kept.

    A vote on what is not one's own is refused with who may, and written down.
    """
    if i.identity.surface != "api" or i.shown is None or review.status.over:
        return False
    return i.shown != review.proposal.digest and may_see(review, person)


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
    most = {"reason": wire.MAX_WORDS, "notes": wire.MAX_WORDS, "about": bounds.MAX_NAME}
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
    return ("mine", "roles", "decided", "all") if person.reads_all else ("mine", "roles", "decided")


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

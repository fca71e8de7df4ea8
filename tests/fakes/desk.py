"""A Desk and a Door in memory, for the tests of adapters.

They implement the ports of `reviews/ports.py`: cards are served as given and changed only by what `replies` says,
every interaction is recorded, links work once, sessions end, changes are broadcast to every watcher.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reviews.card import (
    Actions,
    Block,
    Card,
    Fact,
    Facts,
    Form,
    Go,
    Input,
    Kind,
    Line,
    Lines,
    Style,
    Table,
    Text,
    Way,
    plain_card,
)
from reviews.controls import over_agents
from reviews.errors import NotFound
from reviews.events import Answer, Interaction, Reply
from reviews.model import Identity, Person, RiskLevel, Status, Verb
from reviews.ports import Asked, Backlog, Notice, QueueFilter, QueueItem, QueuePage, Refusal, Session
from tests.fakes import cards as samples

ANA = Person(id="ana", name="Ana Ruiz", roles=frozenset({"manager"}), level=2)
BO = Person(id="bo", name="Bo Lindqvist", roles=frozenset({"lead-engineer", "on-call-engineer"}), level=3)
CLEO = Person(id="cleo", name="Cleo Marsh", roles=frozenset({"security"}), level=2, auditor=True)

_ENDS = {
    Verb.APPROVE: ("Approved", Status.APPROVED),
    Verb.REJECT: ("Rejected", Status.REJECTED),
    Verb.EDIT: ("Approved", Status.APPROVED),
}


#: What a home tells of the house: what was said lately, the agents, and what may be done to them.
_SAID = Fact(
    label="The queue of manager needs people",
    value="12 reviews wait for manager: more than 10, the oldest for 3h, more than 2h.",
    at=samples.NOW - timedelta(minutes=5),
)
_ORDERS = over_agents(("billing-bot", "infra-bot"), ("refund-desk",))
assert _ORDERS is not None
HOUSE: tuple[Block, ...] = (
    Facts(items=(_SAID,), title="What Placet said lately"),
    Text(text="Agents", style=Style.HEADING),
    Table(
        columns=("Agent", "State", "Owners"),
        rows=(
            ("billing-bot", "may ask", "Bo Lindqvist"),
            ("infra-bot", "may ask", "–"),
            ("refund-desk", "stopped by Ana Ruiz, 23 Nov 08:40 UTC: It pays twice.", "Cleo Marsh"),
        ),
    ),
    _ORDERS,
)


@dataclass
class FixedClock:
    """A clock that stands until it is moved."""

    at: datetime = samples.NOW

    def now(self) -> datetime:
        """The instant it stands at."""
        return self.at

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by


@dataclass
class FakeDesk:
    """Serves `cards`, records `done`, and answers by `replies` (by verb) or with a plain success that ends a card.

    `hidden` maps a review to the persons who may not see it; `faults` raises what is put in for the next call.
    `marks` maps the mark of a posted copy to its review; `asking_off` switches asking off. What was typed is in
    `typed` (person, text, surface), what was asked in `asked`. `ahead` stands at the end of everybody's home.
    """

    cards: dict[str, Card] = field(default_factory=dict)
    items: list[QueueItem] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=lambda: {p.id: p for p in (ANA, BO, CLEO)})
    backlog: list[Backlog] = field(
        default_factory=lambda: [Backlog(whom="manager", waiting=12, oldest=samples.NOW - timedelta(hours=3))]
    )
    replies: dict[Verb, Callable[[Interaction], Reply]] = field(default_factory=dict)
    hidden: dict[str, set[str]] = field(default_factory=dict)
    done: list[Interaction] = field(default_factory=list)
    reads: list[tuple[str, str, str, bool]] = field(default_factory=list)
    filters: list[QueueFilter] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    asking_off: bool = False
    typed: list[tuple[str, str, str]] = field(default_factory=list)
    homes: list[str] = field(default_factory=list)
    ahead: list[Block] = field(default_factory=lambda: [*HOUSE])
    came: set[str] = field(default_factory=set)
    faults: list[Exception] = field(default_factory=list)
    watching: list[asyncio.Queue[Notice | Exception]] = field(default_factory=list)
    watched: asyncio.Event = field(default_factory=asyncio.Event)

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def who(self, identity: Identity) -> Person | Refusal:
        """The person of this id."""
        return self.people.get(identity.id) or Refusal(text="Nobody here has this identity.")

    async def interact(self, interaction: Interaction) -> Reply:
        """Record it; refuse unknown people, unknown reviews and old revisions; else the reply set, or success.

        The same `once` again is answered `same` and not recorded; a `mark` stands for the review it lies on.
        """
        self._fail()
        if self._again(interaction.identity.surface, interaction.once):
            return Reply(answer=Answer.SAME, text="That was taken already.")
        if interaction.mark is not None and not interaction.review:
            if interaction.mark not in self.marks:
                return Reply(answer=Answer.MISSING, text="")
            interaction = replace(interaction, review=self.marks[interaction.mark])
        self.done.append(interaction)
        if interaction.agent is not None and interaction.verb in self.replies:
            return self.replies[interaction.verb](interaction)
        card = self.cards.get(interaction.review)
        if interaction.identity.id not in self.people or card is None:
            return Reply(answer=Answer.FORBIDDEN, text="That is not yours to decide.")
        if interaction.verb in self.replies:
            return self.replies[interaction.verb](interaction)
        if interaction.revision not in (None, card.revision):
            return Reply(answer=Answer.REFUSED, text=f"It was changed: revision {card.revision} stands now.")
        return self._succeed(interaction, card)

    def _again(self, surface: str, once: str | None) -> bool:
        key = f"{surface}:{once}"
        again = once is not None and key in self.came
        self.came.add(key)
        return again

    def _succeed(self, interaction: Interaction, card: Card) -> Reply:
        name = self.people[interaction.identity.id].name
        word, status = _ENDS.get(interaction.verb, (card.status, Status.PENDING))
        if card.over and status.over:
            return Reply(answer=Answer.REFUSED, text=f"It is over: {card.status}.")
        after = replace(card, version=card.version + 1, status=word, over=card.over or status.over)
        self.cards[card.review] = after
        self.announce(Notice(review=card.review, version=after.version, status=status))
        return Reply(answer=Answer.DONE, text=f"{interaction.verb.replace('_', ' ').capitalize()} by {name} is kept.")

    async def queue(self, person: Person, filter: QueueFilter) -> QueuePage:
        """The items given, decided or not by view, filtered by action, cut into pages by `seq`."""
        self._fail()
        self.filters.append(filter)
        open_, over = ([i for i in self.items if i.status.over is end] for end in (False, True))
        views = {"mine": [i for i in open_ if i.owner == person.id], "roles": open_, "decided": over, "all": self.items}
        found = [i for i in views[filter.view] if filter.action in (None, i.action)]
        start = int(filter.cursor or 0)
        more = str(start + filter.limit) if start + filter.limit < len(found) else None
        counts = {name: len(items) for name, items in views.items()}
        page = tuple(found[start : start + filter.limit])
        return QueuePage(items=page, cursor=more, counts=counts, backlog=tuple(self.backlog))

    async def read(self, review: str, person: Person, *, surface: str, reveal: bool = False) -> Card:
        """The card given, its redacted facts shown when `reveal`."""
        self._fail()
        self.reads.append((review, person.id, surface, reveal))
        if review not in self.cards or person.id in self.hidden.get(review, ()):
            raise NotFound(str(NotFound.__doc__))
        card = self.cards[review]
        return samples.unmasked(card) if reveal else card

    async def command(self, person: Person, text: str, *, surface: str) -> Card:
        """The card `show ID` names, else the queue."""
        self._fail()
        self.typed.append((person.id, text, surface))
        return self.cards.get(text.removeprefix("show ").strip()) or queue_card(self.items)

    async def home(self, person: Person) -> Card:
        """The queue, and who it is for."""
        self._fail()
        self.homes.append(person.id)
        card = queue_card(self.items, title=f"Placet: {person.name}")
        return replace(card, blocks=(*card.blocks, *self.ahead))

    async def asking(self, person: Person) -> Form | Refusal:
        """A field for each thing that can be said."""
        self._fail()
        return Refusal(text="Asking for a review is switched off here.") if self.asking_off else ASK_FORM

    async def ask(self, asked: Asked) -> Reply:
        """Record it; refused where asking is off, the same `once` again is `same`."""
        self._fail()
        if self.asking_off:
            return Reply(answer=Answer.REFUSED, text="Asking for a review is switched off here.")
        if self._again("ask", asked.once):
            return Reply(answer=Answer.SAME, text="That was taken already.")
        self.asked.append(asked)
        return Reply(answer=Answer.DONE, text="A review is open.")

    async def watch(self) -> AsyncIterator[Notice]:
        """What `announce` says, from now on."""
        mine: asyncio.Queue[Notice | Exception] = asyncio.Queue()
        self.watching.append(mine)
        self.watched.set()
        try:
            while True:
                heard = await mine.get()
                if isinstance(heard, Exception):
                    raise heard
                yield heard
        finally:
            self.watching.remove(mine)

    def announce(self, notice: Notice | Exception) -> None:
        """Tell every watcher of a change, or break their watch."""
        for queue in self.watching:
            queue.put_nowait(notice)

    def put(self, card: Card, status: Status = Status.PENDING) -> None:
        """Have a card stand as given, and say so."""
        self.cards[card.review] = card
        self.announce(Notice(review=card.review, version=card.version, status=status))


#: What `asking` answers with, as the house's own form has it.
ASK_FORM = Form(
    fields=(
        Input(name="summary", label="What should be decided?", required=True, max_length=200),
        Input(name="text", label="The message", kind=Kind.MULTILINE, required=True),
        Input(name="role", label="Who should decide?", kind=Kind.CHOICE, choices=("manager", "security")),
    ),
    submit="Ask",
    intro="You ask in your own name, so somebody else decides.",
)


def queue_card(items: Iterable[QueueItem], title: str = "Your queue") -> Card:
    """A queue as the house draws one: a line each, a way to open it, ways to look further."""
    lines = tuple(
        Line(
            review=one.id,
            text=one.title,
            detail=f"{one.risk.capitalize()} risk · asked by {one.agent}",
            at=one.deadline_at,
            ways=(Way(go=Go.OPEN, label="Open", value=one.id),),
        )
        for one in items
    )
    ways = (Way(go=Go.QUEUE, label="My queue", value="roles"), Way(go=Go.BULK, label="Approve several"))
    blocks = (Lines(items=lines, title="Waiting") if lines else Text(text="Nothing is waiting for you."),)
    return plain_card(title, (*blocks, Actions(controls=(), ways=ways)))


@dataclass
class FakeDoor:
    """Links that work once and sessions that end, by the clock given."""

    clock: FixedClock
    people: dict[str, Person] = field(default_factory=lambda: {p.id: p for p in (ANA, BO, CLEO)})
    demo: bool = False
    links: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    asked_again: list[str] = field(default_factory=list)
    made: int = 0

    def link(self, person: str, scope: str | None = None) -> str:
        """A fresh link for a person; with `scope` for one review only."""
        self.made += 1
        secret = f"link-secret-{self.made}-{person}"
        self.links[secret] = (person, scope)
        return secret

    def sign_in(self, person: Person, *, via: str = "signin", scope: str | None = None) -> Session:
        """Open a session without a link."""
        self.made += 1
        secret = hashlib.sha256(f"{person.id} {self.made}".encode()).hexdigest()
        expires = self.clock.now() + timedelta(hours=8)
        session = Session(secret=secret, person=person, expires_at=expires, via=via, scope=scope)
        self.sessions[secret] = session
        return session

    async def peek(self, link: str) -> Person | Refusal:
        """Whose link it is; spends nothing."""
        found = self.links.get(link)
        return self.people[found[0]] if found else Refusal(text="This link was used before. Ask for a new one.")

    async def enter(self, link: str) -> Session | Refusal:
        """Spend the link."""
        found = self.links.pop(link, None)
        if found is None:
            return Refusal(text="This link was used before. Ask for a new one.")
        person, scope = found
        return self.sign_in(self.people[person], via="link" if scope else "signin", scope=scope)

    async def invite(self, person: str, review: str) -> str:
        """The address of a fresh link for one review."""
        return f"https://placet.example.com/enter?link={self.link(person, review)}"

    async def again(self, link: str) -> str:
        """Keep who asked."""
        self.asked_again.append(link)
        return "If it was ours, another is on its way."

    async def session(self, secret: str) -> Session | None:
        """The session, while it lasts."""
        found = self.sessions.get(secret)
        return found if found and found.expires_at > self.clock.now() else None

    async def leave(self, secret: str) -> None:
        """End it."""
        self.sessions.pop(secret, None)

    async def demo_people(self) -> tuple[Person, ...]:
        """Everybody in the demo, nobody elsewhere."""
        return tuple(self.people.values()) if self.demo else ()

    async def enter_demo(self, person: str) -> Session | Refusal:
        """Be anybody, in the demo."""
        if not self.demo or person not in self.people:
            return Refusal(text="That person is not here to pick.")
        return self.sign_in(self.people[person], via="demo")


def item(card: Card, *, seq: int, **changes: object) -> QueueItem:
    """A queue line for a card; `changes` overrides any of its fields."""
    line = QueueItem(
        id=card.review,
        seq=seq,
        title=card.title,
        action="refund.issue",
        agent="refund-agent",
        status=Status.PENDING,
        risk=RiskLevel.MEDIUM,
        tier="approve",
        priority=float(100 - seq),
        created_at=samples.NOW - timedelta(minutes=10),
        deadline_at=samples.NOW + timedelta(minutes=20),
        owner=None,
        waiting_for="manager",
        held=False,
        bulk=False,
        revision=card.revision,
        digest=card.digest,
    )
    return replace(line, **changes)


def sample_queue() -> list[QueueItem]:
    """A queue as a team meets it: a volume, a stop, refunds of low risk that may be approved together, ended ones."""
    it = {"agent": "it-ops-agent", "waiting_for": "lead-engineer", "risk": RiskLevel.HIGH}
    late, small = samples.NOW + timedelta(minutes=4), timedelta(minutes=50)
    over = {"status": Status.EXPIRED, "action": "delete_volume", "agent": "it-ops-agent", "risk": RiskLevel.CRITICAL}
    low = {"risk": RiskLevel.LOW, "bulk": True, "tier": "confirm", "deadline_at": samples.NOW + small}
    return [
        item(samples.it_pending(), seq=1, action="stop_instance", tier="dual", deadline_at=late, owner="ana", **it),
        item(samples.refund(), seq=2),
        item(samples.held(), seq=3, action="modify_security_group", held=True, **it),
        *(item(card, seq=4 + n, **low) for n, card in enumerate(samples.small_refunds())),
        item(samples.hostile(), seq=9, action="mail.send", agent="comms-agent", deadline_at=samples.NOW + 5 * small),
        item(samples.expired(), seq=10, **over),
        item(samples.decided(), seq=11, status=Status.APPROVED, risk=RiskLevel.LOW),
    ]


def desk_of(cards: Iterable[Card] | None = None) -> FakeDesk:
    """A desk with the samples, and the sample queue."""
    given = list(cards) if cards is not None else [*samples.ALL.values(), *samples.small_refunds()]
    return FakeDesk(cards={card.review: card for card in given}, items=sample_queue())

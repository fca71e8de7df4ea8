"""Lists: which reviews a person sees, in which order, a line each; and the cards made of such lines. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reviews import eligibility
from reviews.card import Actions, Block, Callout, Card, Fact, Facts, Go, Line, Lines, Style, Text, Tone, Way, plain_card
from reviews.eligibility import Barred
from reviews.keeping import Query, Tx
from reviews.lifecycle import priority
from reviews.model import Person, Review, Right, RiskLevel, Status, Tier, Verb
from reviews.ports import Backlog, QueueFilter, QueueItem
from reviews.present import title_of
from reviews.status import DESK, asker, status_word
from reviews.values import replace

_OPEN = (Status.PENDING, Status.CHANGES_REQUESTED)
_OVER = tuple(status for status in Status if status.over)
#: A queue card names so many of the reviews folded into it.
_FOLDED = 10


def may_see(review: Review, person: Person) -> bool:
    """Whether a person may read a review: whom it concerns, and who owns its agent."""
    return person.id in review.owners or concerns(review, person)


def concerns(review: Review, person: Person) -> bool:
    """Whether a person may do more with a review than read it, as far as who they are goes.

    Auditors all; others those of their roles and those they were called to. Who asked people by themselves sees what
    comes of it. Who may break the glass must know what for, and who may appeal what was rejected. Owning an agent is
    not enough: nobody takes part in what their own agent asks because it is theirs.
    """
    if person.reads_all or (Right.APPEAL in person.may and review.status is Status.REJECTED):
        return True
    if person.id in review.called or person.id in (review.owner, review.principal):
        return True
    if any(vote.person == person.id for vote in review.votes) or (review.agent == DESK and person.id in review.owners):
        return True
    return any(person.fills(need) for need in review.route.needs)


def query_of(person: Person, filter: QueueFilter) -> Query:
    """The store's query for one view of a person's queue; one row more than a page, to know whether there are more."""
    cursor = filter.cursor or ""
    offset = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0
    everything = filter.view == "all" and person.reads_all
    decided = filter.view == "decided"
    return Query(
        statuses=() if everything else _OVER if decided else _OPEN,
        action=filter.action,
        roles=() if everything or filter.view == "mine" else tuple(sorted(person.roles)),
        levels_up_to=None if everything or filter.view == "mine" else person.level,
        called=None if everything else person.id,
        order="newest" if decided or everything else "priority",
        limit=filter.limit + 1,
        offset=offset,
    )


def queue_item(review: Review, person: Person, names: Mapping[str, str] | None = None) -> QueueItem:
    """A review as a line of this person's queue. `names` maps person ids to names, for who asked by themselves."""
    return QueueItem(
        id=review.id,
        seq=review.seq,
        title=title_of(review),
        action=review.request.action.name,
        agent=asker(review, names),
        status=review.status,
        risk=review.route.risk,
        tier=review.route.tier,
        priority=priority(review),
        created_at=review.created_at,
        deadline_at=review.ladder.schedule.deadline_at,
        owner=review.owner,
        waiting_for=eligibility.needed(review) if not review.status.over else "",
        held=review.held,
        bulk=_in_bulk(review, person),
        revision=review.revision,
        digest=review.proposal.digest,
    )


def _in_bulk(review: Review, person: Person) -> bool:
    """Whether this person may approve it together with others of its action."""
    may = not isinstance(eligibility.standing(review, person), Barred)
    simple = review.route.risk is RiskLevel.LOW and review.route.tier is Tier.APPROVE and not review.held
    open_ = review.status is Status.PENDING and Verb.APPROVE in eligibility.allowed(review)
    return may and simple and open_ and not _has_voted(review, person)


def _has_voted(review: Review, person: Person) -> bool:
    """Whether this person had their say on what stands now, so that it waits for others."""
    return any(vote.person == person.id for vote in review.votes_now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    """Reviews of a view, as far as they are shown, and how many were left out."""

    reviews: tuple[Review, ...]
    more: int = 0


#: A queue's length is counted no further than this.
COUNTED = 1000


def some(tx: Tx, person: Person, filter: QueueFilter) -> Some:
    """The first reviews of a view of a person's queue; of what is open, those they have not voted on yet."""
    query = query_of(person, filter)
    waits = query.statuses == _OPEN
    found: list[Review] = []
    while True:
        page = tx.find(query)[: filter.limit]
        found += (r for r in page if may_see(r, person) and not (waits and _has_voted(r, person)))
        query = replace(query, offset=query.offset + len(page))
        # Behind a page of what they voted on already, something may wait still.
        if found or len(page) < filter.limit or query.offset >= COUNTED:
            break
    return Some(reviews=tuple(found), more=max(0, tx.count(query, at_most=COUNTED) - query.offset))


def backlog_of(tx: Tx, person: Person) -> tuple[Backlog, ...]:
    """What waits for each of a person's roles, and for levels up to theirs; for an auditor, for every one."""
    return tuple(waits for waits in tx.backlog() if person.auditor or _is_theirs(waits.whom, person))


def _is_theirs(whom: str, person: Person) -> bool:
    level = whom.removeprefix("level ")
    return whom in person.roles or (level != whom and level.isdigit() and int(level) <= person.level)


# ---------------------------------------------------------------------------------------------- cards


def backlog_facts(backlog: Sequence[Backlog], now: datetime) -> Facts | None:
    """How many wait for whom, and how long the oldest does; None where nothing waits."""
    facts = (
        Fact(label=waits.whom, value=f"{waits.waiting} waiting, oldest {_age(now - waits.oldest)}") for waits in backlog
    )
    return Facts(items=items, title="Waiting by role") if (items := tuple(facts)) else None


def _age(span: timedelta) -> str:
    """`12 min`, `3 h`, `4 d`: how long, without the parts nobody asks for."""
    minutes = max(0, span // timedelta(minutes=1))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def line(review: Review, names: Mapping[str, str]) -> Line:
    """A review as a line among others: what would happen, how grave it is, whom it waits for, until when.

    `names` maps person ids to names.
    """
    decision = review.decision
    waits = f"waits for {eligibility.needed(review)}" if decision is None and not review.held else status_word(review)
    who = f" by {' and '.join(seat.name for seat in decision.by)}" if decision is not None and decision.by else ""
    risk = f"{review.route.risk.capitalize()} risk"
    return Line(
        review=review.id,
        text=title_of(review),
        detail=f"#{review.seq} · {risk} · {waits}{who} · asked by {asker(review, names)}",
        at=review.ladder.schedule.deadline_at if decision is None else decision.decided_at,
        ways=(Way(go=Go.OPEN, label="Open", value=review.id),),
    )


def lines(title: str, found: Some, names: Mapping[str, str], otherwise: str) -> Block:
    """Reviews under a title, or a sentence where there are none."""
    if not found.reviews:
        return Text(text=otherwise)
    return Lines(items=tuple(line(review, names) for review in found.reviews), title=title, more=found.more)


def list_card(
    title: str, found: Some, person: Person, names: Mapping[str, str], link: str, backlog: Facts | None = None
) -> Card:
    """A view of a person's queue, with the ways on from it, and below what waits by role."""
    block = lines(title, found, names, "Nothing is waiting for you.")
    return plain_card(title, (block, *_ways(found, person), *_some(backlog)), link=link)


def queue_card(reviews: Sequence[Review], more: int, names: Mapping[str, str], base: str) -> Card:
    """What was folded at one place: the most urgent first, each to be opened by who presses. `more` are not among them.

    Nobody in particular sees it, so it holds nothing that only some may see: titles are the redacted ones of cards.
    """
    first = sorted(reviews, key=lambda review: (-priority(review), review.seq))
    left = more + max(0, len(first) - _FOLDED)
    if not first:
        return plain_card("Queue", (Text(text="Nothing waits here now."),), link=f"{base}/inbox", tone=Tone.MUTED)
    count = len(first) + more
    title = f"{count} low-risk review{'s wait' if count > 1 else ' waits'} here"
    note = Text(text="Much is open here, so these share one card. Each can be opened and decided.", style=Style.SMALL)
    ways = Actions(controls=(), ways=(Way(go=Go.BULK, label="Approve several"), _QUEUE))
    block = Lines(items=tuple(line(review, names) for review in first[:_FOLDED]), more=left)
    return plain_card(title, (note, block, ways), link=f"{base}/inbox", tone=Tone.ATTENTION)


_QUEUE = Way(go=Go.QUEUE, label="My queue", value="roles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What a person comes home to. `away` is a sentence; `calls` who is on call, where there are rotations.

    `backlog` is what waits for their roles, `said` what they were told lately, `agents` those a person who may stop
    them looks after.
    """

    person: Person
    waiting: Some
    decided: Some
    away: str
    calls: Facts | None
    backlog: Facts | None = None
    said: Facts | None = None
    agents: tuple[Block, ...] = ()


def home_card(home: Home, names: Mapping[str, str], base: str) -> Card:
    """What waits for a person, what they decided and were told lately, who is on call, whether they are away."""
    blocks: list[Block] = [
        lines("Waiting for you", home.waiting, names, "Nothing is waiting for you."),
        *_ways(home.waiting, home.person),
        lines("Decided by you lately", home.decided, names, "You have decided nothing lately."),
    ]
    blocks += [*_some(home.said), *_some(home.backlog), *_some(home.calls)]
    blocks += [Text(text="Agents", style=Style.HEADING), *home.agents] if home.agents else []
    return plain_card(f"Placet: {home.person.name}", (Callout(text=home.away), *blocks), link=f"{base}/inbox")


def _some(block: Block | None) -> tuple[Block, ...]:
    return () if block is None else (block,)


def _ways(found: Some, person: Person) -> tuple[Block, ...]:
    """On to the approving of several at once, where there are several to approve."""
    together = sum(_in_bulk(review, person) for review in found.reviews)
    return (Actions(controls=(), ways=(Way(go=Go.BULK, label="Approve several"),)),) if together > 1 else ()

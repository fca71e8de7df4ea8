"""Queues: which reviews a person sees, in which order, a line each. Pure."""

from __future__ import annotations

from reviews import eligibility
from reviews.card import Callout, Card, Table, Text, Tone
from reviews.eligibility import Barred
from reviews.lifecycle import priority
from reviews.model import Person, Review, RiskLevel, Status, Tier, Verb
from reviews.ports import Query, QueueFilter, QueueItem, QueuePage
from reviews.present import title_of

_OPEN = (Status.PENDING, Status.CHANGES_REQUESTED)
_OVER = tuple(status for status in Status if status.over)
_HELP = """list: open reviews of your roles
mine: those you were called to or have in hand
show ID: one review
help: this"""


def query_of(person: Person, filter: QueueFilter) -> Query:
    """The store's query for one view of a person's queue; one row more than a page, to know whether there are more."""
    cursor = filter.cursor or ""
    offset = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0
    everything = filter.view == "all" and person.auditor
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


def queue_item(review: Review, person: Person) -> QueueItem:
    """A review as a line of this person's queue."""
    may = not isinstance(eligibility.standing(review, person), Barred)
    voted = any(vote.person == person.id for vote in review.votes_now())
    simple = review.route.risk is RiskLevel.LOW and review.route.tier is Tier.APPROVE and not review.held
    open_ = review.status is Status.PENDING and Verb.APPROVE in eligibility.allowed(review)
    return QueueItem(
        id=review.id,
        seq=review.seq,
        title=title_of(review),
        action=review.request.action.name,
        agent=review.agent,
        status=review.status,
        risk=review.route.risk,
        tier=review.route.tier,
        priority=priority(review),
        created_at=review.created_at,
        deadline_at=review.ladder.schedule.deadline_at,
        owner=review.owner,
        waiting_for=eligibility.needed(review) if not review.status.over else "",
        held=review.held,
        bulk=may and simple and open_ and not voted,
        revision=review.revision,
        digest=review.proposal.digest,
    )


def command_card(word: str, page: QueuePage | None, base: str) -> Card:
    """The answer to a typed command."""
    if page is None:
        note = Text(text=_HELP) if word == "help" else Callout(text=f"There is no command {word!r}.\n{_HELP}")
        return _plain("Placet", (note,), base)
    rows = tuple((item.risk.value, item.title, item.waiting_for) for item in page.items)
    body = (
        Table(columns=("Risk", "What", "Waiting for"), rows=rows) if rows else Text(text="Nothing is waiting for you.")
    )
    return _plain("Your queue", (body,), base)


def _plain(title: str, blocks: tuple[Text | Callout | Table, ...], base: str) -> Card:
    return Card(
        review="",
        revision=0,
        version=0,
        title=title,
        tone=Tone.NEUTRAL,
        status="",
        fallback=title,
        blocks=blocks,
        link=f"{base}/inbox",
    )

"""The life of a review: every cell of the table, at every end, under the overlay; and its words."""

from __future__ import annotations

from typing import get_args

import pytest

from reviews.events import (
    Answer,
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
    Held,
    Posted,
    Redeemed,
    Rejected,
    Released,
    Reported,
    Revealed,
    Revised,
    Revoked,
    Taken,
    Ticked,
    Undone,
    Unreachable,
    Withdrawn,
)
from reviews.lifecycle import decide, next_alarm, phase, priority, sentence
from reviews.model import (
    Relation,
    Review,
    RiskLevel,
    Status,
    Tier,
)
from tests.reviews.builders import (
    ANA,
    BO,
    CAL,
    EVENTS,
    FAY,
    LEAD,
    SECURITY,
    after,
    anything,
    at,
    by,
    changes_requested,
    granted,
    kinds,
    opened,
    redeems,
    revises,
    stands,
    ticks,
)

# ---------------------------------------------------------------------------------------------- every cell

COLUMNS = {
    "pending": anything,
    "changes_requested": changes_requested,
    "granted": granted,
    "over": lambda: after(anything(), by(Rejected, ANA, 5)),
}
NO = "refused, event.refused"
#: Event by column: the answer, where it leads if that is elsewhere, and what the log says then.
CELLS: dict[type, tuple[str, str, str, str]] = {
    Approved: ("done → approved/open, vote.approve review.approved", NO, NO, NO),
    Edited: ("done → approved/open, vote.edit review.called vote.approve review.approved", NO, NO, NO),
    Rejected: ("done → rejected, vote.reject review.rejected", "done → rejected, vote.reject review.rejected", NO, NO),
    ChangesRequested: ("done → changes_requested, vote.request_changes", NO, NO, NO),
    Answered: ("done → answered, vote.answer review.answered", NO, NO, NO),
    Commented: ("done, review.commented",) * 4,
    Escalated: ("done, review.pushed review.escalated", NO, NO, NO),
    Taken: ("done, review.taken", "whisper,", "whisper,", "whisper,"),
    Handed: ("done, review.handed", "whisper,", "whisper,", "whisper,"),
    Revealed: ("done, review.revealed",) * 4,
    Undone: (NO, NO, "done → approved/revoked, grant.revoked", NO),
    Revoked: (NO, NO, "done → approved/revoked, grant.revoked", NO),
    BrokenGlass: ("done, review.glass_asked", "done, review.glass_asked", NO, NO),
    Appealed: (NO, NO, NO, "done, review.appealed"),
    Revised: ("done, review.revised review.called", "done → pending, review.revised review.called", NO, NO),
    Withdrawn: (
        "done → withdrawn, review.withdrawn",
        "done → withdrawn, review.withdrawn",
        "done → approved/returned, grant.returned",
        NO,
    ),
    Redeemed: (NO, NO, "done → approved/used, grant.used", NO),
    Reported: (NO, NO, "done, review.outcome", NO),
    Ticked: ("done,", "done,", "done,", "same,"),
    Held: ("done, review.held", "done, review.held", "done, review.held", "same,"),
    Released: ("same,", "same,", "same,", "same,"),
    Posted: ("done, copy.posted",) * 4,
    Unreachable: (
        "done, rung.unreachable review.escalated",
        "done, rung.unreachable",
        "done, rung.unreachable",
        "done, rung.unreachable",
    ),
}


def outcome(review: Review, event: Event) -> str:
    """What an event came to, in the words of CELLS."""
    came = decide(review, event)
    moved = f" → {stands(came.review)}" if stands(came.review) != stands(review) else ""
    return f"{came.answer}{moved}, {' '.join(kinds(came.effects))}".rstrip()


def test_the_table_here_names_every_event() -> None:
    """An event added to the union is missing here until somebody says what it does."""
    assert set(CELLS) == set(EVENTS) == set(get_args(Event))


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("kind", CELLS, ids=lambda kind: kind.__name__)
def test_every_cell(kind: type, column: str) -> None:
    """Each of the events does in each of the four phases what the table promises, and nothing else."""
    review = COLUMNS[column]()
    assert outcome(review, EVENTS[kind](review, 6)) == CELLS[kind][list(COLUMNS).index(column)]


#: What differs between the ends: everything else is as for a rejected review.
ENDS = {
    "rejected": lambda: after(anything(), by(Rejected, ANA, 5)),
    "answered": lambda: after(anything(), by(Answered, ANA, 5, answer={})),
    "expired": lambda: after(opened(), ticks(opened(), 61)),
    "withdrawn": lambda: after(anything(), Withdrawn(at=at(5))),
    "used": lambda: after(granted(4), redeems(granted(), 5)),
    "lapsed": lambda: after(granted(), ticks(granted(), 65)),
    "revoked": lambda: after(granted(4), by(Undone, ANA, 5)),
    "returned": lambda: after(granted(4), Withdrawn(at=at(5))),
    "feedback": lambda: after(opened(about="rev_1"), by(Approved, ANA, 5)),
}
GONE = "gone, event.refused"
APART = {
    (Withdrawn, "withdrawn"): "same,",
    (Redeemed, "lapsed"): GONE,
    (Redeemed, "revoked"): GONE,
    (Redeemed, "returned"): GONE,
    (Redeemed, "used"): "same,",  # the same call again; another one is refused, see below
    **{(Appealed, end): NO for end in ENDS if end != "rejected"},
    **{(Reported, end): "done, review.outcome" for end in ENDS if end not in ("rejected", "expired", "withdrawn")},
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", CELLS, ids=lambda kind: kind.__name__)
def test_every_end(kind: type, end: str) -> None:
    """After any end nothing changes but remarks, outcomes and what is posted; what was granted and is gone is 410."""
    review = ENDS[end]()
    expected = APART.get((kind, end), CELLS[kind][3])
    assert outcome(review, EVENTS[kind](review, 66)) == expected
    assert next_alarm(review) is None


@pytest.mark.parametrize("kind", CELLS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("column", ["pending", "changes_requested", "granted"])
def test_every_event_of_a_stopped_agent(kind: type, column: str) -> None:
    """Under the overlay nothing is granted or used; rejecting, withdrawing, taking back and remarks still work."""
    review = COLUMNS[column]()
    held = after(review, Held(at=at(5), by="eve"))
    came = decide(held, EVENTS[kind](held, 6))
    free = decide(review, EVENTS[kind](review, 6))
    works = {Rejected, Withdrawn, Commented, Revealed, Undone, Revoked, Reported, Posted}
    if kind in works:
        assert (came.answer, stands(came.review)) == (free.answer, stands(free.review))
    elif kind is Released:
        assert (came.answer, came.review.held) == (Answer.DONE, False)
    elif kind in (Ticked, Unreachable):
        assert came.review == held
    elif kind is Revised and column != "granted":
        assert (came.review.revision, came.review.held, came.review.started) == (2, True, False)
    elif kind is Held:
        assert came.answer is Answer.SAME
    else:
        answers = {Revised: Answer.REFUSED, Redeemed: Answer.LOCKED}
        assert came.answer is answers.get(kind, Answer.WHISPER)
        assert came.review == held


# ---------------------------------------------------------------------------------------------- the words


def test_sentences() -> None:
    """Where a review stands, in words; a timeout is never a rejection."""
    review = opened(needs=(SECURITY, LEAD))
    assert sentence(review) == "Waiting for security and lead."
    assert sentence(after(review, by(Approved, CAL))) == "Waiting for lead."
    assert sentence(changes_requested()) == "Waiting for another proposal from billing-bot."
    assert sentence(after(review, ticks(review, 60))) == "Expired at 10:00 UTC."
    assert sentence(opened(tier=Tier.DENY)) == "Rejected by policy at 09:00 UTC."
    assert sentence(after(review, Withdrawn(at=at(1)))) == "Withdrawn by the agent at 09:01 UTC."
    returned = after(granted(), Withdrawn(at=at(6)))
    assert sentence(returned) == "Approved by Ana at 09:05 UTC. The approval is returned."


def test_sentences_of_what_waits_and_of_what_came_after() -> None:
    """A stopped agent's review waits for no person; an appealed rejection says where it is looked at."""
    review = opened()
    held = after(review, Held(at=at(5), by="eve"))
    assert sentence(held) == "billing-bot is stopped: this waits until it is resumed."
    assert sentence(after(held, Released(at=at(6), by="eve"))) == "Waiting for manager."
    appeal = by(Appealed, BO, 6, allowed=True, level=3, follow="rev_2", reason="Paid twice")
    appealed = after(review, by(Rejected, ANA, 5), appeal)
    assert sentence(appealed) == "Rejected by Ana at 09:05 UTC. It is being looked at again in rev_2."


def test_refusals_are_written_down() -> None:
    """Who tried what, and why not: in the log, not shown to the agent."""
    (entry,) = decide(opened(), by(Approved, FAY)).effects
    assert (entry.kind, entry.actor, entry.detail["event"], entry.public) == (
        "event.refused",
        "person:fay",
        "approved",
        False,
    )
    (entry,) = decide(opened(), redeems(opened())).effects
    assert entry.actor == "agent:billing-bot"


def test_the_queue_puts_risk_and_deadline_first() -> None:
    """At one deadline the riskier is first; a critical one outranks a low one that ends some hours sooner."""
    order = [priority(opened(risk=risk)) for risk in RiskLevel]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def test_phases() -> None:
    """The columns of the table."""
    assert [phase(make()) for make in COLUMNS.values()] == [
        "pending",
        "changes_requested",
        "approved, grant open",
        "other ends",
    ]


@pytest.mark.parametrize("relation", [Relation.FEEDBACK, Relation.AFTER_GLASS])
def test_an_agent_neither_changes_nor_ends_a_look_afterwards(relation: Relation) -> None:
    """Else nobody would see what was let through, or something more innocent in its place."""
    review = opened(about="rev_1", relation=relation)
    for event in (revises(review, 1.0), Withdrawn(at=at(1))):
        came = decide(review, event)
        assert (came.answer, came.review.status, came.review.revision) == (Answer.REFUSED, Status.PENDING, 1)
    appealed = opened(about="rev_1", relation=Relation.APPEAL)
    assert decide(appealed, Withdrawn(at=at(1))).review.status is Status.WITHDRAWN

"""The words at a card's head: how it stands, why it came to its reader, what silence does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reviews.card import Actions, Callout, Card, Facts, Go, Voice, Way
from reviews.keeping import Stop
from reviews.model import (
    Cause,
    Change,
    Decision,
    Glass,
    Grant,
    GrantState,
    Ladder,
    Person,
    Relation,
    Review,
    Right,
    Rung,
    Schedule,
    Seat,
    Status,
    Then,
)
from reviews.present import present, title_of
from reviews.surroundings import Origin, Surroundings
from reviews.values import replace
from tests.fakes.builders import START, a_review, a_route
from tests.reviews.builders import ANA, MINUTE

NAMES = {"ana": "Ana Ruiz", "bo": "Bo Chen", "eve": "Eve"}
CHAIN = (
    Rung(after=timedelta(0), notify=("channel:role",)),
    Rung(after=5 * MINUTE, remind=True),
    Rung(after=20 * MINUTE, notify=("oncall:it-ops.secondary",)),
    Rung(after=40 * MINUTE, notify=("person:bo", "role:lead"), notify_only=True),
    Rung(after=50 * MINUTE, then=Then.HUMAN_ONLY),
    Rung(after=70 * MINUTE, then=Then.EXPIRE),
)


def climbing(fired: int = 1, *, days: int = 0, **over: Any) -> Review:
    """A review on its way up the chain, so many rungs of which have fired."""
    rungs = tuple(START + rung.after + timedelta(days=days if n else 0) for n, rung in enumerate(CHAIN))
    schedule = Schedule(rungs=rungs, deadline_at=rungs[-1])
    ladder = Ladder(epoch=0, schedule=schedule, fired=fired, paused_until=over.pop("paused_until", None))
    return a_review(route=a_route(chain=CHAIN), ladder=ladder, **over)


def card(review: Review, **around: Any) -> Card:
    """Its card."""
    return present(review, Surroundings(names=NAMES, **around))


def facts(review: Review, **around: Any) -> dict[str, str]:
    """The facts of the compact card by label."""
    blocks = card(review, **around).blocks
    return {fact.label: fact.value for block in blocks if isinstance(block, Facts) for fact in block.items}


def callouts(review: Review, **around: Any) -> list[tuple[str, str]]:
    """Title and text of each callout, in order."""
    return [(block.title, block.text) for block in card(review, **around).blocks if isinstance(block, Callout)]


# --- what silence does

END = "10:10 UTC: it expires, nobody decided, and the agent is told so"


@pytest.mark.parametrize(
    ("fired", "step"),
    [
        (1, "09:20 UTC: the secondary of it-ops is called; "),
        (3, "09:40 UTC: Bo Chen and lead are told; "),
        (4, "09:50 UTC: nobody may approve any more, a person must do it; "),
        (5, ""),
    ],
)
def test_the_next_step_is_said_with_its_time(fired: int, step: str) -> None:
    """Then the end. Reminders are no step: they call nobody new."""
    told = facts(climbing(fired))
    assert told["Until"] == "21 Nov 10:10 UTC"
    assert told["If nobody answers"] == step + END


def test_a_step_that_waits_for_who_took_it() -> None:
    """Taking a review puts off who is called next."""
    paused = climbing(paused_until=START + 30 * MINUTE)
    assert facts(paused)["If nobody answers"].startswith("09:30 UTC: the secondary of it-ops is called")


def test_a_step_of_another_day_has_its_day() -> None:
    """Else one would look for it today."""
    review = climbing(0, days=2)
    assert facts(review)["If nobody answers"].startswith("21 Nov 09:00 UTC: the channel of manager is called; 10:10")


def test_what_looks_back_undoes_nothing() -> None:
    """Nobody is waiting for it."""
    review = climbing(5, about="rev_1", relation=Relation.AFTER_GLASS)
    assert facts(review)["If nobody answers"] == "10:10 UTC: it expires without a verdict; nothing is undone"


def test_a_wait_for_another_proposal_ends_too() -> None:
    """With its own clock, which stands still while the agent is stopped."""
    asked = a_review(
        status=Status.CHANGES_REQUESTED,
        reply_by=START + 70 * MINUTE,
        changes=(Change(person="ana", name="Ana", text="Half", at=START, revision=1),),
    )
    assert facts(asked)["Until"] == "21 Nov 10:10 UTC; if no other proposal comes, it expires"
    assert "Until" not in facts(replace(asked, held_since=START))


# --- why you


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("oncall:it-ops.secondary, bo away: deputy", "on call: it-ops.secondary, Bo Chen away: deputy"),
        (
            "oncall:it-ops.primary, calendar duty.ics of 2026-11-21T08:00Z, bo away: next on call",
            "on call: it-ops.primary, Bo Chen away: next on call",
        ),
        ("role:manager", "role manager"),
        ("person:fay", "named in the escalation chain"),
        ("person:bo, bo away: deputy", "named in the escalation chain, Bo Chen away: deputy"),
    ],
)
def test_who_was_called_reads_why(source: str, why: str) -> None:
    """By the source that stands in the log, with names."""
    fay = Person(id="fay", name="Fay")
    assert facts(climbing(called={"fay": source}), reader=fay)["Why you"] == why


def test_who_was_not_called_reads_their_role() -> None:
    """And who was given it, that it is theirs; where many read a card nobody is spoken to."""
    assert facts(climbing(), reader=ANA)["Why you"] == "role manager"
    given = climbing(assigned=("ana",))
    assert facts(given, reader=ANA)["Why you"] == "assigned to you; role manager"
    told = facts(given)
    assert (told["Assigned to"], "Why you" in told) == ("Ana Ruiz", False)


def test_who_may_not_decide_and_was_not_called_reads_no_why() -> None:
    """There is none."""
    assert "Why you" not in facts(climbing(), reader=Person(id="fay", name="Fay", auditor=True))


# --- stopped


def test_a_held_card_says_by_whom_and_why() -> None:
    """And what the agent was told to heed, in the person's voice; its deadline stands still and is not said."""
    stop = Stop(by="ana", at=START + MINUTE, reason="It repeats itself", instruction="Ask once per order")
    review = climbing(held_since=START + MINUTE)
    (held, instruction) = (block for block in card(review, stop=stop).blocks if isinstance(block, Callout))
    assert held.text == (
        "billing-bot was stopped by Ana Ruiz at 09:01 UTC: “It repeats itself”. "
        "Nothing can be granted until it is resumed."
    )
    assert (instruction.title, instruction.text) == ("Instruction for its next plan", "Ask once per order")
    assert instruction.voice is Voice.PERSON
    assert not {"Until", "If nobody answers"} & facts(review, stop=stop).keys()


def test_a_held_card_stands_without_the_stop() -> None:
    """Where nobody knows any more who stopped it."""
    text = "billing-bot is stopped. Nothing can be granted until it is resumed."
    assert callouts(climbing(held_since=START)) == [("", text)]


# --- glass, human_only, undo


def test_who_asks_to_break_the_glass_is_said() -> None:
    """With the reason, and until when somebody must observe; who may observe reads that they may."""
    glass = Glass(
        person="ana", name="Ana Ruiz", reason="Production is down", surface="slack", at=START, until=START + 15 * MINUTE
    )
    text = "Ana Ruiz asks to break the glass: “Production is down”. A second person must observe until 09:15 UTC."
    review = climbing(glass=glass)
    assert ("Emergency", text) in callouts(review)
    may = Person(id="fay", name="Fay", may=frozenset({Right.BREAK_GLASS}))
    assert facts(review, reader=may)["Why you"] == "you may observe breaking the glass"
    assert "Why you" not in facts(review, reader=replace(may, id="ana"))


def test_what_only_a_person_does_by_now_says_so() -> None:
    """The chain's end has come: approving is over."""
    review = climbing(5)
    by_hand = replace(review, ladder=replace(review.ladder, by_hand=True))
    assert [title for title, _ in callouts(by_hand)] == ["Only a person does this now"]


def _decision(verdict: Status = Status.APPROVED, cause: Cause = Cause.HUMAN, *names: str) -> Decision:
    seats = tuple(
        Seat(person=name.lower(), name=name, role="manager", slot=0, surface="web", at=START) for name in names
    )
    return Decision(
        verdict=verdict, cause=cause, decided_at=START, revision=1, digest="", by=seats, reason="In use", notes=None
    )


def _approved(**over: Any) -> Review:
    kept = replace(Grant(state=GrantState.OPEN, valid_until=START + timedelta(hours=1)), **over)
    return a_review(status=Status.APPROVED, decision=_decision(Status.APPROVED, Cause.HUMAN, "Ana"), grant=kept)


def test_an_approval_that_rests_says_how_long() -> None:
    """To the second; not once it was used, nor where it can be used at once."""
    rests = START + timedelta(seconds=10)
    undo = ("Undo", "Usable from 09:00:10 UTC; undo until then, or until it is used.")
    assert undo in callouts(_approved(usable_from=rests))
    assert undo not in callouts(_approved(usable_from=rests, state=GrantState.USED))
    assert [title for title, _ in callouts(_approved())] == ["Approved"]


# --- what it follows from


def _of(first: Review, relation: Relation, **over: Any) -> tuple[Card, str]:
    origin = Origin(review=first, **over)
    drawn = card(a_review(about=first.id, relation=relation), origin=origin)
    return drawn, next(block.text for block in drawn.blocks if isinstance(block, Callout))


def test_an_appeal_says_who_rejected_and_why_and_who_appeals() -> None:
    """And leads to it."""
    first = a_review(seq=12, status=Status.REJECTED, decision=_decision(Status.REJECTED, Cause.HUMAN, "Ana"))
    drawn, text = _of(first, Relation.APPEAL, by="Bo Chen", reason="It was returned")
    assert text == (
        "Review #12 was rejected by Ana at 09:00 UTC: “In use”. Bo Chen appeals: “It was returned”. "
        "Who rejected it does not decide this one, and that verdict stays as it is."
    )
    (actions,) = (block for block in drawn.blocks if isinstance(block, Actions))
    assert Way(go=Go.OPEN, label="Open #12", value=first.id) in actions.ways


@pytest.mark.parametrize(
    ("relation", "before"),
    [(Relation.APPEAL, "Appeal: "), (Relation.AFTER_GLASS, "After broken glass: "), (Relation.FEEDBACK, "")],
)
def test_what_follows_is_told_apart_in_every_list(relation: Relation, before: str) -> None:
    """The title alone says that it is not the first review over again."""
    first = climbing()
    assert title_of(replace(first, about="rev_0", relation=relation)) == before + title_of(first)


def test_a_look_at_broken_glass_says_by_whom() -> None:
    """And who observed it."""
    first = a_review(seq=7, status=Status.APPROVED, decision=_decision(Status.APPROVED, Cause.BREAK_GLASS, "Ana", "Bo"))
    _, text = _of(first, Relation.AFTER_GLASS)
    assert text.startswith("Review #7 was approved by Ana, who broke the glass at 09:00 UTC, observed by Bo: “In use”.")


def test_a_sample_says_what_it_is_of() -> None:
    """Which was let through already."""
    first = a_review(seq=3, status=Status.APPROVED, decision=replace(_decision(cause=Cause.POLICY), reason=None))
    _, text = _of(first, Relation.FEEDBACK)
    assert text.startswith("Review #3 was let through without a person at 09:00 UTC. Say whether that was right")


def test_a_rejection_that_was_appealed_says_so() -> None:
    """Its verdict stands."""
    first = a_review(status=Status.REJECTED, decision=_decision(Status.REJECTED, Cause.HUMAN, "Ana"))
    assert any("was appealed" in text for _, text in callouts(replace(first, appeal="rev_2")))
    (actions,) = (block for block in card(replace(first, appeal="rev_2")).blocks if isinstance(block, Actions))
    assert Way(go=Go.OPEN, label="Open the appeal", value="rev_2") in actions.ways

"""Several reviews approved at once."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from adapters import selection
from adapters.selection import Pick, Result
from reviews.errors import StoreUnavailable
from reviews.events import Answer, Interaction, Reply
from reviews.filled import Faults
from reviews.model import Identity, Verb
from reviews.values import replace
from tests.fakes.desk import desk_of

ANA = Identity(surface="slack", id="ana")


def pick(n: int, **changes: object) -> Pick:
    """A line chosen."""
    made = Pick(review=f"rev_small{n}", revision=1, digest="ab", action="refund.issue")
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def test_a_bulk_choice_comes_back_as_it_was_shown() -> None:
    """Review, revision, digest and action of each line, of one action only."""
    one = Pick(review="rev_1", revision=2, digest="ab", action='odd "name"')
    two = replace(one, review="rev_2")
    assert selection.picks([selection.pick_value(one), selection.pick_value(two)]) == (one, two)
    mixed = selection.picks([selection.pick_value(one), selection.pick_value(replace(two, action="other"))])
    assert isinstance(mixed, Faults)
    assert "same action" in mixed.text


@given(
    st.lists(st.one_of(st.text(max_size=40), st.builds(json.dumps, st.lists(st.text() | st.integers(), max_size=5))))
)
def test_no_bulk_choice_breaks_it(chosen: list[str]) -> None:
    """Whatever is posted: lines we could have made, or a sentence."""
    made = selection.picks(chosen)
    assert isinstance(made, Faults) or len(made) == len(chosen)


def test_nothing_chosen_and_too_many_are_told() -> None:
    """A sentence each."""
    for chosen, says in (([], "at least one"), ([pick(n) for n in range(51)], "at most 50")):
        told = selection.together(chosen)
        assert isinstance(told, Faults)
        assert says in told.text


async def test_each_is_approved_on_its_own() -> None:
    """As it was shown, as one of its action; what is gone or refused is told by line, and stops nothing."""
    desk = desk_of()
    chosen = [pick(501), pick(999), pick(502, revision=7), pick(503)]
    done = await selection.approve(desk, ANA, chosen)
    assert [(one.review, one.good) for one in done] == [
        ("rev_small501", True),
        ("rev_small999", False),
        ("rev_small502", False),
        ("rev_small503", True),
    ]
    assert done[1] == Result(review="rev_small999", title="rev_small999", text="Not yours to see.", good=False)
    first = desk.done[0]
    assert (first.verb, first.identity, first.revision, first.shown, first.bulk) == (
        Verb.APPROVE,
        ANA,
        1,
        "ab",
        "refund.issue",
    )


async def test_a_refusal_is_the_lines_own_words() -> None:
    """What the desk says of one."""
    desk = desk_of()
    desk.replies[Verb.APPROVE] = lambda _: Reply(answer=Answer.FORBIDDEN, text="Yours.")
    (done,) = await selection.approve(desk, ANA, [pick(501)])
    assert (done.good, done.text) == (False, "Yours.")


async def test_a_store_that_fails_is_one_lines_trouble() -> None:
    """What was approved before and after it is told all the same."""
    desk = desk_of()
    faults = [None, StoreUnavailable("Not now.")]

    def fails_once(done: Interaction) -> Reply:
        if fault := faults.pop() if faults else None:
            raise fault
        return Reply(answer=Answer.DONE, text=f"{done.review} approved.")

    desk.replies[Verb.APPROVE] = fails_once
    done = await selection.approve(desk, ANA, [pick(501), pick(502), pick(503)])
    assert [(one.good, one.text) for one in done] == [
        (False, "Not now."),
        (True, "rev_small502 approved."),
        (True, "rev_small503 approved."),
    ]
    assert done[0].title == desk.cards["rev_small501"].title


async def test_a_stranger_is_told_so() -> None:
    """Nothing is read, nothing approved."""
    desk = desk_of()
    (done,) = await selection.approve(desk, replace(ANA, id="mallory"), [pick(501)])
    assert not done.good
    assert (desk.done, desk.reads) == ([], [])

"""What failed calls to Teams mean to the house."""

from __future__ import annotations

from functools import partial

import pytest

from adapters.teams.calls import DIRECTORY, FIXES, CardRefused, Refused, translated
from adapters.teams.seam import Failed
from reviews.errors import SurfaceAmbiguous, SurfaceUnavailable


def failed(status: int, code: str = "", *, retry_after: float | None = None, sent: bool = False) -> Failed:
    """A failed call."""
    return Failed("as Teams puts it", status=status, code=code, retry_after=retry_after, sent=sent)


@pytest.mark.parametrize("code", sorted(FIXES.keys() - {"MessageSizeTooBig"}))
@pytest.mark.parametrize("posting", [True, False])
def test_a_refusal_says_how_to_mend_it(code: str, posting: bool) -> None:
    """Teams' word for it, for a search, and what to do in plain ones."""
    told = translated(failed(404 if "NotFound" in code else 403, code), posting=posting)
    assert type(told) is Refused
    assert told.code == code
    assert code in str(told)
    assert FIXES[code] in str(told)


def test_an_unknown_refusal_says_what_teams_says() -> None:
    """Or what its status means."""
    assert "Install the Placet app" in str(translated(failed(403, "NewInventedCode")))
    assert "Check the id" in str(translated(failed(404)))
    assert "as Teams puts it" in str(translated(failed(405)))
    assert "as Teams puts it" in str(translated(failed(499)))


@pytest.mark.parametrize(
    ("status", "code"), [(400, "BadSyntax"), (400, "BadArgument"), (413, "MessageSizeTooBig"), (413, "")]
)
def test_a_card_that_is_not_taken_is_told_apart(status: int, code: str) -> None:
    """A plainer one may be."""
    assert isinstance(translated(failed(status, code), posting=True), CardRefused)


def test_a_400_about_the_place_is_no_fault_of_the_card() -> None:
    """A plainer card would not be taken either."""
    told = translated(failed(400, "ConversationNotFound"), posting=True)
    assert isinstance(told, Refused)
    assert not isinstance(told, CardRefused)


@pytest.mark.parametrize("posting", [True, False])
@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (failed(429, "Throttled", retry_after=10), 10.0, 12.0),
        (failed(429), 1.0, 2.0),
        (failed(412, "PreconditionFailed"), 1.0, 2.0),
        (failed(412, retry_after=3), 3.0, 3.6),
        (failed(503, retry_after=5, sent=True), 5.0, 6.0),
    ],
)
def test_patience_is_as_long_as_asked_and_a_little_more(
    fault: Failed, least: float, most: float, posting: bool
) -> None:
    """The little differs, so that not all who were told come back at once."""
    for chance, due in ((0.0, least), (1.0, most)):
        told = translated(fault, posting=posting, chance=partial(float, chance))
        assert isinstance(told, SurfaceUnavailable)
        assert told.retry_after == pytest.approx(due)


@pytest.mark.parametrize(
    "fault",
    [
        failed(500),
        failed(502),
        failed(504, retry_after=2),
        failed(502, retry_after=2),
        failed(503),
        failed(0, sent=True),
    ],
)
def test_a_post_whose_answer_was_lost_may_be_there(fault: Failed) -> None:
    """And must not be made again as if it were not; anything else may."""
    assert isinstance(translated(fault, posting=True), SurfaceAmbiguous)
    again = translated(fault)
    assert isinstance(again, SurfaceUnavailable)
    if fault.retry_after:
        assert again.retry_after is not None
        assert again.retry_after >= 2


def test_what_was_never_sent_is_not_there() -> None:
    """So it may be sent again."""
    told = translated(failed(0), posting=True)
    assert isinstance(told, SurfaceUnavailable)
    assert str(told) == "as Teams puts it"


def test_teams_not_knowing_us_is_for_the_operator() -> None:
    """Nothing is wrong with the card or the place."""
    told = translated(failed(401, "BotNotRegistered"), posting=True)
    assert isinstance(told, SurfaceUnavailable)
    assert "placet doctor" in str(told)


@pytest.mark.parametrize("code", [*DIRECTORY, "AADSTS1"])
def test_the_directorys_refusals_are_named(code: str) -> None:
    """With what to do about those that are known."""
    told = translated(failed(401, code), posting=True)
    assert isinstance(told, SurfaceUnavailable)
    assert code in str(told)
    assert DIRECTORY.get(code, "as Teams puts it") in str(told)


def test_sentences_end_as_sentences() -> None:
    """People read them."""
    assert all(fix.endswith(".") for fix in (*FIXES.values(), *DIRECTORY.values()))

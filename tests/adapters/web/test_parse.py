"""What a browser posts: whose fields are a form's, what was seen, where to go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web import parse
from reviews.events import Interaction
from reviews.filled import DECIDES, Faults
from reviews.model import Identity, Verb
from tests.fakes import cards

ANA = Identity(surface="web", id="ana", tenant="signin")


def test_a_press_names_what_was_seen() -> None:
    """The page's revision and digest, which may be older than the card; the fields that are the form's."""
    card = cards.refund()
    data = {"verb": "reject", "revision": "7", "shown": "abc", "csrf": "t", "f.reason": "freeze", "f.verb": "approve"}
    made = parse.interaction(data, card, ANA)
    assert made == Interaction(
        verb=Verb.REJECT, identity=ANA, review=card.review, revision=7, shown="abc", reason="freeze"
    )


def test_an_unknown_verb_is_refused() -> None:
    """A page from another time cannot make something up."""
    made = parse.interaction({"verb": "delete"}, cards.refund(), ANA)
    assert isinstance(made, Faults)
    assert "Reload" in made.text


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/reviews/../x", "", "/inbox\r\nX: y"]
)
def test_after_signing_in_one_stays_here(path: str) -> None:
    """A way on that is not one of our pages leads to the inbox."""
    assert parse.destination(path) == "/inbox"


def test_after_signing_in_one_goes_where_one_wanted() -> None:
    """Our own pages are gone on to."""
    assert parse.destination("/reviews/rev_1-a") == "/reviews/rev_1-a"


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=8), st.sampled_from(list(Verb)))
def test_nothing_posted_breaks_it(data: dict[str, str], verb: Verb) -> None:
    """Any fields at all: an interaction or faults, never an exception."""
    fields = {f"f.{name}": text for name, text in data.items()} | {f"f./{n}": t for n, t in data.items()}
    made = parse.interaction(data | fields | {"verb": verb}, cards.refund(), ANA)
    assert isinstance(made, (Interaction, Faults))


@pytest.mark.parametrize("verb", sorted(DECIDES))
@pytest.mark.parametrize("revision", [None, "", "x", "-1"])
def test_nothing_is_decided_on_what_was_not_seen(verb: Verb, revision: str | None) -> None:
    """A vote that names no revision is a sentence, and keeps what was typed."""
    data = {"verb": verb, "f.reason": "typed"} | ({} if revision is None else {"revision": revision})
    made = parse.interaction(data, cards.refund(), ANA)
    assert isinstance(made, Faults)
    assert "which revision you saw" in made.text
    assert made.values == {"reason": "typed"}

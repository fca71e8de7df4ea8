"""The card of a review: what a person reads, in whose words, and what is never among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reviews.card import Actions, Callout, Card, Diff, Facts, Happening, Table, Timeline
from reviews.events import Approved, ChangesRequested
from reviews.model import Evidence, Review, RiskClaim, Verb
from reviews.present import present, title_of
from reviews.surroundings import Surroundings
from tests.fakes.builders import START, a_request, a_review, a_route, revised
from tests.reviews.builders import ANA, after, by, opened

IBAN = "ES9121000418450200051332"
PAYMENT = {"order": "A-4721", "amount": 180.0, "currency": "EUR"}


def card(review: Review, **around: Any) -> Card:
    """Its card."""
    return present(review, Surroundings(**around))


def facts(of: Card) -> dict[str, str]:
    """All facts of the compact card by label."""
    return {fact.label: fact.value for block in of.blocks if isinstance(block, Facts) for fact in block.items}


@pytest.mark.parametrize(
    ("name", "summary", "title"),
    [
        ("refund.issue", "Refund order A-1", "refund.issue: “Refund order A-1”"),
        ("refund.issue", "refund.issue", "refund.issue"),
        ("refund.issue", "Refund.Issue: order A-1", "refund.issue: “order A-1”"),
        ("refund.issue", "refund.issue – A-1", "refund.issue: “A-1”"),
        ("refund.issue", "refund.issued twice", "refund.issue: “refund.issued twice”"),
        ("refund.issue", "refund.issue.all now", "refund.issue: “refund.issue.all now”"),
        ("refund.issue", "", "refund.issue: “order:A-4721”"),
    ],
)
def test_a_title_says_the_action_once(name: str, summary: str, title: str) -> None:
    """The house's word for it first, then the agent's own, which are quoted and lose nothing but what was just said."""
    review = a_review(request=a_request(name=name, summary=summary))
    assert title_of(review) == card(review).title == title


def test_money_reads_as_money() -> None:
    """In the arguments, in what an edit changed, and in a title made of them; the form keeps the number."""
    bare = a_request(arguments=PAYMENT, summary=None, subject=None)
    review = a_review(request=bare, route=a_route(amount=180.0))
    assert facts(card(review))["amount"] == "180.00 EUR"
    assert title_of(review) == "refund.issue: “A-4721, 180.00 EUR, EUR”"
    edited = revised(review, amount=99.9)
    edited = replace(edited, proposal=replace(edited.proposal, route=a_route(amount=99.9)))
    (diff,) = (block for block in card(edited).blocks if isinstance(block, Diff))
    assert [(item.before, item.after) for item in diff.items] == [("180.00 EUR", "99.90 EUR")]
    (edit,) = (
        c for block in card(edited).blocks if isinstance(block, Actions) for c in block.controls if c.label == "Edit"
    )
    assert edit.form is not None
    assert [field.value for field in edit.form.fields if field.name == "/amount"] == ["99.9"]


def test_an_amount_no_argument_shows_is_a_fact() -> None:
    """As the policy took it."""
    request = a_request(arguments={"order": "A-1"}, risk=RiskClaim(amount=500.0, currency="EUR"))
    told = facts(card(a_review(request=request, route=a_route(amount=500.0))))
    assert told["Amount"] == "500.00 EUR, by the agent's word"


def test_who_asks_in_person_is_named() -> None:
    """By the house's own agent, which is theirs for that review; any other agent's word stays a word."""
    request = a_request(on_behalf_of="ana")
    asked = a_review(agent="desk", owners=frozenset({"ana"}), named=frozenset({"ana"}), request=request)
    assert facts(card(asked, names={"ana": "Ana Ruiz"}))["Asked by"] == "Ana Ruiz (through desk)"
    other = replace(asked, agent="x")
    assert facts(card(other, names={"ana": "Ana Ruiz"}))["Asked by"] == "x, by its word on behalf of “ana”"


def test_people_to_hand_to_are_named() -> None:
    """By name; two of one name by their ids as well."""
    of = card(a_review(), people=("ana", "bo", "bob"), names={"ana": "Ana Ruiz", "bo": "Bo", "bob": "Bo"})
    (hand,) = (c for b in of.blocks if isinstance(b, Actions) for c in b.overflow if c.verb is Verb.HAND)
    assert hand.form is not None
    assert hand.form.fields[0].options == (("ana", "Ana Ruiz"), ("bo", "Bo (bo)"), ("bob", "Bo (bob)"))


def asked(about: str | None) -> Review:
    """Changes asked for by Ana, pointing at something."""
    request = a_request(evidence=(Evidence(title="Carrier status"),))
    return after(opened(request=request), by(ChangesRequested, ANA, reason="Half of it", about=about))


@pytest.mark.parametrize(
    ("about", "said"),
    [
        (None, "Ana asked: Half of it"),
        ("/action/arguments/amount", "Ana asked about argument “amount”: Half of it"),
        ("/evidence/0", "Ana asked about evidence “Carrier status”: Half of it"),
        ("/elsewhere", "Ana asked about /elsewhere: Half of it"),
    ],
)
def test_what_a_change_is_about_is_said(about: str | None, said: str) -> None:
    """On the card that waits for the agent."""
    assert [block.text for block in card(asked(about)).blocks if isinstance(block, Callout)][:1] == [said]


def test_an_earlier_change_is_told_by_its_pointer() -> None:
    """The evidence of another revision is not to be taken for what was meant then."""
    (table,) = (block for block in card(revised(asked("/evidence/0"))).thread if isinstance(block, Table))
    assert (table.columns, table.rows) == (
        ("Who", "Revision", "About", "What"),
        (("Ana", "1", "/evidence/0", "Half of it"),),
    )


def everywhere() -> Review:
    """A review whose hidden account number is written into everything an agent can fill, each time otherwise."""
    spaced, dashed = " ".join(IBAN[n : n + 4] for n in range(0, 24, 4)), f"{IBAN[:4]}-{IBAN[4:12]}-{IBAN[12:]}"
    schema = {"properties": {"iban": {"title": spaced}, "note": {"title": dashed, "description": IBAN}}}
    request = a_request(
        arguments={"iban": IBAN, "note": f"to {dashed}", spaced: 1},
        summary=f"Pay {spaced}",
        evidence=tuple(Evidence(title=spaced, snippet=dashed, url=f"https://a.example/{IBAN}") for _ in range(3)),
    )
    route = a_route(sensitive=("/action/arguments/iban",), schema=schema)
    return after(opened(request=request, sensitive=route.sensitive, schema=schema), by(Approved, ANA))


@pytest.mark.parametrize("review", [everywhere(), a_review(proposal=everywhere().proposal)], ids=["over", "pending"])
def test_a_hidden_value_is_nowhere_on_the_card(review: Review) -> None:
    """However it is written, in whatever part, the timeline and the forms with it; revealed, it is there."""
    around = {"timeline": (Happening(at=START, text=f"Ana looked: to check {IBAN}"),)}
    shown = card(review, **around)
    bare = "".join(filter(str.isalnum, repr(replace(shown, blocks=_unnamed(shown))))).upper()
    assert IBAN[4:12] not in bare
    assert IBAN in repr(present(review, Surroundings(revealed=True)))
    assert any(isinstance(block, Timeline) for block in shown.thread)


def test_arguments_hidden_as_a_whole_keep_their_names() -> None:
    """The agent may hide all of them: the card says which there are, an edit of them included."""
    review = revised(a_review(route=a_route(sensitive=("/action/arguments",))), amount=99.0)
    assert [fact.redacted for b in card(review).blocks if isinstance(b, Facts) for fact in b.items if fact.pointer] == [
        True,
        True,
        True,
    ]


def _unnamed(of: Card) -> tuple[object, ...]:
    """The blocks without the pointers of facts and the names of fields, which are the agent's keys and not shown."""
    return tuple(_bare(block) for block in of.blocks)


def _bare(block: object) -> object:
    match block:
        case Facts(items=items):
            return replace(block, items=tuple(replace(fact, pointer="") for fact in items))
        case Actions(controls=controls):
            return [replace(field, name="") for c in controls if c.form is not None for field in c.form.fields]
        case _:
            return block


def test_the_same_card_has_the_same_digest() -> None:
    """And what is shown counts: the version of the review does not."""
    review = a_review()
    assert card(review).digest == card(replace(review, version=9)).digest
    assert card(review).digest != card(revised(review, amount=1.0)).digest
    assert card(review).fallback.startswith("Review needed: refund.issue: “Refund order A-4721”")
    assert START + timedelta(hours=24) in {f.at for b in card(review).blocks if isinstance(b, Facts) for f in b.items}

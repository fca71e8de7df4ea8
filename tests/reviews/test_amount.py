"""The amount of a review: shown in its currency where both are known, as it is everywhere else."""

from __future__ import annotations

from typing import Any

import pytest

from reviews import redact
from reviews.amount import Amount
from reviews.forms import ARGUMENTS
from reviews.model import Object, RiskClaim
from tests.fakes.builders import a_request, a_review, a_route


def amount(arguments: Object, of: float | None, *hidden: str, **claim: Any) -> tuple[dict[str, str], str | None]:
    """Each argument in words, and the amount told apart from them."""
    request = a_request(arguments=arguments, risk=RiskClaim(**claim))
    review = a_review(request=request, route=a_route(amount=of, sensitive=hidden))
    shown = {n: redact.masked(value, hidden, ARGUMENTS + redact.join(n)) for n, value in arguments.items()}
    found = Amount(review, shown, hidden)
    return {name: found.argument(shown, name) for name in shown}, found.apart()


def test_an_amount_stands_with_the_currency_beside_it() -> None:
    """The one in the arguments, which would be paid, before the one the agent claims."""
    arguments = {"order": "A-1", "amount": 180.0, "currency": "eur", "parcels": 2}
    read, apart = amount(arguments, 180.0, currency="USD")
    assert read == {"order": "A-1", "amount": "180.00 EUR", "currency": "eur", "parcels": "2"}
    assert apart is None


def test_else_with_the_one_the_agent_claims() -> None:
    """`risk.currency`."""
    assert amount({"amount": 180.0}, 180.0, currency="USD") == ({"amount": "180.00 USD"}, None)


@pytest.mark.parametrize(
    ("arguments", "of", "claim"),
    [
        ({"amount": 180.0}, 180.0, {}),
        ({"amount": 180.0, "currency": "euros"}, 180.0, {"currency": "USD"}),
        ({"amount": 180.0, "currency": "EUR"}, None, {}),
        ({"amount": "180.0", "currency": "EUR"}, None, {}),
        ({"amount": True, "currency": "euros"}, 1.0, {}),
        ({"lines": [{"amount": 1.0, "currency": "EUR"}]}, None, {"currency": "EUR"}),
    ],
)
def test_nothing_is_made_up(arguments: Object, of: float | None, claim: dict[str, Any]) -> None:
    """Without an amount or without a currency everything reads as it is."""
    plain = amount(arguments, None)
    assert amount(arguments, of, **claim) == plain
    assert plain[1] is None


def test_where_two_arguments_could_be_it_none_is_named() -> None:
    """The amount is then a fact of its own."""
    read, apart = amount({"quantity": 3.0, "amount": 3.0, "currency": "EUR"}, 3.0)
    assert (read["quantity"], read["amount"], apart) == ("3", "3", "3.00 EUR")


def test_inside_others_it_is_a_fact_of_its_own() -> None:
    """With the currency beside it there."""
    assert amount({"payment": {"amount": 9.5, "currency": "GBP"}}, 9.5, currency="USD")[1] == "9.50 GBP"
    assert amount({"a": {"x": 9.5, "currency": "GBP"}, "b": {"x": 9.5, "currency": "EUR"}}, 9.5)[1] is None


def test_what_only_the_agent_says_is_told_as_that() -> None:
    """A claim above the arguments' own, or beside arguments without any."""
    assert amount({"order": "A-1"}, 500.0, currency="EUR")[1] == "500.00 EUR, by the agent's word"


@pytest.mark.parametrize("hidden", ["/action/arguments/amount", "/action/arguments", "/risk/amount", "/risk"])
def test_a_hidden_amount_is_not_told(hidden: str) -> None:
    """Neither in its place nor apart; `risk.amount` hides what was said there."""
    read, apart = amount({"amount": 180.0, "unit": 180.0}, 180.0, hidden, currency="EUR", amount=180.0)
    assert apart is None
    assert "180.00 EUR" not in read.values()


@pytest.mark.parametrize("hidden", ["/action/arguments/currency", "/risk/currency"])
def test_a_hidden_currency_is_not_told(hidden: str) -> None:
    """The number then stands alone."""
    arguments = {"amount": 180.0} | ({"currency": "EUR"} if "arguments" in hidden else {})
    read, apart = amount(arguments, 180.0, hidden, currency="USD")
    assert (read["amount"], apart) == ("180", None)

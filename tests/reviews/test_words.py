"""Values as people read them."""

from __future__ import annotations

import pytest

from reviews.words import host_of, is_currency, money, quoted, words


@pytest.mark.parametrize(
    ("amount", "currency", "read"),
    [
        (180.0, "EUR", "180.00 EUR"),
        (180.5, "usd", "180.50 USD"),
        (1234567.891, "EUR", "1,234,567.891 EUR"),
        (0.1 + 0.2, "EUR", "0.30 EUR"),
        (1.1 + 2.2, "EUR", "3.30 EUR"),
        (0.0, "EUR", "0.00 EUR"),
        (1800.0, "JPY", "1,800 JPY"),
        (1.5, "JPY", "1.5 JPY"),
        (1.5, "KWD", "1.500 KWD"),
        (1e22, "EUR", "10,000,000,000,000,000,000,000.00 EUR"),
        (1e-7, "EUR", "0.0000001 EUR"),
        (18000, "EUR", "18,000 EUR"),
    ],
)
def test_money_reads_as_money(amount: float, currency: str, read: str) -> None:
    """The decimals its currency has and never fewer than the number; whole numbers get none, they may count cents."""
    assert money(amount, currency) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (180.0, "180"),
        (-0.0, "0"),
        (180.5, "180.5"),
        (180, "180"),
        (True, "yes"),
        (1e16, "1e+16"),
        ({"lines": [{"amount": 180.0, "rate": 0.5}]}, '{"lines": [{"amount": 180, "rate": 0.5}]}'),
    ],
)
def test_whole_numbers_have_no_point(value: object, read: str) -> None:
    """As in canonical JSON, also within others; beyond what JSON holds exactly nothing is made up."""
    assert words(value) == read


@pytest.mark.parametrize("value", ["EUR", "usd"])
def test_a_currency_is_three_letters(value: str) -> None:
    """Whatever their case."""
    assert is_currency(value)


@pytest.mark.parametrize("value", ["", "euros", "€", "EU1", "EUR\n", None, 978, "••••"])
def test_other_things_are_no_currency(value: object) -> None:
    """A sign, a word, a number, a mask."""
    assert not is_currency(value)


@pytest.mark.parametrize(
    ("value", "read"),
    [("a", "a"), (True, "yes"), (False, "no"), (None, "none"), (1.5, "1.5"), ({"a": ["é"]}, '{"a": ["é"]}')],
)
def test_json_in_words(value: object, read: str) -> None:
    """Texts as they are, truth as yes or no, the rest as JSON."""
    assert words(value) == read


def test_a_quotation_cannot_be_closed_from_inside() -> None:
    """One line, short, its own marks made plain."""
    assert quoted("said “Approved” and\n left") == '“said "Approved" and left”'
    assert quoted("a" * 200) == "“" + "a" * 159 + "…”"
    assert quoted("abc", 2) == "“a…”"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://docs.example.com/a?b", "docs.example.com"),
        ("http://EXAMPLE.com:8080/", "example.com"),
        ("javascript:alert(1)", None),
        ("https://[bad", None),
        ("docs.example.com", None),
    ],
)
def test_a_web_address_has_a_host(url: str, host: str | None) -> None:
    """What is no web address has none."""
    assert host_of(url) == host

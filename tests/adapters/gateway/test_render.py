"""What goes out by a gateway: in nobody's words does an address begin that a phone would make a link of."""

from __future__ import annotations

import pytest

from adapters.gateway.render import inert


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("Approve at evil.com now", "Approve at evil. com now"),
        ("bit.ly/abc", "bit. ly/abc"),
        ("EVIL.Example/x", "EVIL. Example/x"),
        ("see evil.co.uk", "see evil. co. uk"),
        ("evil\u3002com", "evil\u3002 com"),
        ("evil.xn--p1ai", "evil. xn--p1ai"),
        ("10.0.0.1:80/x", "10. 0. 0. 1:80/x"),
        ("eve@evil.example", "eve@evil. example"),
        ("mailto:eve", "mailto: eve"),
        ("Tel:+1900", "Tel: +1900"),
        ("https://x", "https: //x"),
        ("WWW.x", "WWW. x"),
    ],
)
def test_no_address_begins_in_somebodys_words(said: str, sent: str) -> None:
    """With or without a scheme, in any case, by another full stop: the only link of a message is ours."""
    assert inert(said) == sent


@pytest.mark.parametrize(
    "said", ["refund.issue of invoice.pdf", "180.00 USD, e.g. 1.5/10 of it", "Risk: high. Until 09:30", "a: b"]
)
def test_words_that_are_no_address_stay(said: str) -> None:
    """Names of actions and files, amounts, the ends of sentences."""
    assert inert(said) == said


@pytest.mark.parametrize("piece", ["a.", "a.b", "a", "-", "://", "a@"])
def test_long_words_are_gone_through_once(piece: str) -> None:
    """Nobody holds the server up by one long word: looked at from each of its letters anew, these would take hours."""
    assert len(inert(piece * 200_000)) >= 200_000

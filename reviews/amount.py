"""The amount a review is about, in its currency: where one is known, and never made up. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reviews import redact
from reviews.forms import ARGUMENTS
from reviews.model import Object, Review
from reviews.words import is_currency, money, words


class Amount:
    """What the policy took for the amount (`Route.amount`), as the arguments write it.

    Its currency is the `currency` beside it in the arguments, where there is none the one the agent claims
    (`risk.currency`). `shown` are the arguments with `hidden` masked: what is hidden has no amount and no currency.
    """

    def __init__(self, review: Review, shown: Object, hidden: tuple[str, ...]) -> None:
        self._amount, self._shown = review.route.amount, shown
        self._places = tuple(_places(review.request.action.arguments, self._amount))
        told = ("/risk/amount", *(ARGUMENTS + place for place in self._places))
        self._secret = any(redact.covers(hidden, pointer) for pointer in told)
        claimed = review.request.risk.currency
        self._claimed = None if redact.covers(hidden, "/risk/currency") else claimed

    def argument(self, arguments: Object, name: str) -> str:
        """One of these arguments in words: the amount with its currency, everything else as it is."""
        value = arguments[name]
        if self._secret or self._places != (redact.join(name),) or not _is_number(value):
            return words(value)
        code = self._currency(arguments, "")
        return money(value, code) if code else words(value)

    def apart(self) -> str | None:
        """The amount where no argument by itself shows it with a currency: inside others, or by the agent's word."""
        if self._amount is None or self._secret:
            return None
        inside = {place.rpartition("/")[0] for place in self._places}
        codes = {self._currency(self._shown, where) for where in inside or {""}}
        code = codes.pop() if len(codes) == 1 else None
        if code is None or (len(self._places) == 1 and inside == {""}):
            return None
        return money(self._amount, code) + ("" if self._places else ", by the agent's word")

    def _currency(self, arguments: Object, where: str) -> str | None:
        try:
            beside = redact.lookup(arguments, f"{where}/currency")
        except KeyError:
            beside = self._claimed
        return beside if is_currency(beside) else None


def _places(arguments: Object, amount: float | None, at: str = "") -> Iterator[str]:
    """Where the amount stands, by JSON Pointer into the arguments; not in lists, whose lines each have their own."""
    if amount is None:
        return
    for name, value in arguments.items():
        if isinstance(value, dict):
            yield from _places(value, amount, at + redact.join(name))
        elif value == amount and _is_number(value):
            yield at + redact.join(name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Values as a person reads them: JSON in words, money in its currency, quotations in their marks, hosts. No I/O."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

_QUOTED = 160
_CODE = re.compile(r"[A-Za-z]{3}")
#: Currencies whose smaller unit is not a hundredth, by how many decimals they have (ISO 4217).
_OTHERWISE = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_DECIMALS = {code: decimals for decimals, codes in _OTHERWISE.items() for code in codes.split()}
#: How many digits of a float are the number's own; further ones are how binary writes it (0.1 + 0.2).
_FLOAT_DIGITS = 15
#: Beyond, whole numbers of JSON are not the same for every reader.
_WHOLE = 2**53


def words(value: Any) -> str:
    """A JSON value as a person reads it."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case int() | float():
            return str(whole(value))
        case _:
            return json.dumps(whole(value), ensure_ascii=False)


def whole(value: Any) -> Any:
    """A JSON value with its whole numbers written as such: 180.0 is 180, as in canonical JSON (RFC 8785)."""
    match value:
        case float() if value.is_integer() and abs(value) < _WHOLE:
            return int(value)
        case dict():
            return {name: whole(inner) for name, inner in value.items()}
        case list():
            return [whole(inner) for inner in value]
        case _:
            return value


def money(amount: float, currency: str) -> str:
    """`1,180.00 EUR`: an amount (a finite number) in a currency (its code of three letters, ISO 4217).

    No digit is left out or made up: a whole number without decimals stays one, for it may count cents.
    """
    code = currency.upper()
    if isinstance(amount, int):
        return f"{amount:,} {code}"
    exact = Decimal(f"{amount:.{_FLOAT_DIGITS}g}")
    own = -int(exact.normalize().as_tuple().exponent)
    return f"{exact:,.{max(own, _DECIMALS.get(code, 2))}f} {code}"


def is_currency(value: Any) -> bool:
    """Whether it is the code of a currency by its form: three letters."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def quoted(text: str, most: int = _QUOTED) -> str:
    """Somebody's words inside a line of the house: one line, short, in quotation marks that cannot be closed."""
    line = " ".join(text.split()).replace("“", '"').replace("”", '"')
    return f"“{line if len(line) <= most else line[: most - 1] + '…'}”"


def host_of(url: str) -> str | None:
    """The host of a web address; None for what is no such address."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None

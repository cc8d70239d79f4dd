"""Numbers in values, read the way Java reads them: no underscores, no digits of other scripts."""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)
_LONGEST = 4000

Number = t.Union[int, float, Decimal]  # noqa: UP007 - evaluated on Python 3.10 too


def number_in(value: t.Any) -> Number | None:
    """The number that a value is, or that its text spells; None where there is none.

    Numbers that JSON does not have (NaN, infinite ones) are none.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return decimal_in(value) if isinstance(value, str) else None


def decimal_in(text: str) -> Decimal | None:
    """The number that a text spells, blanks around it aside; None where it spells none."""
    plain = text.strip()
    if len(plain) > _LONGEST or not _NUMBER.fullmatch(plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def integral(number: Number | None) -> int | None:
    """The number as int, if it has no fraction and fewer than 4,000 digits."""
    if number is None or isinstance(number, int):
        return number
    exact = number if isinstance(number, Decimal) else Decimal(number)
    if exact.adjusted() >= _LONGEST or exact != exact.to_integral_value():
        return None
    return int(exact)

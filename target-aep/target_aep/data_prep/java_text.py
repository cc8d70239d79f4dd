"""Values as Java prints them, and text as Java counts it: in UTF-16 code units."""

from __future__ import annotations

import math
import re
import typing as t
from decimal import Decimal

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.zoned_date_time import ZonedDateTime

Value = t.Any

MOST_CHARACTERS: t.Final = 1024 * 1024
"""The longest text that an expression may make."""

_DEEPEST = 64
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_LARGEST_OF_BASIC_PLANE = "\uffff"
_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7


def text_of(value: Value) -> str:
    """A value as Java's `String.valueOf` prints it.

    Numbers with a fraction print as Java's doubles do (`20.5`, `1.0`, `1.0E10`), decimals as
    `BigDecimal` does, which keeps the digits of the record; lists and objects as Java's
    collections do, dates as RFC 3339.

    Raises:
        EvaluationError: The text is longer than 1 MiB, or the value is nested too deeply.
    """
    if isinstance(value, str):
        return value
    parts: list[str] = []
    _append(value, parts, 0)
    return bounded("".join(parts))


def bounded(text: str) -> str:
    """The text, unless it is longer than an expression may make it.

    Raises:
        EvaluationError: It is longer than 1 MiB.
    """
    if len(text) > MOST_CHARACTERS:
        raise EvaluationError("the text would be longer than 1 MiB")
    return text


def scalar_text(value: Value) -> str:
    """The text of a value that is neither a list nor an object, nor of a type unknown here."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer_text(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, ZonedDateTime):
        return value.text
    return str(value)


def double_text(number: float) -> str:
    """A double as Java's `Double.toString` prints it."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "-Infinity" if number < 0 else "Infinity"
    if number == 0 or _PLAIN_FROM <= abs(number) < _PLAIN_BELOW:
        return f"{Decimal(repr(number)):f}"
    mantissa, _, exponent = f"{Decimal(repr(number)):E}".partition("E")
    digits, _, fraction = mantissa.partition(".")
    return f"{digits}.{fraction.rstrip('0') or '0'}E{int(exponent)}"


def unit_length(text: str) -> int:
    """The number of UTF-16 code units, which is what Java calls the length."""
    return len(text) if _is_basic(text) else len(_units(text)) // 2


def unit_slice(text: str, start: int, end: int) -> str:
    """The code units from `start` (0 or more) to before `end`; half a pair becomes `?`."""
    end = max(end, 0)
    if _is_basic(text):
        return text[start:end]
    cut = _units(text)[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
    return _HALF_PAIR.sub("?", cut)


def unit_index(text: str, position: int) -> int:
    """How many code units stand before the character at `position`."""
    return position if _is_basic(text) else unit_length(text[:position])


def character_index(text: str, units: int) -> int:
    """The character that begins at, or just after, a number of code units."""
    if _is_basic(text):
        return units
    return len(_units(text)[: 2 * units].decode("utf-16-le", "surrogatepass"))


def unit_order(text: str) -> bytes:
    """What to sort texts by for Java's order, which is that of their code units."""
    return text.encode("utf-16-be", "surrogatepass")


def _append(value: Value, parts: list[str], depth: int) -> None:
    if depth > _DEEPEST:
        raise EvaluationError(f"the value is nested more than {_DEEPEST} deep")
    if isinstance(value, list):
        parts.append("[")
        for index, item in enumerate(value):
            parts.append(", " if index else "")
            _append(item, parts, depth + 1)
        parts.append("]")
    elif isinstance(value, dict):
        parts.append("{")
        for index, (key, item) in enumerate(value.items()):
            parts.append(f"{', ' if index else ''}{scalar_text(key)}=")
            _append(item, parts, depth + 1)
        parts.append("}")
    else:
        parts.append(scalar_text(value))


def _integer_text(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python prints no more than a few thousand digits
        raise EvaluationError("the number has too many digits to be text") from None


def _is_basic(text: str) -> bool:
    return text.isascii() or max(text) <= _LARGEST_OF_BASIC_PLANE


def _units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")

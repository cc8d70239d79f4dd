"""Values as the numbers that JEXL's operators make of them (JexlArithmetic in apache/commons-jexl).

Integers are unbounded as Java's BigInteger is, up to a limit; a Decimal, which is also how records
hold JSON's fractions, wins over a float as BigDecimal does over Double.
"""

from __future__ import annotations

import decimal
import math
import re
import typing as t
from decimal import Decimal

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.limits import INTEGER_BITS, NUMBER_DIGITS, NUMBER_EXPONENT
from target_aep.data_prep.zoned_date_time import ZonedDateTime

if t.TYPE_CHECKING:
    from target_aep.data_prep.function import Value

Number = int | float | Decimal

DECIMAL128: t.Final = decimal.Context(
    prec=34,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-NUMBER_EXPONENT,
    Emax=NUMBER_EXPONENT,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
"""Java's MathContext.DECIMAL128, in which JEXL computes, within the bounds of numbers here."""

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_FRACTION = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)
_TOO_LARGE = "the number is too large"


def type_name(value: Value) -> str:
    """What kind of value it is, in words."""
    if isinstance(value, ZonedDateTime):
        return "a date"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str):
        return "a text"
    return "null" if value is None else "a boolean" if isinstance(value, bool) else "a number"


def is_number(value: Value) -> bool:
    """Whether it is a number; a boolean is none."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def is_nan(number: Number) -> bool:
    """Whether it is the number that is none."""
    return number.is_nan() if isinstance(number, Decimal) else number != number  # noqa: PLR0124


def number_in(text: str) -> int | float | None:
    """The number that a text spells, 0 for empty text, None where it spells none.

    Raises:
        EvaluationError: It is too long or too large.
    """
    plain = text.strip()
    if not plain:
        return None if text else 0
    if not _FRACTION.fullmatch(plain):
        return None
    if len(plain) > NUMBER_DIGITS:
        raise EvaluationError(f"the number in the text has more than {NUMBER_DIGITS} digits")
    if _INTEGER.fullmatch(plain):
        return int(plain)
    return finite(float(plain))


def number_of(value: Value) -> Number:
    """A value as a number: true is 1, empty text 0.

    Raises:
        EvaluationError: It is null or no number.
    """
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, Decimal):
        return _bounded_decimal(value)
    number = number_in(value) if isinstance(value, str) else None
    if number is None:
        raise EvaluationError(f"{type_name(value)} is not a number")
    return number


def _bounded_decimal(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise EvaluationError("the number is not finite")
    if value and abs(value.adjusted()) > NUMBER_EXPONENT:
        raise EvaluationError("the number is too large or too small")
    return value


def alike(left: Number, right: Number) -> tuple[t.Any, t.Any]:
    """Two numbers as one type, the wider of theirs."""
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return as_decimal(left), as_decimal(right)
    if isinstance(left, float) or isinstance(right, float):
        return as_double(left), as_double(right)
    return bounded_integer(left), bounded_integer(right)


def as_decimal(number: Number) -> Decimal:
    """A number as a decimal; a double as it is printed, not as it is stored."""
    if isinstance(number, Decimal):
        return number
    if isinstance(number, float):
        return Decimal(repr(finite(number)))
    return Decimal(bounded_integer(number))


def as_double(number: Number) -> float:
    """A number as a double.

    Raises:
        EvaluationError: It is too large.
    """
    try:
        return float(number)
    except OverflowError:
        raise EvaluationError(_TOO_LARGE) from None


def as_long(number: Number) -> int:
    """A number without its fraction, of 64 bits.

    Raises:
        EvaluationError: It takes more bits, or is not finite.
    """
    if isinstance(number, float):
        finite(number)
    integer = int(number)
    if not -(2**63) <= integer < 2**63:
        raise EvaluationError("the number does not fit 64 bits")
    return integer


def finite(number: float) -> float:
    """The number, unless JSON has no such number.

    Raises:
        EvaluationError: It is infinite or NaN.
    """
    if not math.isfinite(number):
        raise EvaluationError(_TOO_LARGE if math.isinf(number) else "the number is not finite")
    return number


def bounded_integer(number: int) -> int:
    """The number, unless it is longer than arithmetic may make it.

    Raises:
        EvaluationError: It is.
    """
    if number.bit_length() > INTEGER_BITS:
        raise EvaluationError(_TOO_LARGE)
    return number

"""Arithmetic, bits and sizes as JEXL computes them (JexlArithmetic in apache/commons-jexl).

Every function raises EvaluationError, and nothing else, where it has no value.
"""

from __future__ import annotations

import functools
import math
import operator
import typing as t
from decimal import Decimal

from target_aep.data_prep.comparison import scalar_key
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_text import bounded, text_of, unit_length
from target_aep.data_prep.limits import INTEGER_BITS
from target_aep.data_prep.numeric import (
    DECIMAL128,
    Number,
    alike,
    as_long,
    bounded_integer,
    finite,
    is_nan,
    is_number,
    number_in,
    number_of,
    type_name,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.data_prep.function import Value
    from target_aep.data_prep.policies import Policies

Operate = t.Callable[..., t.Any]


@functools.lru_cache(maxsize=4)
def arithmetic(policies: Policies) -> dict[str, Operate]:
    """The operators whose operands null may be refused in, by symbol.

    `negate` and `plus` are the unary `-` and `+`.
    """
    known = _null_as_zero if policies.null_in_arithmetic == "zero" else _refuse_null
    binary = {
        "+": _compile_add(known),
        "-": _compile_binary(known, operator.sub, DECIMAL128.subtract),
        "*": _compile_binary(known, operator.mul, DECIMAL128.multiply),
        "/": _compile_binary(known, _divide, _unless_zero(DECIMAL128.divide), divides=True),
        "%": _compile_binary(known, _remainder, _unless_zero(DECIMAL128.remainder), divides=True),
        "&": lambda left, right: as_long(known(left)) & as_long(known(right)),
        "|": lambda left, right: as_long(known(left)) | as_long(known(right)),
        "^": lambda left, right: as_long(known(left)) ^ as_long(known(right)),
    }
    unary = {
        "negate": lambda value: _negate(value, known),
        "plus": known,
        "~": lambda value: ~as_long(known(value)),
    }
    return binary | unary


def _refuse_null(value: Value) -> Number:
    if value is None:
        raise EvaluationError("null has no place in arithmetic")
    return number_of(value)


def _null_as_zero(value: Value) -> Number:
    return 0 if value is None else number_of(value)


def _compile_binary(
    known: Callable[[Value], Number],
    plain: Callable[[t.Any, t.Any], t.Any],
    decimals: Callable[[Decimal, Decimal], Decimal],
    *,
    divides: bool = False,
) -> Operate:
    def operate(left: Value, right: Value) -> Number:
        if left.__class__ is int and right.__class__ is int and (right or not divides):
            result: int = plain(left, right)
            if result.bit_length() <= INTEGER_BITS:
                return result
        return _operate(known(left), known(right), plain, decimals)

    return operate


def _operate(
    left: Number,
    right: Number,
    plain: Callable[[t.Any, t.Any], t.Any],
    decimals: Callable[[Decimal, Decimal], Decimal],
) -> Number:
    one, other = alike(left, right)
    try:
        if isinstance(one, Decimal):
            return decimals(one, other)
        result: int | float = plain(one, other)
    except ZeroDivisionError:
        raise EvaluationError("division by zero") from None
    except ArithmeticError:
        raise EvaluationError("the number is too large") from None
    return finite(result) if isinstance(result, float) else bounded_integer(result)


def _unless_zero(
    divide: Callable[[Decimal, Decimal], Decimal],
) -> Callable[[Decimal, Decimal], Decimal]:
    def checked(dividend: Decimal, divisor: Decimal) -> Decimal:
        if not divisor:
            raise ZeroDivisionError
        return divide(dividend, divisor)

    return checked


def _divide(left: t.Any, right: t.Any) -> t.Any:
    """Integers give an integer, without the fraction."""
    if isinstance(left, float):
        return left / right
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: t.Any, right: t.Any) -> t.Any:
    """It has the sign of the dividend, as in Java."""
    if isinstance(left, float):
        if right == 0:
            raise ZeroDivisionError
        return math.fmod(finite(left), right)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _compile_add(known: Callable[[Value], Number]) -> Operate:
    """`+` of the lenient engine: it joins two texts, and whatever are not both numbers."""

    def add(left: Value, right: Value) -> Value:
        if left.__class__ is int and right.__class__ is int:
            result = left + right
            if result.bit_length() <= INTEGER_BITS:
                return result
        if isinstance(left, str) and isinstance(right, str):
            return bounded(left + right)
        if _is_wording(left) or _is_wording(right):
            if left is None or right is None:
                known(None)
            return bounded(_joined(left) + _joined(right))
        return _operate(known(left), known(right), operator.add, DECIMAL128.add)

    return add


def _is_wording(value: Value) -> bool:
    return isinstance(value, str) and number_in(value) is None


def _joined(value: Value) -> str:
    return "" if value is None else text_of(value)


def _negate(value: Value, known: Callable[[Value], Number]) -> Value:
    if isinstance(value, bool):
        return not value
    number = known(value)
    return DECIMAL128.minus(number) if isinstance(number, Decimal) else -number


def size(value: Value) -> int:
    """`size value`: code units of a text, elements of an array, entries of an object."""
    if value is None:
        return 0
    if isinstance(value, str):
        return unit_length(value)
    if isinstance(value, (list, dict)):
        return len(value)
    raise EvaluationError(f"{type_name(value)} has no size")


def empty(value: Value) -> bool:
    """`empty value`: null, 0, and what has no characters, elements or entries."""
    if is_number(value):
        return not value or is_nan(value)
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def item(target: Value, key: Value) -> Value:
    """`target[key]`, None where there is none; never an attribute of a Python object."""
    if isinstance(target, dict):
        return None if key is None else target.get(text_of(key))
    if isinstance(target, list):
        index = number_in(key) if isinstance(key, str) else key
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(target):
            return target[index]
    return None


def key_text(value: Value) -> str:
    """A key of a map literal: the keys of XDM's maps are texts."""
    if value is None:
        raise EvaluationError("null can't be a key")
    return text_of(value)


def unique(values: list[Value]) -> list[Value]:
    """A set literal: each value once, in the order of the text."""
    seen: set[t.Any] = set()
    kept: list[Value] = []
    for value in values:
        if isinstance(value, (list, dict)):
            if value in kept:
                continue
        elif (key := scalar_key(value)) in seen:
            continue
        else:
            seen.add(key)
        kept.append(value)
    return kept


def refuse_null_receiver(value: Value, method: str) -> Value:
    """The value that a method is called on, where the policy makes null an error."""
    if value is None:
        raise EvaluationError(f"{method} is called on null")
    return value

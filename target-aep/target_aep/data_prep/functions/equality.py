"""Equality and order of values, as Java's `equals` and `compareTo` have them."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_text import unit_order
from target_aep.data_prep.numeric import is_nan, type_name
from target_aep.data_prep.zoned_date_time import ZonedDateTime

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.data_prep.function import Value

_DEEPEST = 64


def equal(left: Value, right: Value, depth: int = 0) -> bool:
    """Whether two values are equal: of one type, numbers by their value, lists by their elements.

    Raises:
        EvaluationError: They are nested too deeply.
    """
    if left.__class__ is right.__class__ is str:
        return bool(left == right)
    if depth > _DEEPEST:
        raise EvaluationError(f"the value is nested more than {_DEEPEST} deep")
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            equal(one, other, depth + 1) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            equal(item, right[key], depth + 1) for key, item in left.items()
        )
    if type_name(left) != type_name(right):
        return False
    if type_name(left) == "a number":
        return _number_order(left) == _number_order(right)
    return bool(left == right)


def order_keys(values: Sequence[Value]) -> list[t.Any]:
    """What to sort values of one type by: numbers, texts, booleans or dates.

    Raises:
        EvaluationError: They are of several types, or of one that has no order.
    """
    names = {type_name(value) for value in values}
    if len(names) > 1:
        raise EvaluationError(f"{' and '.join(sorted(names))} can't be compared")
    if names <= {"a number"}:
        return [_number_order(value) for value in values]
    if names == {"a text"}:
        return [unit_order(value) for value in values]
    if names <= {"a boolean", "a date"}:
        return list(values)
    raise EvaluationError(f"{names.pop()} has no order")


def _number_order(number: Value) -> tuple[bool, Value]:
    """NaN equals itself and is larger than all others, as Java's `Double.compareTo` has it."""
    unordered = is_nan(number)
    return unordered, 0 if unordered else number


def value_key(value: Value) -> t.Hashable:
    """A key that equal values share, and unequal ones seldom do."""
    if isinstance(value, (str, ZonedDateTime)):
        return value
    name = type_name(value)
    return (name, _number_order(value)) if name == "a number" else name

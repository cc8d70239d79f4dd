"""Comparisons and conditions as JEXL coerces them (JexlArithmetic in apache/commons-jexl).

Every function raises EvaluationError, and nothing else, where it has no value.
"""

from __future__ import annotations

import operator
import typing as t
from decimal import Decimal

from target_aep.data_prep import java_regex
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_text import text_of, unit_order
from target_aep.data_prep.numeric import alike, is_nan, is_number, number_of, type_name
from target_aep.data_prep.zoned_date_time import ZonedDateTime

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.data_prep.function import Value


_FEW = 64
_MOST_COMPARISONS = 100_000


def truth(value: Value) -> bool:
    """Whether a value counts as true: not null, false, 0, "" and "false"."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return value not in {"", "false"}
    if is_number(value):
        return bool(value) and not is_nan(value)
    return True


def equal(left: Value, right: Value) -> bool:
    """`==`: booleans decide first, then numbers, then texts; null equals only null."""
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return truth(left) is truth(right)
    if is_number(left) or is_number(right):
        one, other = alike(number_of(left), number_of(right))
        return bool(one == other)
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left) == text_of(right)
    return type(left) is type(right) and bool(left == right)


def unequal(left: Value, right: Value) -> bool:
    """`!=`."""
    return not equal(left, right)


def _ordering(compare: Callable[[t.Any, t.Any], bool]) -> Callable[[Value, Value], bool]:
    """`<` and its like, which are false where an operand is null."""

    def holds(left: Value, right: Value) -> bool:
        if left.__class__ is int and right.__class__ is int:
            return compare(left, right)
        if left is None or right is None:
            return False
        one, other = _comparable(left, right)
        return bool(compare(one, other))

    return holds


def _comparable(left: Value, right: Value) -> tuple[t.Any, t.Any]:
    """Two values as such that Python orders as Java does."""
    if is_number(left) or is_number(right):
        return alike(number_of(left), number_of(right))
    if isinstance(left, str) or isinstance(right, str):
        return unit_order(text_of(left)), unit_order(text_of(right))
    if type(left) is type(right) and isinstance(left, (bool, ZonedDateTime)):
        return left, right
    raise EvaluationError(f"{type_name(left)} and {type_name(right)} can't be compared")


def matches(value: Value, container: Value) -> bool:
    """`=~`: the whole text matches a regular expression, or the value is in an array or object."""
    if value is None or container is None:
        return value is container
    if isinstance(container, str):
        return java_regex.matches(container, text_of(value))
    if isinstance(container, dict):
        keys = value if isinstance(value, dict) else [text_of(value)]
        return all(key in container for key in keys)
    if isinstance(container, list):
        values = value if isinstance(value, list) else [value]
        return _all_in(values, container)
    return equal(value, container)


def _all_in(values: list[Value], container: list[Value]) -> bool:
    """Whether all values are in a list; what is neither list nor object is looked up by hash."""
    if len(values) * len(container) <= _FEW:
        return all(any(_same(one, other) for other in container) for one in values)
    nested = [other for other in container if isinstance(other, (list, dict))]
    plain = {scalar_key(other) for other in container if not isinstance(other, (list, dict))}
    if len(nested) * sum(isinstance(one, (list, dict)) for one in values) > _MOST_COMPARISONS:
        raise EvaluationError("there are too many lists and objects to be compared")
    return all(
        any(_same(one, other) for other in nested)
        if isinstance(one, (list, dict))
        else scalar_key(one) in plain and bool(one == one)  # noqa: PLR0124 - NaN is in no list
        for one in values
    )


def scalar_key(value: Value) -> tuple[bool, Value]:
    """What values that are the same share.

    Raises:
        EvaluationError: It is a signaling NaN, which can't be compared.
    """
    if isinstance(value, Decimal) and value.is_snan():
        raise EvaluationError("the number is not finite")
    return isinstance(value, bool), value


def _same(left: Value, right: Value) -> bool:
    """Equal without coercion, as the members of Java's collections are."""
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def matches_not(value: Value, container: Value) -> bool:
    """`!~`."""
    return not matches(value, container)


def starts(value: Value, start: Value) -> bool:
    """`=^`; what is not a text starts only with what equals it."""
    if isinstance(value, str) and start is not None:
        return value.startswith(text_of(start))
    return equal(value, start)


def starts_not(value: Value, start: Value) -> bool:
    """`!^`."""
    return not starts(value, start)


def ends(value: Value, end: Value) -> bool:
    """`=$`; what is not a text ends only with what equals it."""
    if isinstance(value, str) and end is not None:
        return value.endswith(text_of(end))
    return equal(value, end)


def ends_not(value: Value, end: Value) -> bool:
    """`!$`."""
    return not ends(value, end)


COMPARISONS: t.Final[dict[str, Callable[[Value, Value], bool]]] = {
    "==": equal,
    "!=": unequal,
    "<": _ordering(operator.lt),
    "<=": _ordering(operator.le),
    ">": _ordering(operator.gt),
    ">=": _ordering(operator.ge),
    "=~": matches,
    "!~": matches_not,
    "=^": starts,
    "!^": starts_not,
    "=$": ends,
    "!$": ends_not,
}
"""By symbol."""

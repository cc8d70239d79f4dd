"""Values of segmentation expressions: their types, operators and functions.

Rules: https://docs.mixpanel.com/reference/segmentation-expressions. How strings other than "true"
and "false" are cast to boolean is not documented; here they become undefined.
"""

from __future__ import annotations

import json
import math
import operator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class WhereError(ValueError):
    """The expression is not valid."""


class _Undefined:
    """What a missing property, or an operation on the wrong types, evaluates to."""


UNDEFINED: Final = _Undefined()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _on_numbers(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: object, right: object) -> object:
        return function(left, right) if _is_number(left) and _is_number(right) else UNDEFINED

    return apply


def _add(left: Any, right: Any) -> Any:
    both_text = isinstance(left, str) and isinstance(right, str)
    if both_text or (_is_number(left) and _is_number(right)):
        return left + right
    return UNDEFINED


def _equal(left: object, right: object) -> bool:
    if _is_number(left) and _is_number(right):
        return left == right
    return type(left) is type(right) and left == right


def _contained(left: object, right: object) -> object:
    if isinstance(right, list):
        return any(_equal(left, item) for item in right)
    if isinstance(left, str) and isinstance(right, str):
        return left in right
    return UNDEFINED


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _on_numbers(operator.sub),
    "*": _on_numbers(operator.mul),
    "/": _on_numbers(lambda left, right: left / right if right else UNDEFINED),
    "%": _on_numbers(lambda left, right: math.fmod(left, right) if right else UNDEFINED),
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    ">": _on_numbers(operator.gt),
    ">=": _on_numbers(operator.ge),
    "<": _on_numbers(operator.lt),
    "<=": _on_numbers(operator.le),
    "in": _contained,
}


def _to_number(value: object) -> object:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return int(value) if value.strip().lstrip("+-").isdecimal() else float(value)
        except ValueError:
            return UNDEFINED
    return value if _is_number(value) else UNDEFINED


def _to_string(value: object) -> object:
    if value is UNDEFINED or value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _to_boolean(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value, UNDEFINED)
    return bool(value) if _is_number(value) else UNDEFINED


def _to_datetime(value: object) -> object:
    """Epoch seconds of a number or of an ISO date-time (UTC unless it says otherwise)."""
    if not isinstance(value, str):
        return value if _is_number(value) else UNDEFINED
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return UNDEFINED
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "defined": lambda value: value is not UNDEFINED and value is not None,
    "number": _to_number,
    "string": _to_string,
    "boolean": _to_boolean,
    "datetime": _to_datetime,
    "floor": lambda value: math.floor(value) if _is_number(value) else UNDEFINED,
    "round": lambda value: round(value) if _is_number(value) else UNDEFINED,
    "ceil": lambda value: math.ceil(value) if _is_number(value) else UNDEFINED,
}


def truth(value: object) -> bool:
    """What `and` and `or` make of an operand.

    Raises:
        WhereError: For what is neither boolean nor undefined.
    """
    if value is UNDEFINED:
        return False
    if isinstance(value, bool):
        return value
    raise WhereError("`and` and `or` take booleans only")


def negation(value: object) -> object:
    """What `not` makes of its operand."""
    if value is UNDEFINED:
        return True
    return not value if isinstance(value, bool) else UNDEFINED

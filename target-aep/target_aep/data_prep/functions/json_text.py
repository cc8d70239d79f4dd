"""JSON in text: help/data-prep/functions.md, "JSON functions"."""

from __future__ import annotations

import json
import typing as t
from decimal import Decimal, InvalidOperation

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.java_text import bounded

if t.TYPE_CHECKING:
    from target_aep.data_prep.function import Value

CATEGORY = Category("JSON")

_DEEPEST = 64


@CATEGORY.define("json_to_object(STRING: any) -> any")
def json_to_object(text: Value) -> Value:
    """Read JSON; what is an object or array already stays as it is."""
    if text is None or isinstance(text, (dict, list)):
        return text
    if not isinstance(text, str):
        raise EvaluationError("json_to_object: STRING is not a text")
    try:
        value = json.loads(bounded(text), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, InvalidOperation):
        raise EvaluationError("json_to_object: STRING is not JSON") from None
    _check_depth(value)
    return value


def _refuse(constant: str) -> t.NoReturn:
    raise ValueError(constant)


def _check_depth(value: Value) -> None:
    """Refuse what is nested so deeply that whoever gets it could stumble over it."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [item for outer in level for item in _items(outer)]
        if not level:
            return
    raise EvaluationError(f"json_to_object: STRING is nested more than {_DEEPEST} deep")


def _items(value: Value) -> t.Iterable[Value]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()

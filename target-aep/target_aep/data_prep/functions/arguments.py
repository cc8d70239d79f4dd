"""Arguments as functions take them: converted once, refused with the name of the parameter."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.automatic_dates import parse_automatically
from target_aep.data_prep.comparison import truth
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.numbers import integral, number_in
from target_aep.data_prep.java_text import bounded, scalar_text
from target_aep.data_prep.numeric import type_name
from target_aep.data_prep.zoned_date_time import ZonedDateTime

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from target_aep.data_prep.function import Kind, Parameter, Value

Convert = t.Callable[[t.Any], t.Any]

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def converter(function: str, parameter: Parameter) -> Convert | None:
    """What turns an argument into what the function takes; None where it takes anything.

    It leaves null as it is, and raises EvaluationError for what can't be converted.
    """
    convert = _CONVERTERS.get(parameter.kind)
    if convert is None:
        return None
    where = f"{function}: {parameter.name}"
    exact = _EXACT.get(parameter.kind)

    def to_argument(value: Value) -> Value:
        if value is None or value.__class__ is exact:
            return value
        try:
            return convert(value)
        except EvaluationError as error:
            raise EvaluationError(f"{where} {error.reason}") from None

    return to_argument


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        raise EvaluationError(f"is {type_name(value)}, not a text")
    return bounded(scalar_text(value))


def _integer(value: Value) -> int:
    number = integral(number_in(value))
    if number is None or not _SMALLEST <= number <= _LARGEST:
        raise EvaluationError(f"is {type_name(value)} that is no integer")
    return number


def _number(value: Value) -> int | float | Decimal:
    number = number_in(value)
    if number is None:
        raise EvaluationError(f"is {type_name(value)} that is no number")
    return number


def _date(value: Value) -> ZonedDateTime:
    if isinstance(value, ZonedDateTime):
        return value
    if isinstance(value, str):
        return parse_automatically(value)
    raise EvaluationError(f"is {type_name(value)}, not a date")


def _array(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    raise EvaluationError(f"is {type_name(value)}, not an array")


def _object(value: Value) -> dict[str, Value]:
    if isinstance(value, dict):
        return value
    raise EvaluationError(f"is {type_name(value)}, not an object")


_EXACT: dict[Kind, type] = {
    "text": str,
    "boolean": bool,
    "date": ZonedDateTime,
    "array": list,
    "object": dict,
}
"""What is taken as it is."""

_CONVERTERS: dict[Kind, Callable[[Value], Value]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": truth,
    "date": _date,
    "array": _array,
    "object": _object,
}

"""Array functions of destinations: help/destinations/ui/data-transformations-calculated-fields.md.

Adobe offers them where profiles are exported to files, not where data is ingested.
"""

from __future__ import annotations

import typing as t
from itertools import islice

from target_aep.data_prep.comparison import truth
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.functions.strings import joined
from target_aep.data_prep.java_text import MOST_CHARACTERS, scalar_text
from target_aep.data_prep.limits import MADE_ELEMENTS
from target_aep.data_prep.zoned_date_time import ZonedDateTime

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_aep.data_prep.function import Value

CATEGORY = Category("Hierarchies - Arrays")

_CAVEAT = "{} is for destinations only: an ingestion flow of Adobe would refuse it"
_DEEPEST = 64


@CATEGORY.define(
    "array_to_string(SEPARATOR: text|null, ARRAY: array) -> text",
    caveat=_CAVEAT.format("array_to_string"),
)
def array_to_string(separator: str | None, array: list[Value]) -> str:
    """Join the texts of all elements, those of nested arrays too.

    Objects print as `{'name':value}` with texts in quotes, dates as milliseconds since 1970.
    """
    texts: list[str] = []
    total = 0
    for value in _flat(array, 0):
        texts.append("" if value is None else _printed(value, 0))
        total += len(texts[-1])
        if total > MOST_CHARACTERS:
            raise EvaluationError("array_to_string: the text would be longer than 1 MiB")
    return joined(separator or "", texts)


@CATEGORY.define(
    "filterArray(ARRAY: array, PREDICATE: lambda) -> array", caveat=_CAVEAT.format("filterArray")
)
def filter_array(array: list[Value], predicate: Callable[[Value], Value]) -> list[Value]:
    """The elements for which the predicate holds."""
    return [value for value in array if truth(predicate(value))]


@CATEGORY.define(
    "transformArray(ARRAY: array, PREDICATE: lambda) -> array",
    caveat=_CAVEAT.format("transformArray"),
)
def transform_array(array: list[Value], transform: Callable[[Value], Value]) -> list[Value]:
    """What the lambda makes of each element."""
    return [transform(value) for value in array]


@CATEGORY.define("flattenArray(ARRAY: array) -> array", caveat=_CAVEAT.format("flattenArray"))
def flatten_array(array: list[Value]) -> list[Value]:
    """The elements of nested arrays as one array."""
    flat = list(islice(_flat(array, 0), MADE_ELEMENTS + 1))
    if len(flat) > MADE_ELEMENTS:
        raise EvaluationError(f"flattenArray: more than {MADE_ELEMENTS:,} elements")
    return flat


def _flat(array: list[Value], depth: int) -> Iterator[Value]:
    if depth > _DEEPEST:
        raise EvaluationError(f"the array is nested more than {_DEEPEST} deep")
    for value in array:
        if isinstance(value, list):
            yield from _flat(value, depth + 1)
        else:
            yield value


def _printed(value: Value, depth: int) -> str:
    if depth > _DEEPEST:
        raise EvaluationError(f"the value is nested more than {_DEEPEST} deep")
    if isinstance(value, ZonedDateTime):
        return str(value.epoch_milliseconds)
    if isinstance(value, dict):
        fields = [f"'{name}':{_within(item, depth + 1)}" for name, item in value.items()]
        return f"{{{','.join(fields)}}}"
    if isinstance(value, list):
        return f"[{','.join([_within(item, depth + 1) for item in value])}]"
    return value if isinstance(value, str) else scalar_text(value)


def _within(value: Value, depth: int) -> str:
    return f"'{value}'" if isinstance(value, str) else _printed(value, depth)

"""Functions of arrays: help/data-prep/functions.md, "Hierarchies - Arrays"."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.java_text import unit_length
from target_aep.data_prep.limits import MADE_ELEMENTS
from target_aep.data_prep.numeric import type_name

if t.TYPE_CHECKING:
    from target_aep.data_prep.function import Value

CATEGORY = Category("Hierarchies - Arrays")

_UPSERT_CAVEAT = (
    "{} only says what a profile is to do with the array, and records that are mapped here can't "
    "carry that: the array is sent as it is"
)


@CATEGORY.define("coalesce(INPUT: any+) -> any", form="coalesce")
def coalesce(*values: Value) -> Value:
    """The first value that is not null, of the arguments or of the one array that is given."""
    return next((value for value in _elements(values) if value is not None), None)


@CATEGORY.define("first(INPUT: any+) -> any")
def first(*values: Value) -> Value:
    """The first of the arguments, or of the one array that is given; null of none."""
    elements = _elements(values)
    return elements[0] if elements else None


@CATEGORY.define("last(INPUT: any+) -> any")
def last(*values: Value) -> Value:
    """The last of the arguments, or of the one array that is given; null of none."""
    elements = _elements(values)
    return elements[-1] if elements else None


def _elements(values: tuple[Value, ...]) -> t.Sequence[Value]:
    if len(values) == 1 and isinstance(values[0], list):
        return values[0]
    return values


@CATEGORY.define("add_to_array(ARRAY: array|null, VALUES: any*) -> array")
def add_to_array(array: list[Value] | None, *values: Value) -> list[Value]:
    """An array with values behind its own; null counts as an empty one."""
    return [*(array or ()), *values]


@CATEGORY.define("join_arrays(ARRAY: array|null, VALUES: array*) -> array")
def join_arrays(*arrays: list[Value] | None) -> list[Value] | None:
    """All elements of several arrays, in order; null counts as an empty one."""
    present = [array for array in arrays if array is not None]
    if sum(map(len, present)) > MADE_ELEMENTS:
        raise EvaluationError(f"join_arrays: more than {MADE_ELEMENTS:,} elements")
    return [value for array in present for value in array] if present else None


@CATEGORY.define("to_array(INCLUDE_NULLS: boolean, VALUES: any+) -> array")
def to_array(nulls: bool, *values: Value) -> list[Value]:
    """An array of values; nulls are left out unless they are asked for."""
    return [value for value in values if nulls or value is not None]


@CATEGORY.define("size_of(INPUT: any) -> integer")
def size_of(value: Value) -> int:
    """How many elements, entries or characters a value has; null has none."""
    if value is None:
        return 0
    if isinstance(value, str):
        return unit_length(value)
    if isinstance(value, (list, dict)):
        return len(value)
    raise EvaluationError(f"size_of: INPUT is {type_name(value)}, which has no size")


@CATEGORY.define(
    "upsert_array_append(ARRAY: array) -> array",
    caveat=_UPSERT_CAVEAT.format("upsert_array_append"),
)
def upsert_array_append(array: list[Value]) -> list[Value]:
    """The array, as Adobe's own function gives it when a profile is new."""
    return array


@CATEGORY.define(
    "upsert_array_replace(ARRAY: array, INDEX: integer?) -> array",
    caveat=_UPSERT_CAVEAT.format("upsert_array_replace"),
)
def upsert_array_replace(array: list[Value], _index: int | None = None) -> list[Value]:
    """The array, as Adobe's own function gives it when a profile is new."""
    return array

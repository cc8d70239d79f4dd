"""Aggregation: help/data-prep/functions.md, "Aggregation"."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.functions.equality import order_keys

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.data_prep.function import Value

CATEGORY = Category("Aggregation")


@CATEGORY.define("min(OPTIONS: any+) -> any")
def smallest(*values: Value) -> Value:
    """The smallest of the arguments, or of the one array that is given; null counts as absent."""
    return _outermost(min, values)


@CATEGORY.define("max(OPTIONS: any+) -> any")
def largest(*values: Value) -> Value:
    """The largest of the arguments, or of the one array that is given; null counts as absent."""
    return _outermost(max, values)


def _outermost(choose: Callable[..., int], values: tuple[Value, ...]) -> Value:
    if len(values) == 1 and isinstance(values[0], list):
        values = tuple(values[0])
    present = [value for value in values if value is not None]
    keys = order_keys(present)
    return present[choose(range(len(keys)), key=keys.__getitem__)] if present else None

"""Logical functions: help/data-prep/functions.md, "Logical operators"."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.functions.equality import equal

if t.TYPE_CHECKING:
    from target_aep.data_prep.function import Value

CATEGORY = Category("Logical operators")


@CATEGORY.define("decode(KEY: any, OPTIONS: any+) -> any", form="decode")
def decode(key: Value, *options: Value) -> Value:
    """The value behind the first option that equals the key, else the odd one at the end."""
    for option, value in zip(options[::2], options[1::2], strict=False):
        if equal(option, key):
            return value
    return options[-1] if len(options) % 2 else None


@CATEGORY.define(
    "iif(EXPRESSION: boolean|null, TRUE_VALUE: any, FALSE_VALUE: any) -> any", form="iif"
)
def iif(condition: bool | None, if_true: Value, if_false: Value) -> Value:
    """One of two values; null as a condition does not hold. Both have been computed."""
    return if_true if condition else if_false

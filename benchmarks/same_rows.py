"""Are two files of rows the same? Asked before a hand-written loop may be called a limit."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class OtherRowsError(RuntimeError):
    """Two ways to make rows made different ones."""


def check_same_rows(ours: list[Path], by_hand: Path) -> int:
    """Compare rows one by one: values, types, numbers as they are written.

    Args:
        ours: The files that the target wrote, in order.
        by_hand: The file of the loop.

    Returns:
        How many rows there are.

    Raises:
        OtherRowsError: A row is different, or missing.
    """
    count = 0
    mine = (row for file in ours for row in _rows(file))
    for one, other in zip_longest(mine, _rows(by_hand)):
        if one != other:
            raise OtherRowsError(f"row {count + 1} is\n{one}\nand by hand\n{other}")
        count += 1
    return count


def _rows(file: Path) -> Iterator[Any]:
    with file.open("rb") as lines:
        for line in lines:
            yield _typed(json.loads(line, parse_float=Decimal))


def _typed(value: Any) -> Any:
    """A value that equals only those with the same types in it."""
    if isinstance(value, dict):
        return {key: _typed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_typed(part) for part in value]
    return type(value), value

"""Rows into columns one by one: slower than `parquet_blocks`, but it tells what does not fit.

Nothing is guessed and nothing left out: a value that its column can't hold as it is makes the row
unconvertible.
"""

from __future__ import annotations

import math
import typing as t
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from target_aep.loading.json_lines import read_json
from target_aep.xdm.timestamps import epoch_milliseconds, parse_date_time
from target_aep.xdm.unconvertible import UnconvertibleError, type_name

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.loading.parquet_columns import Column

Row = dict[str, t.Any]


def columns_of_rows(block: bytes, root: Column) -> dict[str, pa.Array]:
    """Convert whole lines.

    Args:
        block: JSON lines, at least one.
        root: The columns of the rows; it is told of those that rows use.

    Returns:
        The columns by name, each with those of its parts that were used so far.

    Raises:
        UnconvertibleError: A row does not fit; its path is that of the field.
    """
    rows = [row_values(read_json(line), root) for line in block.splitlines()]
    return {
        name: pa.array([row.get(name) for row in rows], part.type())
        for name, part in root.parts.items()
    }


def row_values(row: t.Any, root: Column) -> Row:
    """The values of a row in the forms that Arrow takes for the types of their columns.

    Args:
        row: The row.
        root: The columns; it is told of those that the row uses.

    Raises:
        UnconvertibleError: It does not fit; its path is that of the field.
    """
    return _object(row, root)


def _value(value: t.Any, column: Column) -> t.Any:
    if value is None:
        return None
    return _CONVERSIONS[column.field.kind](value, column)


def _object(value: t.Any, column: Column) -> Row:
    if not isinstance(value, dict) or not value:
        raise _unfit(value, "an object")
    converted = {}
    for name, item in value.items():
        if item is None:
            continue
        part = column.part(name)
        if part is None:
            raise UnconvertibleError("the schema has no such field with a type", name)
        converted[name] = _part(name, item, part)
    return converted


def _map(value: t.Any, column: Column) -> list[tuple[str, t.Any]]:
    if not isinstance(value, dict):
        raise _unfit(value, "a map")
    items = t.cast("Column", column.items)
    return [(key, _part(key, item, items)) for key, item in value.items()]


def _array(value: t.Any, column: Column) -> list[t.Any]:
    if not isinstance(value, list):
        raise _unfit(value, "an array")
    if not value or None in value:
        raise UnconvertibleError("an array without items, or with null among them")
    items = t.cast("Column", column.items)
    return [_part(f"[{number}]", item, items) for number, item in enumerate(value)]


def _part(step: str, value: t.Any, column: Column) -> t.Any:
    try:
        return _value(value, column)
    except UnconvertibleError as error:
        joint = "" if not error.path or error.path.startswith("[") else "."
        raise UnconvertibleError(error.reason, f"{step}{joint}{error.path}") from None


def _string(value: t.Any, _column: Column) -> str:
    if not isinstance(value, str):
        raise _unfit(value, "a text")
    return value


def _boolean(value: t.Any, _column: Column) -> bool:
    if not isinstance(value, bool):
        raise _unfit(value, "a boolean")
    return value


def _number(value: t.Any, _column: Column) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _unfit(value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UnconvertibleError("the number is too large for a double")
    return number


def _integer(value: t.Any, column: Column) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value):
        raise _unfit(value, "an integer")
    bits = column.type().bit_width
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise UnconvertibleError(f"the number does not fit {bits} bits, which its type has")
    return int(value)


def _date_time(value: t.Any, _column: Column) -> int:
    return epoch_milliseconds(_moment(value))


def _date(value: t.Any, _column: Column) -> date:
    try:
        return date.fromisoformat(_string(value, _column))
    except ValueError:
        raise UnconvertibleError("not a date") from None


def _moment(value: t.Any) -> datetime:
    if not isinstance(value, str):
        raise _unfit(value, "a date-time")
    try:
        return parse_date_time(value)
    except ValueError as error:
        raise UnconvertibleError(f"not a date-time: {error}") from None


def _unfit(value: t.Any, wanted: str) -> UnconvertibleError:
    return UnconvertibleError(f"{type_name(value)} where the schema has {wanted}")


_CONVERSIONS: t.Final[dict[str, Callable[[t.Any, Column], t.Any]]] = {
    "string": _string,
    "boolean": _boolean,
    "number": _number,
    "integer": _integer,
    "date-time": _date_time,
    "date": _date,
    "object": _object,
    "map": _map,
    "array": _array,
}

"""Arrow's arrays as its JSON reader gives them, and as they are written to a file."""

from __future__ import annotations

import typing as t

import pyarrow as pa
import pyarrow.compute as pc

from target_aep.loading.parquet_columns import MILLISECONDS

if t.TYPE_CHECKING:
    from target_aep.loading.parquet_columns import Column

_MICROSECONDS: t.Final = pa.timestamp("us", "UTC")


def read_type(column: Column) -> pa.DataType:
    """The type that a column is read as, with the parts and keys that are used."""
    kind = column.field.kind
    if kind == "object":
        return pa.struct([(name, read_type(part)) for name, part in column.parts.items()])
    if column.items is not None:
        items = read_type(column.items)
        if kind == "array":
            return pa.list_(items)
        if column.has_many_keys:
            return pa.list_(pa.struct([("key", pa.string()), ("value", items)]))
        return pa.struct([(key, items) for key in column.keys])
    return _READ_AS.get(kind) or column.type()


_READ_AS: t.Final = {"date": pa.string(), "date-time": _MICROSECONDS}


def column_of(array: pa.Array, column: Column) -> pa.Array:
    """What was read as `read_type` says, as it is written."""
    kind = column.field.kind
    if kind == "date":
        return array.cast(pa.date32())
    if kind == "date-time":
        return _milliseconds(array)
    if kind == "map":
        return _map_of_pairs(array, column) if column.has_many_keys else _map_of_keys(array, column)
    if _stays(column):
        return array
    if column.items is not None:
        return pa.ListArray.from_arrays(
            array.offsets, column_of(array.values, column.items), mask=_nulls(array)
        )
    names = array.type.names
    parts = [column_of(part, column.parts[name]) for name, part in _parts(array)]
    return pa.StructArray.from_arrays(parts, names, mask=_nulls(array))


def widened(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """An array with all parts that a type has, those that it lacks being null."""
    if array.type.equals(wanted):
        return array
    if pa.types.is_list(wanted):
        items = widened(array.values, wanted.value_type)
        return pa.ListArray.from_arrays(array.offsets, items, mask=_nulls(array))
    there = dict(_parts(array))
    parts = [
        widened(there[field.name], field.type)
        if field.name in there
        else pa.nulls(len(array), field.type)
        for field in wanted
    ]
    return pa.StructArray.from_arrays(parts, fields=list(wanted), mask=_nulls(array))


def _stays(column: Column) -> bool:
    """Whether a column is written as it is read."""
    if column.field.kind in ("date", "date-time", "map"):
        return False
    parts = [column.items] if column.items is not None else column.parts.values()
    return all(map(_stays, parts))


def _parts(array: pa.StructArray) -> list[tuple[str, pa.Array]]:
    return list(zip(array.type.names, array.flatten(), strict=True))


def _nulls(array: pa.Array) -> pa.BooleanArray | None:
    return array.is_null() if array.null_count else None


def _milliseconds(array: pa.Array) -> pa.Array:
    """Date-times in milliseconds, which is all that XDM has in Parquet; what is finer is cut."""
    try:
        return array.cast(MILLISECONDS)
    except pa.ArrowInvalid:
        return pc.floor_temporal(array, unit="millisecond").cast(MILLISECONDS)


def _map_of_pairs(array: pa.ListArray, column: Column) -> pa.MapArray:
    keys, values = array.values.flatten()
    items = column_of(values, t.cast("Column", column.items))
    return pa.MapArray.from_arrays(array.offsets, keys, items, mask=_nulls(array))


def _map_of_keys(array: pa.StructArray, column: Column) -> pa.MapArray:
    """Turn the fields of each row that are not null into the entries of a map."""
    items = t.cast("Column", column.items)
    counts = pa.nulls(len(array), pa.int32()).fill_null(0)
    names, rows, keys, values = array.type.names, [], [], []
    for number, part in enumerate(array.flatten()):
        if part.null_count == len(part):
            continue
        is_there = part.is_valid()
        counts = pc.add(counts, is_there.cast(pa.int32()))
        rows.append(pc.indices_nonzero(is_there))
        keys.append(pa.repeat(pa.scalar(number, pa.int32()), len(rows[-1])))
        values.append(part.drop_null())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(counts)])
    if not rows:
        none = pa.nulls(0, items.type())
        return pa.MapArray.from_arrays(offsets, pa.nulls(0, pa.string()), none, mask=_nulls(array))
    order = pc.array_sort_indices(pa.concat_arrays(rows))
    return pa.MapArray.from_arrays(
        offsets,
        pa.array(names, pa.string()).take(pa.concat_arrays(keys).take(order)),
        column_of(pa.concat_arrays(values).take(order), items),
        mask=_nulls(array),
    )

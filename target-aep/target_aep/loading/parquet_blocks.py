"""Blocks of JSON lines into Arrow's columns, by Arrow's own JSON reader: no Python per row.

The reader knows no maps. A map is read as an object whose keys are fields, which are learned from
the blocks as they come, and made a map afterwards. One with very many keys is spelled as a list of
pairs first. Whatever the reader refuses is left to `parquet_rows`, which tells what is wrong where.
"""

from __future__ import annotations

import typing as t

import msgspec
import pyarrow as pa
import pyarrow.json

from target_aep.loading.parquet_arrays import column_of, read_type

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.loading.parquet_columns import Column

Path = tuple[str, ...]

_HEAD = 1 << 18
_MOST_KEYS = 250
"""Each row costs a little for each key that it does not have, times the leaves of a value."""

_REFUSALS = (pa.ArrowInvalid, pa.ArrowNotImplementedError, msgspec.MsgspecError, RecursionError)


class _UnknownFieldError(Exception):
    """The schema has no such field, or none with a type, or it has no value."""


class _TooManyKeysError(Exception):
    """A map has more keys than can be fields, and stands where it can't be spelled in pairs."""


class BlockReader:
    """Reads the blocks of one commit; what it has learned of one helps with the next."""

    def __init__(self, root: Column) -> None:
        """Begin without a column.

        Args:
            root: The columns of the rows; it is told of those that rows use.
        """
        self._root = root
        self._schema = pa.schema([])
        self._in_pairs: dict[Path, Column] = {}
        self._is_able = True

    def read(self, block: memoryview) -> dict[str, pa.Array] | None:
        """Read whole lines.

        Args:
            block: JSON lines, at least one.

        Returns:
            The columns by name, each with those of its parts that were used so far; None if the
            block can't be read in this way.
        """
        if not self._is_able:
            return None
        try:
            table = self._read(block)
            return {
                name: column_of(table.column(name).combine_chunks(), self._root.parts[name])
                for name in table.schema.names
            }
        except _TooManyKeysError:
            self._is_able = False
            return None
        except (*_REFUSALS, _UnknownFieldError):
            return None

    def _read(self, block: memoryview) -> pa.Table:
        if not self._schema.names:  # the head of the first block tells most of what there is
            head = bytes(block[:_HEAD])
            self._learn(self._table(head[: head.rfind(b"\n") + 1] or block))
        table = self._table(block)
        while not table.schema.equals(self._schema):
            self._learn(table)
            table = self._table(block)
        return table

    def _table(self, block: memoryview | bytes) -> pa.Table:
        if self._in_pairs:
            block = b"".join(self._with_pairs(block))
        return pyarrow.json.read_json(
            pa.BufferReader(block),
            pyarrow.json.ReadOptions(use_threads=False, block_size=len(block)),
            pyarrow.json.ParseOptions(explicit_schema=self._schema),
        )

    def _learn(self, table: pa.Table) -> None:
        """Take the fields that a table has from now on, with their types of the schema."""
        before = self._schema
        self._absorb_parts(self._root, table.schema, ())
        parts = self._root.parts.items()
        self._schema = pa.schema([(name, read_type(part)) for name, part in parts])
        if self._schema.equals(before):
            raise _UnknownFieldError

    def _absorb(self, column: Column, found: pa.DataType, path: Path | None) -> None:
        """Learn a column's parts and keys from a type that was found in rows.

        Args:
            column: The column.
            found: The type.
            path: Where it is; None if it is in a list or map.
        """
        kind = column.field.kind
        if kind == "object" and pa.types.is_struct(found) and found.num_fields:
            self._absorb_parts(column, found, path)
        elif column.items is not None and pa.types.is_list(found) and kind == "array":
            self._absorb(column.items, found.value_type, None)
        elif column.has_many_keys and pa.types.is_list(found):
            self._absorb(_items(column), found.value_type.field("value").type, None)
        elif kind == "map" and pa.types.is_struct(found):
            self._absorb_keys(column, found, path)
        elif pa.types.is_nested(found) or pa.types.is_null(found):
            raise _UnknownFieldError

    def _absorb_parts(self, column: Column, found: t.Iterable[pa.Field], path: Path | None) -> None:
        for field in found:
            part = column.part(field.name)
            if part is None:
                raise _UnknownFieldError
            self._absorb(part, field.type, None if path is None else (*path, field.name))

    def _absorb_keys(self, column: Column, found: t.Iterable[pa.Field], path: Path | None) -> None:
        items = _items(column)
        leaves = items.leaf_count()
        for field in found:
            column.keys[field.name] = None
            self._absorb(items, field.type, None)
        if leaves is None or len(column.keys) * leaves > _MOST_KEYS:
            if path is None or leaves is None:
                raise _TooManyKeysError
            column.has_many_keys = True
            self._in_pairs[path] = column

    def _with_pairs(self, block: memoryview | bytes) -> Iterator[bytes]:
        """The lines with maps of many keys as lists of pairs."""
        for line in bytes(block).splitlines():
            row = msgspec.json.decode(line)
            for path in self._in_pairs:
                _spell(row, path)
            yield msgspec.json.encode(row) + b"\n"


def _items(column: Column) -> Column:
    return t.cast("Column", column.items)


def _spell(row: dict[str, t.Any], path: Path) -> None:
    parent: t.Any = row
    for name in path[:-1]:
        parent = parent.get(name)
        if not isinstance(parent, dict):
            return
    pairs = parent.get(path[-1])
    if isinstance(pairs, dict):
        parent[path[-1]] = [{"key": key, "value": value} for key, value in pairs.items()]

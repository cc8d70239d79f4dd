"""The columns of Parquet files: those fields of a dataset's schema that rows use.

What a file holds must match a subset of the dataset's schema, in its hierarchy
(help/ingestion/batch-ingestion/overview.md and help/etl/transformations.md in
AdobeDocs/experience-platform.en), so fields that no row has are left out: Adobe's own field groups
have thousands. Types are those of Adobe's table (help/xdm/schema/field-constraints.md, "Parquet,
Spark SQL, and Java"), never guessed from values.
"""

from __future__ import annotations

import typing as t

import pyarrow as pa

from target_aep.loading.parquet_fields import is_typed
from target_aep.xdm.schema import XdmField

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MILLISECONDS: t.Final = pa.timestamp("ms", "UTC")
"""INT64 annotated as TIMESTAMP_MILLIS, adjusted to UTC."""

_SCALARS: t.Final[Mapping[str, pa.DataType]] = {
    "string": pa.string(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "date-time": MILLISECONDS,
}
_INTEGERS: t.Final[Mapping[str, pa.DataType]] = {
    "byte": pa.int8(),
    "short": pa.int16(),
    "int": pa.int32(),
    "long": pa.int64(),
}
_LARGEST: t.Final = {"byte": 128, "short": 32768, "int": 2147483648}
"""The limits by which a schema declares a type, as the page on field constraints has them."""


_KEY: t.Final = XdmField("string")


class Column:
    """A field, with those of its parts that rows have used so far.

    Attributes:
        field: The field of the schema.
        parts: By name, the parts of an object that have been used.
        items: What an array or map holds; None for others.
        keys: Keys of a map that have been used.
        has_many_keys: Whether a map has too many for each to be a field when it is read.
    """

    __slots__ = ("field", "has_many_keys", "items", "keys", "parts")

    def __init__(self, field: XdmField) -> None:
        """Begin without any part.

        Args:
            field: One for which `is_typed` holds.
        """
        self.field = field
        self.parts: dict[str, Column] = {}
        self.keys: dict[str, None] = {}
        self.has_many_keys = False
        self.items: Column | None = None
        if field.items is not None and is_typed(field.items):
            self.items = Column(field.items) if field.kind == "array" else whole(field.items)

    def part(self, name: str) -> Column | None:
        """A part of an object, used from now on; None where the schema has none with a type."""
        found = self.parts.get(name)
        if found is None:
            field = self.field.properties.get(name)
            if field is not None and is_typed(field):
                found = self.parts[name] = Column(field)
        return found

    def type(self) -> pa.DataType:
        """Its type in a file, with the parts that are used."""
        kind = self.field.kind
        if kind == "object":
            return pa.struct(self.fields())
        if self.items is not None:
            items = self.items.type()
            return pa.list_(items) if kind == "array" else pa.map_(pa.string(), items)
        return _INTEGERS[_integer_type(self.field)] if kind == "integer" else _SCALARS[kind]

    def leaf_count(self) -> int | None:
        """How many columns it has in a file; None for a map or what holds one."""
        if self.field.kind == "map":
            return None
        parts = [self.items] if self.items is not None else self.parts.values()
        counts = [part.leaf_count() for part in parts]
        return None if None in counts else sum(filter(None, counts)) or 1

    def leaves(self, path: str = "") -> Iterator[tuple[str, XdmField]]:
        """Its columns in a file: their paths there, each with the field of its values."""
        if self.items is not None:
            steps = "list.element" if self.field.kind == "array" else "key_value.value"
            if self.field.kind == "map":
                yield f"{path}.key_value.key", _KEY
            yield from self.items.leaves(f"{path}.{steps}")
        elif self.field.kind == "object":
            for name, part in self.parts.items():
                yield from part.leaves(f"{path}.{name}" if path else name)
        else:
            yield path, self.field

    def fields(self) -> list[pa.Field]:
        """The parts of an object, as they are in a file."""
        return [pa.field(name, part.type()) for name, part in self.parts.items()]


def whole(field: XdmField) -> Column:
    """A column with all parts that the schema has there: what a map holds is not narrowed down."""
    column = Column(field)
    for name, part in field.properties.items():
        if is_typed(part):
            column.parts[name] = whole(part)
    if field.kind == "array" and field.items is not None and is_typed(field.items):
        column.items = whole(field.items)
    return column


def _integer_type(field: XdmField) -> str:
    """The width of an integer: as the registry names it, else by the limits it has."""
    if field.xdm_type is not None and field.xdm_type in _INTEGERS:
        return field.xdm_type
    low, high = field.minimum, field.maximum
    for name, largest in _LARGEST.items():
        if low is not None and high is not None and -largest <= low and high <= largest:
            return name
    return "long"

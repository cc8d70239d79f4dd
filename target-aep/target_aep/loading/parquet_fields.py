"""Which fields of a schema Parquet has a column for; it needs no Parquet to tell."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from target_aep.xdm.schema import XdmField


def is_typed(field: XdmField) -> bool:
    """Whether the schema says all that a column needs; Parquet has none for a free-form object."""
    if field.kind == "any":
        return False
    if field.kind == "object":
        return any(map(is_typed, field.properties.values()))
    if field.kind in ("array", "map"):
        return field.items is not None and is_typed(field.items)
    return True

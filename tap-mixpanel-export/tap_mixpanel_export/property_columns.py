"""The layout ``columns``: moves properties into the columns that take their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_mixpanel_export.discovery.property_types import fitting
from tap_mixpanel_export.events_schema import FIXED_COLUMN_OF, PROPERTIES, typed_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_mixpanel_export.event import Record


@dataclass(frozen=True)
class _Column:
    name: str
    fits: Callable[[object], bool]
    is_selected: bool


class PropertyColumns:
    """The typed columns of a schema.

    A property is in its column or, if its value is not of the column's type, in ``properties``;
    never in both and never changed. One whose column is deselected is in neither.
    """

    def __init__(self, schema: dict[str, Any], selection: Mapping[tuple[str, ...], bool]) -> None:
        """Prepare the columns.

        Args:
            schema: The stream's schema; a column's ``title`` is its property's raw name.
            selection: Whether the catalog selects what is at a breadcrumb.
        """
        self._columns = {
            raw: _Column(name, fitting(definition), selection["properties", name])
            for raw, name, definition in typed_columns(schema)
            if raw not in FIXED_COLUMN_OF
        }

    def __len__(self) -> int:
        return len(self._columns)

    def spread(self, record: Record) -> Record:
        """Move a record's properties into their columns, in place."""
        rest = {}
        for raw, value in record[PROPERTIES].items():
            column = self._columns.get(raw)
            if column is None:
                rest[raw] = value
            elif not column.is_selected:
                continue
            elif column.fits(value):
                record[column.name] = value
            else:
                rest[raw] = value
        record[PROPERTIES] = rest
        return record

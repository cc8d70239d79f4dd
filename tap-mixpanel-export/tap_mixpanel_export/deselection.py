"""Properties that the catalog deselects: what the user should know, and what follows from it.

The SDK takes a deselected property out of each record, below ``properties`` too, discovered or
not. A property that also fills a column is in two places, though.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_mixpanel_export.events_schema import FIXED_COLUMN_OF, PROPERTIES, typed_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.singerlib import MetadataMapping

_KEY = "time"  # its column cannot be deselected


def deselect_columns(metadata: MetadataMapping, schema: dict[str, Any]) -> None:
    """Deselect the typed columns of properties that are deselected below ``properties``."""
    for raw, column, _ in typed_columns(schema):
        below = metadata.get(("properties", PROPERTIES, "properties", raw))
        if below is not None and below.selected is False:
            metadata["properties", column].selected = False


def halves(selection: Mapping[tuple[str, ...], bool]) -> Iterator[str]:
    """Yield a warning for each property that is deselected in one of its two places.

    Args:
        selection: Whether the catalog selects what is at a breadcrumb.
    """
    if not selection["properties", PROPERTIES]:
        return
    for raw, column in FIXED_COLUMN_OF.items():
        below = selection["properties", PROPERTIES, "properties", raw]
        if column == _KEY or below == selection["properties", column]:
            continue
        gone, left = (column, f"{PROPERTIES}.{raw}") if below else (f"{PROPERTIES}.{raw}", column)
        yield (
            f"the catalog deselects {gone}, but the same value still comes out in {left}: "
            "deselect both to leave it out"
        )

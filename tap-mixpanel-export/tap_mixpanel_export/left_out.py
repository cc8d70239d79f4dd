"""What is left out of records, or warned of, before the SDK takes out what is deselected."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tap_mixpanel_export.discovery.column_names import possible_names
from tap_mixpanel_export.events_schema import FIXED_COLUMN_OF, PROPERTIES

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Iterable, Iterator

    from tap_mixpanel_export.event import Record

_ALWAYS_FILLED = "time"
_REMEMBERED = 10_000


def without_fixed(records: Iterable[Record], excluded: Collection[str]) -> Iterator[Record]:
    """Empty the fixed columns that excluded properties fill; ``time`` is always filled."""
    columns = [column for raw, column in FIXED_COLUMN_OF.items() if raw in excluded]
    emptied = dict.fromkeys(column for column in columns if column != _ALWAYS_FILLED)
    for record in records:
        record.update(emptied)
        yield record


def without_nameless(
    records: Iterable[Record], columns: Collection[str], named: Collection[str]
) -> Iterator[Record]:
    """Leave out every property that a column of these names may have been made for.

    Args:
        records: The records, before properties are moved into columns.
        columns: Names of deselected columns of which nobody knows the property.
        named: Properties that have a column of their own, which are others.
    """

    @lru_cache(_REMEMBERED)
    def is_meant(raw: str) -> bool:
        return raw not in named and (
            raw in columns or any(name in columns for name in possible_names(raw))
        )

    for record in records:
        properties = record[PROPERTIES]
        record[PROPERTIES] = {raw: properties[raw] for raw in properties if not is_meant(raw)}
        yield record


def watched(
    records: Iterable[Record], known: Collection[str], logger: logging.Logger
) -> Iterator[Record]:
    """Warn once if a property comes out that the catalog does not list.

    Args:
        records: The records.
        known: Properties that the catalog lists or has a column for.
        logger: Gets the warning.
    """
    source = iter(records)
    for record in source:
        first = next((raw for raw in record[PROPERTIES] if raw not in known), None)
        if first is not None:
            logger.warning(
                "the catalog leaves out properties, but those that it does not list come out below "
                "%s, the first is %r: deselect them by name, or name them in exclude_properties",
                PROPERTIES,
                first,
            )
            yield record
            break
        yield record
    yield from source

"""Since when a field is in a schema, told by a mark that this target leaves in its description.

Ingestion checks rows against a schema that may be up to 15 minutes old, so a field that was just
added can't be sent yet (help/ingestion/quality/streaming-validation.md in
AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace
from datetime import datetime, timedelta, timezone

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_aep.xdm.schema import XdmField

SETTLING: t.Final = timedelta(minutes=16)
"""How long a new field is left alone: the cache's 15 minutes, and one for clocks that differ."""

_MARK = re.compile(r"Added (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) by target-aep\.\Z", re.ASCII)
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def marked(node: Mapping[str, t.Any], now: datetime) -> dict[str, t.Any]:
    """The definition of a field with the mark that it was added now.

    Args:
        node: The definition; what is below the field needs no mark of its own.
        now: An aware date-time.
    """
    moment = now.astimezone(timezone.utc).strftime(_FORMAT)
    mark = f"Added {moment} by target-aep."
    about = str(node.get("description", ""))
    return {**node, "description": f"{about} {mark}".strip()}


def added_at(description: object) -> datetime | None:
    """The moment that a description's mark tells; None if it has no mark."""
    found = _MARK.search(description) if isinstance(description, str) else None
    if not found:
        return None
    try:
        return datetime.strptime(found[1], _FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def settled(field: XdmField, now: datetime) -> XdmField:
    """A field without what was added to it, at any depth, less than `SETTLING` ago.

    A mark far in the future is of a clock that was wrong, and tells nothing.

    Args:
        field: An object of a schema.
        now: An aware date-time.
    """
    properties = {
        name: settled(part, now)
        for name, part in field.properties.items()
        if not _is_young(part, now)
    }
    items = settled(field.items, now) if field.items else None
    if items == field.items and properties == field.properties:
        return field
    return replace(field, properties=properties, items=items)


def young_fields(field: XdmField, now: datetime, path: str = "") -> Iterator[str]:
    """The paths below a field that `settled` leaves out.

    Args:
        field: An object of a schema.
        now: An aware date-time.
        path: The field's own.
    """
    for name, part in field.properties.items():
        below = f"{path}.{name}" if path else name
        if _is_young(part, now):
            yield below
        else:
            yield from young_fields(part, now, below)
    if field.items:
        yield from young_fields(field.items, now, f"{path}[*]")


def _is_young(field: XdmField, now: datetime) -> bool:
    return field.added is not None and abs(now - field.added) < SETTLING

"""What a field's description tells of its making by this target: for which property, and when.

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
    from collections.abc import Iterable, Iterator, Mapping

    from target_aep.xdm.schema import XdmField

SETTLING: t.Final = timedelta(minutes=16)
"""How long a new field is left alone: the cache's 15 minutes, and one for clocks that differ."""

_MARK = re.compile(r"Added (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) by target-aep\.\Z", re.ASCII)
_OWNER = re.compile(
    r"(?:Mixpanel p|P)roperty '(.*?)'(?:\.|, values that do not fit its first type\.)"
    r"(?: Added [\d:TZ-]+ by target-aep\.)?\Z",
    re.DOTALL,
)
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


def owner_of(description: object) -> str | None:
    """The property that a field was made for, as its description tells; None if it does not."""
    found = _OWNER.match(description) if isinstance(description, str) else None
    return found[1] if found else None


def settles_at(field: XdmField, steps: Iterable[object], now: datetime) -> datetime | None:
    """When ingestion will know all of a path; None if it does by now.

    Args:
        field: The root of the schema.
        steps: Names from there on; what is no name is a step into a list.
        now: An aware date-time.
    """
    moments = []
    at = field
    for step in steps:
        below = at.properties.get(step, at.items) if isinstance(step, str) else at.items
        if below is None:
            break
        at = below
        if at.added is not None and _is_young(at, now):
            moments.append(at.added + SETTLING)
    return max(moments, default=None)


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

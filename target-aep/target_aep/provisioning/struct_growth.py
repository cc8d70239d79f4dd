"""What an object of a schema lacks to take the values that a property was seen with."""

from __future__ import annotations

import typing as t

from target_aep.provisioning.property_types import ITEMS

if t.TYPE_CHECKING:
    from target_aep.provisioning.property_types import Path, SeenTypes
    from target_aep.provisioning.value_kinds import Node
    from target_aep.xdm.schema import XdmField

Part = tuple["Path", "Node"]


def missing_parts(field: XdmField, seen: SeenTypes) -> list[Part] | None:
    """The fields that an object, or a list of objects, would need below it.

    Args:
        field: The object or list that the schema has for the property.
        seen: What the property was seen with; only its objects or its lists are looked at.

    Returns:
        Paths below the field with definitions, none if all is there; None if no addition helps,
        since a part has another type.
    """
    below = () if field.kind == "object" else (ITEMS,)
    if field.kind == "object":
        return _missing_in_object(field, seen, below)
    return _missing_in(field.items, seen, below) if field.items else []


def _missing_in(field: XdmField, seen: SeenTypes, path: Path) -> list[Part] | None:
    families = {name for name, count in seen.families(path).items() if count}
    if field.kind == "any":
        return []
    if field.kind == "map":
        return [] if families <= {"object"} else None
    if field.kind not in ("object", "array"):
        return [] if _takes(field.kind, seen, path) else None
    if families - {field.kind}:
        return None
    if field.kind == "object":
        return _missing_in_object(field, seen, path)
    return _missing_in(field.items, seen, (*path, ITEMS)) if field.items else []


def _missing_in_object(field: XdmField, seen: SeenTypes, path: Path) -> list[Part] | None:
    if not seen.is_named(path):
        return None
    taken = {name.lower() for name in field.properties}
    found: list[Part] = []
    for key in seen.keys(path):
        below = (*path, key)
        if key in field.properties:
            parts = _missing_in(field.properties[key], seen, below)
        else:
            node = seen.to_node(below)
            parts = [(below, node)] if node and key.lower() not in taken else None
            taken.add(key.lower())
        if parts is None:
            return None
        found.extend(parts)
    return found


def _takes(kind: str, seen: SeenTypes, path: Path) -> bool:
    """Whether a field of a plain kind takes what was seen, its constraints apart."""
    counts, families = seen.counts(path), seen.families(path)
    if families["object"] or families["array"]:
        return False
    if kind == "string":
        return True
    texts = counts["string"] + counts["date-time"]
    of_own_kind = {
        "boolean": counts["boolean"],
        "integer": counts["integer"] + counts["number as integer"],
        "number": counts["integer"] + counts["number"],
    }.get(kind, 0)
    plain = texts + counts["boolean"] + counts["integer"] + counts["number"] + counts["large"]
    return of_own_kind + counts[f"text as {kind}"] == plain

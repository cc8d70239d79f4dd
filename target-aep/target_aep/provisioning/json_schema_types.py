"""Types of columns, as the JSON schema in a SCHEMA message tells them, as definitions of XDM.

Types of XDM: help/xdm/tutorials/custom-fields-api.md in AdobeDocs/experience-platform.en.
"""

from __future__ import annotations

import typing as t

from target_aep.provisioning.value_kinds import scalar_node

Resource = dict[str, t.Any]

LONG: t.Final = scalar_node("integer")
"""An integer of up to 53 bits, which XDM calls long."""

_PLAIN: t.Final[dict[str, Resource]] = {
    "boolean": {"type": "boolean"},
    "integer": LONG,
    "number": {"type": "number"},
}
_TEXT_FORMATS: t.Final = frozenset({"date", "date-time"})


def node_of_json_schema(schema: t.Any) -> Resource | None:
    """The definition of a field for what a JSON schema allows.

    Args:
        schema: Of a column or property.

    Returns:
        A field definition; None where the schema allows several types, or tells none.
    """
    if not isinstance(schema, dict):
        return None
    kinds = schema.get("type")
    named = [kinds] if isinstance(kinds, str) else list(kinds or ())
    named = [kind for kind in named if kind != "null"]
    if len(named) != 1:
        return None
    (kind,) = named
    if kind == "string":
        form = schema.get("format")
        return {"type": "string"} | ({"format": form} if form in _TEXT_FORMATS else {})
    if kind == "object":
        return _object(schema)
    if kind == "array":
        items = node_of_json_schema(schema.get("items"))
        return {"type": "array", "items": items} if items else None
    return dict(_PLAIN[kind]) if kind in _PLAIN else None


def _object(schema: Resource) -> Resource | None:
    parts = {
        name: node
        for name, part in (schema.get("properties") or {}).items()
        if (node := node_of_json_schema(part)) is not None
    }
    return {"type": "object", "properties": parts} if parts else None


def schema_at(schema: Resource, path: tuple[t.Any, ...]) -> t.Any:
    """The part of a JSON schema for a path of names in a record; None where it says nothing."""
    at: t.Any = schema
    for step in path:
        if not isinstance(at, dict) or not isinstance(step, str):
            return None
        at = (at.get("properties") or {}).get(step)
    return at

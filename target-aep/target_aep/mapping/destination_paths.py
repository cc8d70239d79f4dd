"""Destinations of mappings: paths of XDM, and the fields of a schema that they lead to."""

from __future__ import annotations

import typing as t

from target_aep.errors import MappingSetError
from target_aep.mapping.nearest_paths import nearest_path
from target_aep.mapping.paths import parse_wild_path, path_text
from target_aep.xdm.schema import ANY

if t.TYPE_CHECKING:
    from target_aep.mapping.paths import WildPath, WildStep
    from target_aep.xdm.schema import XdmField

LAST_POSITION: t.Final = 9_999
"""The last position of a list that a destination may name."""


def parse_destination(text: str) -> WildPath:
    """Read the path of a destination.

    Raises:
        MappingSetError: It is malformed, its placeholders are not filled, or it is out of bounds.
    """
    steps = parse_wild_path(text)
    for step in steps:
        if isinstance(step, str) and "${" in step and "}" in step:
            raise MappingSetError(
                f"destination {text!r}: {step!r} has a placeholder without a text; give it in the "
                "setting variables"
            )
        if isinstance(step, int) and step > LAST_POSITION:
            raise MappingSetError(
                f"destination {text!r}: positions in lists go up to {LAST_POSITION}"
            )
    return steps


def field_at(schema: XdmField, steps: WildPath) -> XdmField | None:
    """The field of a schema at a destination, None if it has none."""
    field: XdmField | None = schema
    for step in steps:
        field = _below(field, step) if field else None
    return field


def complaint_about_path(schema: XdmField, steps: WildPath) -> str | None:
    """Why a schema has no field at a destination, with what is near; None if it has one."""
    field = schema
    for index, step in enumerate(steps):
        below = _below(field, step)
        if below is None:
            return _complaint(schema, field, steps, index)
        field = below
    return None


def _below(field: XdmField, step: WildStep) -> XdmField | None:
    if field.kind == "any":
        return field
    if not isinstance(step, str):
        return (field.items or ANY) if field.kind == "array" else None
    if field.kind == "map":
        return field.items or ANY
    return field.properties.get(step)


def _complaint(schema: XdmField, field: XdmField, steps: WildPath, index: int) -> str:
    destination, above = path_text(steps), path_text(steps[:index])
    if isinstance(steps[index], str):
        if field.kind == "array":
            rest = path_text(steps[index:])
            return (
                f"destination {destination}: {above} is a list in the schema; write "
                f"{above}[*].{rest} for each of its elements, or {above}[0].{rest} for the first"
            )
        if field.kind == "object":
            near = nearest_path(destination, schema)
            hint = f"; the nearest is {near}" if near else ""
            return f"destination {destination}: the schema has no such field{hint}"
    elif field.kind in ("object", "map"):
        return f"destination {destination}: {above} is an object in the schema, not a list"
    return (
        f"destination {destination} lies below {above}, which is a field of type {field.kind} in "
        "the schema"
    )

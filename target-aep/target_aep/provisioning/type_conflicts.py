"""Fields whose type in the schema can't take what a mapping gives: breaking differences.

A field keeps its type once it is in use (help/xdm/schema/composition.md in
AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.xdm.schema import XdmField

_CONTAINERS = frozenset({"object", "map", "array"})
# What the values of a type can always be converted to, beside their own type.
_TAKES: t.Final = {
    "string": frozenset({"string", "number", "integer", "boolean", "date", "date-time"}),
    "number": frozenset({"number", "integer"}),
    "integer": frozenset({"integer"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date", "date-time"}),
    "date-time": frozenset({"date-time", "date"}),
}


@dataclass(frozen=True)
class TypeConflict:
    """A field that is there with another type; `what` says it, `proposal` what to do."""

    what: str
    proposal: str


def type_conflicts(
    node: dict[str, t.Any], present: XdmField | None, path: tuple[str, ...]
) -> Iterator[TypeConflict]:
    """Where a wanted definition contradicts the schema.

    Args:
        node: What is wanted at the path.
        present: What the schema has there; None if nothing.
        path: Where.
    """
    if present is None or present.kind == "any":
        return
    wanted = node_kind(node)
    fits = wanted == present.kind or wanted in _TAKES.get(present.kind, ())
    if not fits and not (wanted == "object" and present.kind == "map"):
        yield _conflict(path, present.kind, wanted)
    elif wanted == "object" and present.kind == "object":
        for name, part in node.get("properties", {}).items():
            yield from type_conflicts(part, present.properties.get(name), (*path, name))
        yield from _case_clashes(node, present, path)
    elif wanted == "array" and "items" in node:
        yield from type_conflicts(node["items"], present.items, (*path, "[]"))
    elif wanted == "map" and present.items is not None:
        yield from _map_conflicts(node, present.items, path)


def untyped_fields(node: dict[str, t.Any], path: tuple[str, ...]) -> Iterator[TypeConflict]:
    """Objects and lists of a new field that have no type in XDM.

    Args:
        node: The definition of the field.
        path: Where it is to be.
    """
    kind = node_kind(node)
    if kind == "object" and node.get("properties"):
        for name, part in node["properties"].items():
            yield from untyped_fields(part, (*path, name))
    elif kind == "array" and "items" in node:
        yield from untyped_fields(node["items"], (*path, "[]"))
    elif kind in ("object", "array"):
        where = ".".join(path).replace(".[]", "[*]")
        yield TypeConflict(
            f"{where}: the mapping gives {kind}s that XDM has no type for (keys that are no names "
            "of fields or differ only in case, lists in lists, nothing in them)",
            "map their parts to fields of their own, or text of them by an expression",
        )


def _map_conflicts(
    node: dict[str, t.Any], items: XdmField, path: tuple[str, ...]
) -> Iterator[TypeConflict]:
    """A map whose values are of another type; its name is up to the mapping set."""
    wanted = str(node["additionalProperties"]["type"])
    if items.kind in ("any", wanted):
        return
    where = ".".join(path)
    yield TypeConflict(
        f"{where} is a map of {items.kind} in the schema, and the mapping gives a map of {wanted}",
        "name another map in the mapping set (remainder: rest), or load into a dataset of its own "
        "(dataset_name)",
    )


def wider_kind(first: str, second: str) -> str | None:
    """The kind of field that takes the values of two kinds as they are; None if none does."""
    if first == second:
        return first
    pair = {first, second}
    if pair == {"date", "date-time"}:
        return "date-time"
    return next((kind for kind in pair if pair <= _TAKES.get(kind, frozenset())), None)


def _case_clashes(
    node: dict[str, t.Any], present: XdmField, path: tuple[str, ...]
) -> Iterator[TypeConflict]:
    """Names that differ in upper and lower case only: a level has each once, ignoring case."""
    there = {name.lower(): name for name in present.properties}
    for name in node.get("properties", {}):
        other = there.get(name.lower())
        if other is not None and other != name:
            where = ".".join((*path, name))
            yield TypeConflict(
                f"{where}: the schema has {other}, and names differ by more than case in XDM",
                f"map to {'.'.join((*path, other))}, or choose another name",
            )


def _conflict(path: tuple[str, ...], present: str, wanted: str) -> TypeConflict:
    where = ".".join(path).replace(".[]", "[*]")
    shape = "another shape" if {present, wanted} & _CONTAINERS else "another type"
    return TypeConflict(
        f"{where} is {present} in the schema, and the mapping gives {wanted}: {shape}, and a field "
        "keeps its type once a dataset uses it",
        f"map to a new field, e.g. {where}_{wanted.replace('-', '_')}, convert by an expression, "
        "or load into a dataset of its own (dataset_name)",
    )


def node_kind(node: dict[str, t.Any]) -> str:
    """The kind of a definition, as `XdmField` calls kinds."""
    if node.get("meta:xdmType") == "map":
        return "map"
    if node.get("type") == "string" and node.get("format") in ("date", "date-time"):
        return str(node["format"])
    return str(node.get("type"))

"""Field groups of the tenant: their documents, places in them, and fields added to them.

Form of the documents: help/xdm/api/field-groups.md in AdobeDocs/experience-platform.en.
"""

from __future__ import annotations

import typing as t
from copy import deepcopy
from dataclasses import dataclass

from target_aep.api.schema_registry import EXPERIENCE_EVENT
from target_aep.errors import TargetError
from target_aep.provisioning.property_types import ITEMS
from target_aep.provisioning.type_conflicts import node_kind

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Resource = dict[str, t.Any]
FieldPath = tuple[str, ...]

_OWN = "customFields"
_DEEPEST = 64


@dataclass(frozen=True)
class Addition:
    """A field that a schema lacks.

    Attributes:
        path: Where, from the root of the event; ITEMS stands for a list's elements.
        node: Its definition, with all below it.
        about: What it is for, for people.
    """

    path: FieldPath
    node: Resource
    about: str = ""


def group_title(schema_title: str) -> str:
    """The title of the tenant's field group that a plan makes for a schema."""
    return f"{schema_title} fields"


def new_field_group(title: str, additions: Sequence[Addition]) -> Resource:
    """The document of a new field group for events that holds these fields.

    Args:
        title: Its title, unique in the tenant.
        additions: Its fields, all below the tenant's object.
    """
    root: Resource = {"type": "object", "properties": {}}
    for addition in additions:
        put_node(root, addition.path, addition.node)
    return {
        "title": title,
        "description": "Fields of Mixpanel events and other streams, made by target-aep.",
        "type": "object",
        "meta:intendedToExtend": [EXPERIENCE_EVENT],
        "definitions": {_OWN: root},
        "allOf": [{"$ref": f"#/definitions/{_OWN}"}],
    }


def put_node(root: Resource, path: FieldPath, node: Resource) -> None:
    """Put a definition into a tree of definitions; objects that are there already are merged."""
    at = root
    for step in path[:-1]:
        at = _step_into(at, step)
    _put(at, path[-1], node)


def _step_into(node: Resource, step: str) -> Resource:
    if step == ITEMS:
        node["type"] = "array"
        return t.cast("Resource", node.setdefault("items", {"type": "object"}))
    node["type"] = "object"
    below = node.setdefault("properties", {}).setdefault(step, {"type": "object"})
    return t.cast("Resource", below)


def _put(parent: Resource, step: str, node: Resource) -> None:
    place = _step_into(parent, step)
    merged = merge_nodes(place, node)
    place.clear()
    place.update(merged)


def merge_nodes(first: Resource, second: Resource) -> Resource:
    """Two definitions of one field as one: of objects and lists all parts, else the second."""
    if second.get("type") != first.get("type") or first.get("type") not in ("object", "array"):
        return deepcopy(second)
    merged = {**deepcopy(first), **deepcopy(second)}
    if first["type"] == "array" and "items" in first and "items" in second:
        merged["items"] = merge_nodes(first["items"], second["items"])
    if "properties" in first:
        parts = deepcopy(first["properties"])
        for name, node in second.get("properties", {}).items():
            parts[name] = merge_nodes(parts[name], node) if name in parts else deepcopy(node)
        merged["properties"] = parts
    return merged


def extension(document: Resource, additions: Iterable[Addition]) -> list[Resource]:
    """The JSON Patch that adds fields to a field group, each at the deepest place that it has.

    What the field group defines already is left as it is.

    Args:
        document: The field group as the registry has it, nothing resolved.
        additions: Fields that it should have.

    Returns:
        `add` operations, none if there is nothing to add. Repeating them changes nothing.

    Raises:
        TargetError: It has a field with another type, or has no place for one.
    """
    roots: dict[FieldPath, Resource] = {}
    for addition in (part for each in additions for part in _lacking(document, each)):
        depth = depth_of(document, addition.path)
        # Two fields below one object that is not there yet are one operation.
        name, below = addition.path[: depth + 1], addition.path[depth + 1 :]
        tree = roots.setdefault(name, {})
        if below:
            put_node(tree, below, addition.node)
        else:
            merged = merge_nodes(tree, addition.node) if tree else deepcopy(addition.node)
            tree.update(merged)
    return [
        {"op": "add", "path": _pointer_of_new(document, path), "value": tree}
        for path, tree in roots.items()
    ]


def _lacking(document: Resource, wanted: Addition) -> Iterator[Addition]:
    """Those parts of an addition that a field group does not define."""
    there = _definition(document, wanted.path)
    if there is None:
        above = wanted.path[: depth_of(document, wanted.path)]
        parent = _definition(document, above)
        if parent is None or not _has_room(parent, wanted.path[len(above)]):
            raise TargetError(
                f"the field group {document.get('title')!r} has no object of its own at "
                f"{_words(above) or 'its root'} for {_words(wanted.path)}: add the field by hand "
                "(Schemas in the UI), or choose another dataset_name"
            )
        yield wanted
        return
    kind = node_kind(wanted.node)
    if kind != node_kind(there):
        raise TargetError(
            f"the field group {document.get('title')!r} has {_words(wanted.path)} as "
            f"{node_kind(there)}, and {kind} is wanted: it stays as it is; if someone else has "
            "just added it, run again"
        )
    if kind == "object":
        for name, part in wanted.node.get("properties", {}).items():
            yield from _lacking(document, Addition((*wanted.path, name), part, wanted.about))
    elif kind == "array" and "items" in wanted.node:
        path = (*wanted.path, ITEMS)
        yield from _lacking(document, Addition(path, wanted.node["items"], wanted.about))


def _has_room(parent: Resource, step: str) -> bool:
    """Whether a definition can get a part of its own."""
    if step == ITEMS:
        return node_kind(parent) == "array"
    return isinstance(parent.get("properties"), dict)


def _words(path: FieldPath) -> str:
    return ".".join(path).replace(".[]", "[*]")


def _pointer_of_new(document: Resource, path: FieldPath) -> str:
    above = pointer_to(document, path[:-1]) or ""
    return f"{above}/items" if path[-1] == ITEMS else f"{above}/properties/{_escaped(path[-1])}"


def depth_of(document: Resource, path: FieldPath) -> int:
    """How many steps of a path a field group defines itself, in its own words."""
    for length in range(len(path), 0, -1):
        if pointer_to(document, path[:length]) is not None:
            return length
    return 0


def pointer_to(document: Resource, path: FieldPath) -> str | None:
    """The JSON pointer to the definition of a field, None if the document has none of its own."""
    found = _find(document, path)
    return found[0] if found else None


def _definition(document: Resource, path: FieldPath) -> Resource | None:
    found = _find(document, path)
    return found[1] if found else None


def _find(document: Resource, path: FieldPath) -> tuple[str, Resource] | None:
    """Where the definition of a field is, and the definition."""
    walks = (_walk(node, path, pointer) for pointer, node in _starts(document))
    return next((found for found in walks if found is not None), None)


def _walk(node: t.Any, path: FieldPath, pointer: str) -> tuple[str, Resource] | None:
    for step in path:
        if not isinstance(node, dict):
            return None
        if step == ITEMS:
            node, pointer = node.get("items"), f"{pointer}/items"
        else:
            node = (node.get("properties") or {}).get(step)
            pointer = f"{pointer}/properties/{_escaped(step)}"
    return (pointer, node) if isinstance(node, dict) else None


def _starts(document: Resource) -> Iterator[tuple[str, Resource]]:
    """Where the fields of the document begin: in local definitions, or in itself."""
    for part in document.get("allOf") or ():
        reference = part.get("$ref") if isinstance(part, dict) else None
        if isinstance(reference, str) and reference.startswith("#/definitions/"):
            name = reference.removeprefix("#/definitions/")
            node = (document.get("definitions") or {}).get(name)
            if isinstance(node, dict) and isinstance(node.get("properties"), dict):
                yield f"/definitions/{_escaped(name)}", node
    if isinstance(document.get("properties"), dict):
        yield "", document


def _escaped(name: str) -> str:
    """A name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def additions_for(
    node: Resource, present: t.Any, path: FieldPath, depth: int = 0
) -> Iterator[Addition]:
    """The parts of a definition that a schema lacks.

    Args:
        node: What is wanted at the path.
        present: The `XdmField` that the schema has there; None if it has none.
        path: Where.
        depth: How deep this is.
    """
    if present is None:
        yield Addition(path, node)
        return
    if present.kind in ("any", "map") or depth > _DEEPEST:
        return
    if node.get("type") == "array" and present.kind == "array" and "items" in node:
        yield from additions_for(node["items"], present.items, (*path, ITEMS), depth + 1)
    if node.get("type") == "object" and present.kind == "object":
        for name, part in node.get("properties", {}).items():
            yield from additions_for(part, present.properties.get(name), (*path, name), depth + 1)

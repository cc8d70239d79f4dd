"""The tenant's fields that all streams of a dataset want, as one tree."""

from __future__ import annotations

import typing as t
from copy import deepcopy

from target_aep.provisioning.field_group import put_node
from target_aep.provisioning.tenant_fields import tenant_fields
from target_aep.provisioning.type_conflicts import TypeConflict, node_kind, wider_kind

if t.TYPE_CHECKING:
    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.wishes import DatasetWish

Resource = dict[str, t.Any]

MAP_OF_TEXT: t.Final[Resource] = {
    "title": "Other properties",
    "description": "Properties without a field of their own, as text under their raw names.",
    "type": "object",
    "meta:xdmType": "map",
    "additionalProperties": {"type": "string"},
}


def wanted_fields(plan: Plan, wish: DatasetWish, tenant: str) -> Resource:
    """The tenant's fields that mappings fill, and the map of other properties.

    Args:
        plan: Gets a refusal where two streams contradict each other.
        wish: The dataset and its streams.
        tenant: The tenant, without underscore.
    """
    wanted: Resource = {"type": "object"}
    conflicts: list[TypeConflict] = []
    for stream in wish.streams:
        tree: Resource = {"type": "object"}
        node = tenant_fields(stream.sample, stream.mapping_set, tenant, stream.policies)
        if node is not None:
            put_node(tree, (f"_{tenant}",), node)
        paths = stream.remainder_paths()
        if paths is not None and paths[1][0] == f"_{tenant}":
            put_node(tree, paths[1], MAP_OF_TEXT)
        wanted = joined(wanted, tree, (), conflicts)
    for conflict in conflicts:
        plan.refuse(conflict.what, conflict.proposal)
    return wanted


def joined(
    first: Resource, second: Resource, path: tuple[str, ...], conflicts: list[TypeConflict]
) -> Resource:
    """Two wishes for one field as one: the type that takes the values of both as they are.

    Args:
        first: A definition.
        second: Another one.
        path: Where they are.
        conflicts: Gets what no type takes.
    """
    kinds = node_kind(first), node_kind(second)
    if kinds == ("object", "object"):
        return _joined_objects(first, second, path, conflicts)
    if kinds == ("array", "array") and "items" in first and "items" in second:
        items = joined(first["items"], second["items"], (*path, "[]"), conflicts)
        return {**first, "items": items}
    wider = wider_kind(*kinds)
    if wider is None:
        conflicts.append(_conflict(path, *kinds))
    return deepcopy(second if wider == kinds[1] != kinds[0] else first)


def _joined_objects(
    first: Resource, second: Resource, path: tuple[str, ...], conflicts: list[TypeConflict]
) -> Resource:
    parts: Resource = dict(first.get("properties") or {})
    for name, node in (second.get("properties") or {}).items():
        there = parts.get(name)
        parts[name] = joined(there, node, (*path, name), conflicts) if there else deepcopy(node)
    return {**first, "properties": parts} if parts else deepcopy(first)


def _conflict(path: tuple[str, ...], first: str, second: str) -> TypeConflict:
    where = ".".join(path).replace(".[]", "[*]")
    return TypeConflict(
        f"{where}: one stream of the dataset gives {first}, and another {second}",
        "map them to different fields, convert one by an expression, or load the streams into "
        "datasets of their own (datasets)",
    )

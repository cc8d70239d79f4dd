"""The part of a plan that is about the schema: standard field groups and the tenant's fields."""

from __future__ import annotations

import typing as t

from target_aep.api.schema_registry import EXPERIENCE_EVENT, SchemaRegistry
from target_aep.errors import TargetError
from target_aep.mapping.model import MappingMistakesError
from target_aep.provisioning.event_class import event_class
from target_aep.provisioning.field_group import (
    Addition,
    additions_for,
    depth_of,
    extension,
    group_title,
    new_field_group,
    put_node,
)
from target_aep.provisioning.property_fields import marked
from target_aep.provisioning.property_plan import sampled_properties
from target_aep.provisioning.sandbox_view import flattened
from target_aep.provisioning.standard_groups import group_with
from target_aep.provisioning.steps import (
    OWN_GROUP,
    CreateFieldGroup,
    CreateSchema,
    ExtendFieldGroup,
    ExtendSchema,
    references,
)
from target_aep.provisioning.tenant_fields import tenant_fields
from target_aep.provisioning.type_conflicts import type_conflicts, untyped_fields
from target_aep.xdm.schema import parse_schema

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from target_aep.api.client import PlatformClient
    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.sandbox_view import DatasetView
    from target_aep.provisioning.standard_groups import StandardGroup
    from target_aep.provisioning.wishes import DatasetWish
    from target_aep.xdm.schema import XdmField

Resource = dict[str, t.Any]

_MEND_MAPPING: t.Final = "put the mapping right (target-aep mapping check)"

MAP_OF_TEXT: t.Final[Resource] = {
    "title": "Other properties",
    "description": "Properties without a field of their own, as text under their raw names.",
    "type": "object",
    "meta:xdmType": "map",
    "additionalProperties": {"type": "string"},
}


def plan_schema(
    plan: Plan,
    client: PlatformClient,
    view: DatasetView,
    wish: DatasetWish,
    tenant: str,
    title: str,
    now: Callable[[], datetime],
) -> None:
    """Plan the schema of a dataset and what it is made of.

    Args:
        plan: Is added to.
        client: The platform.
        view: What is there.
        wish: What is wanted.
        tenant: The tenant, without underscore.
        title: Of a schema that is to be made.
        now: The clock.

    Raises:
        PlatformError: The platform refused.
    """
    registry = SchemaRegistry(client)
    base = view.full_schema or event_class()
    standard = _standard_groups(plan, registry, wish, tenant, base)
    documents = [base, *(document for _, document in standard)]
    named = view.named_group
    if named is not None and str(named["$id"]) not in references(view.schema):
        full = registry.read("fieldgroups", str(named["$id"]), "xed-full")
        documents.append(full or {})
    additions = _additions(plan, wish, tenant, documents)
    if plan.refusals:
        return
    if view.dataset_id is not None:
        additions = [
            Addition(each.path, marked(each.node, now()), each.about) for each in additions
        ]
        if additions:
            plan.notes.append(
                "Experience Platform may check rows against the schema as it was for up to 15 "
                "minutes: begin to load after that"
            )
    plan_additions(plan, view, additions, [group for group, _ in standard], title)


def plan_additions(
    plan: Plan,
    view: DatasetView,
    additions: Sequence[Addition],
    standard: Sequence[StandardGroup],
    title: str,
) -> None:
    """Plan field groups that bring fields of the tenant, and the schema that has them.

    Args:
        plan: Is added to.
        view: What is there.
        additions: Fields that the schema lacks.
        standard: Standard field groups that it lacks.
        title: Of a schema that is to be made.
    """
    groups = _plan_groups(plan, view, additions, str(view.full_schema.get("title") or title))
    if not plan.refusals:
        _plan_schema_itself(plan, view, standard, groups, title)


def _standard_groups(
    plan: Plan, registry: SchemaRegistry, wish: DatasetWish, tenant: str, base: Resource
) -> list[tuple[StandardGroup, Resource]]:
    """Standard field groups that the schema lacks, with their fields."""
    there = base.get("properties") or {}
    roots = set[str]().union(*(stream.standard_roots(tenant) for stream in wish.streams))
    found: dict[str, tuple[StandardGroup, Resource]] = {}
    for root in sorted(roots - set(there)):
        group = group_with(root)
        if group is None:
            plan.refuse(
                f"the mapping fills {root}, and no standard field group that target-aep knows has "
                "it",
                "add the field group that has it to the schema by hand (Schemas in the UI), or "
                f"map to a field under _{tenant}",
            )
            continue
        document = found[group.id][1] if group.id in found else _read_group(registry, group)
        if document is None:
            plan.refuse(
                f"the sandbox does not have the field group {group.title!r} ({group.id})",
                f"leave {root} out of the mapping, or ask Adobe for the field group",
            )
            continue
        found[group.id] = (group, document)
    return list(found.values())


def _read_group(registry: SchemaRegistry, group: StandardGroup) -> Resource | None:
    return registry.read("fieldgroups", group.id, "xed-full")


def _additions(
    plan: Plan, wish: DatasetWish, tenant: str, documents: Sequence[Resource]
) -> list[Addition]:
    """All fields that the schema lacks; what contradicts it is refused.

    Args:
        plan: Gets what is refused.
        wish: What is wanted.
        tenant: The tenant, without underscore.
        documents: What the schema consists of, each with all that it refers to put in.
    """
    schema = parse_schema(flattened(documents))
    additions = _mapped_fields(plan, _wanted_fields(wish, tenant), schema)
    if plan.refusals:
        return []
    extended = flattened([*documents, _as_schema(additions)])
    try:
        properties = sampled_properties(plan, wish, parse_schema(extended))
    except MappingMistakesError as error:
        for complaint in error.complaints:
            plan.refuse(complaint, _MEND_MAPPING)
        return []
    except TargetError as error:
        plan.refuse(str(error), _MEND_MAPPING)
        return []
    return [*additions, *properties]


def _wanted_fields(wish: DatasetWish, tenant: str) -> Resource:
    """The tenant's fields that mappings fill, and the map of other properties, as one tree."""
    wanted: Resource = {"type": "object"}
    for stream in wish.streams:
        node = tenant_fields(stream.sample, stream.mapping_set, tenant, stream.policies)
        if node is not None:
            put_node(wanted, (f"_{tenant}",), node)
        paths = stream.remainder_paths()
        if paths is not None and paths[1][0] == f"_{tenant}":
            put_node(wanted, paths[1], MAP_OF_TEXT)
    return wanted


def _mapped_fields(plan: Plan, wanted: Resource, schema: XdmField) -> list[Addition]:
    """Those of the wanted fields that the schema lacks; what contradicts it is refused."""
    additions: list[Addition] = []
    for name, node in wanted.get("properties", {}).items():
        present = schema.properties.get(name)
        lacking = list(additions_for(node, present, (name,)))
        conflicts = list(type_conflicts(node, present, (name,)))
        for addition in lacking:
            conflicts += untyped_fields(addition.node, addition.path)
        for conflict in conflicts:
            plan.refuse(conflict.what, conflict.proposal)
        additions += lacking
    return additions


def _as_schema(additions: Sequence[Addition]) -> Resource:
    root: Resource = {"type": "object", "properties": {}}
    for addition in additions:
        put_node(root, addition.path, addition.node)
    return root


def _plan_groups(
    plan: Plan, view: DatasetView, additions: Sequence[Addition], schema_title: str
) -> list[tuple[str, str]]:
    """Plan the tenant's field groups.

    Returns:
        Those that the schema has to have, by `$id` (OWN_GROUP for one that is to be made), with
        their titles.
    """
    title = group_title(schema_title)
    named = view.named_group
    if named is not None and EXPERIENCE_EVENT not in (named.get("meta:intendedToExtend") or ()):
        plan.refuse(
            f"a field group {title!r} is there, and it is not for events",
            "rename it, or choose another --schema-title",
        )
        return []
    groups = dict(view.own_groups) | ({str(named["$id"]): named} if named else {})
    chosen: dict[str | None, list[Addition]] = {}
    for addition in additions:
        home = str(named["$id"]) if named else _home(addition, groups)
        chosen.setdefault(home, []).append(addition)
    for identifier, fields in chosen.items():
        if identifier is None:
            plan.steps.append(CreateFieldGroup(new_field_group(title, fields), tuple(fields)))
            continue
        document = groups[identifier]
        operations = tuple(extension(document, fields))
        plan.steps.append(
            ExtendFieldGroup(identifier, str(document.get("title")), operations, tuple(fields))
        )
    plan.unchanged += [
        f"field group {document.get('title')!r}"
        for identifier, document in groups.items()
        if identifier not in chosen
    ]
    needed = [(str(named["$id"]), title)] if named else []
    return [*needed, *([(OWN_GROUP, title)] if None in chosen else [])]


def _home(addition: Addition, groups: dict[str, Resource]) -> str | None:
    """The field group that has the object which a field is to be added to; None for a new one.

    The tenant's object alone does not count: a field group of other people's may have it.
    """
    above = addition.path[:-1]
    fitting = [
        identifier
        for identifier, document in groups.items()
        if len(above) > 1 and depth_of(document, above) == len(above)
    ]
    return min(fitting, default=None)


def _plan_schema_itself(
    plan: Plan,
    view: DatasetView,
    standard: Sequence[StandardGroup],
    own: Sequence[tuple[str, str]],
    title: str,
) -> None:
    wanted = [*((group.id, group.title) for group in standard), *own]
    there = references(view.schema)
    missing = [each for each in wanted if each[0] not in there]
    ids, titles = tuple(each[0] for each in missing), tuple(each[1] for each in missing)
    if view.schema_id is None:
        plan.steps.append(CreateSchema(title, ids, titles))
        return
    schema_title = str(view.full_schema.get("title") or title)
    if missing:
        plan.steps.append(ExtendSchema(view.schema_id, schema_title, ids, titles))
    else:
        plan.unchanged.append(f"schema {schema_title!r}")

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
from target_aep.provisioning.type_conflicts import type_conflicts, untyped_fields
from target_aep.provisioning.wanted_fields import wanted_fields
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


def plan_schema(
    plan: Plan,
    client: PlatformClient,
    view: DatasetView,
    wish: DatasetWish,
    tenant: str,
    title: str,
    now: Callable[[], datetime],
) -> XdmField | None:
    """Plan the schema of a dataset and what it is made of.

    Args:
        plan: Is added to.
        client: The platform.
        view: What is there.
        wish: What is wanted.
        tenant: The tenant, without underscore.
        title: Of a schema that is to be made.
        now: The clock.

    Returns:
        The schema as it will be, without fields for single properties; None after a refusal.

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
    mapped = _mapped_fields(
        plan, wanted_fields(plan, wish, tenant), parse_schema(flattened(documents))
    )
    if plan.refusals:
        return None
    schema = parse_schema(flattened([*documents, _as_schema(mapped)]))
    additions = [*mapped, *_sampled(plan, wish, schema, tenant)]
    if plan.refusals:
        return None
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
    return schema


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
    found: dict[str, tuple[StandardGroup, Resource]] = {}
    for root, is_optional in sorted(_standard_roots(wish, tenant).items()):
        if root in there:
            continue
        group = group_with(root)
        if group is None:
            _lacks_root(
                plan,
                root,
                f"the mapping fills {root}, and no standard field group that target-aep knows has "
                "it",
                "add the field group that has it to the schema by hand (Schemas in the UI), or "
                f"map to a field under _{tenant}",
                is_optional=is_optional,
            )
            continue
        document = found[group.id][1] if group.id in found else _read_group(registry, group)
        if document is None:
            _lacks_root(
                plan,
                root,
                f"the sandbox does not have the field group {group.title!r} ({group.id})",
                f"leave {root} out of the mapping, or ask Adobe for the field group",
                is_optional=is_optional,
            )
            continue
        found[group.id] = (group, document)
    return list(found.values())


def _standard_roots(wish: DatasetWish, tenant: str) -> dict[str, bool]:
    """The standard fields that mappings fill, and whether all of these can do without."""
    roots: dict[str, bool] = {}
    for stream in wish.streams:
        is_optional = stream.mapping_set.missing_fields == "leave_out"
        for root in stream.standard_roots(tenant):
            roots[root] = roots.get(root, True) and is_optional
    return roots


def _lacks_root(plan: Plan, root: str, what: str, proposal: str, *, is_optional: bool) -> None:
    if is_optional:
        plan.notes.append(f"{what}; values for {root} are left out, as missingFields says")
    else:
        plan.refuse(what, proposal)


def _read_group(registry: SchemaRegistry, group: StandardGroup) -> Resource | None:
    return registry.read("fieldgroups", group.id, "xed-full")


def _sampled(plan: Plan, wish: DatasetWish, schema: XdmField, tenant: str) -> list[Addition]:
    """Fields for properties; a mapping that can't be used with the schema is refused."""
    try:
        return sampled_properties(plan, wish, schema, tenant)
    except MappingMistakesError as error:
        for complaint in error.complaints:
            plan.refuse(complaint, _MEND_MAPPING)
    except TargetError as error:
        plan.refuse(str(error), _MEND_MAPPING)
    return []


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
            "rename that field group"
            + ("" if view.schema_id else ", or choose another --schema-title"),
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
        _plan_extension(plan, groups[identifier], fields)
    plan.unchanged += [
        f"field group {document.get('title')!r}"
        for identifier, document in groups.items()
        if identifier not in chosen
    ]
    needed = [(str(named["$id"]), title)] if named else []
    return [*needed, *([(OWN_GROUP, title)] if None in chosen else [])]


def _plan_extension(plan: Plan, document: Resource, fields: Sequence[Addition]) -> None:
    title = str(document.get("title"))
    try:
        lacks = bool(extension(document, fields))
    except TargetError as error:
        plan.refuse(str(error), "put the field group or the mapping right")
        return
    if lacks:
        plan.steps.append(ExtendFieldGroup(str(document["$id"]), title, tuple(fields)))
    else:
        plan.unchanged.append(f"field group {title!r}")


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

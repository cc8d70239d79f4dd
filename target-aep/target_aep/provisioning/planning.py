"""A plan: what is to be made or changed so that a dataset can take its streams; nothing written."""

from __future__ import annotations

import typing as t

from target_aep.api.catalog_datasets import DIAGNOSTICS, PROFILE_TAGS, enabled_tag, is_enabled
from target_aep.api.identity_namespaces import list_namespaces
from target_aep.api.schema_registry import EXPERIENCE_EVENT, TAGS, UNION
from target_aep.provisioning.field_group import group_title
from target_aep.provisioning.identity_plan import plan_descriptors, plan_namespaces
from target_aep.provisioning.plan import Plan
from target_aep.provisioning.sandbox_view import view_dataset
from target_aep.provisioning.schema_plan import plan_schema
from target_aep.provisioning.steps import (
    DATASET,
    OWN_GROUP,
    SCHEMA,
    ChangeDataset,
    CreateDataset,
    EnableProfile,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from target_aep.api.client import PlatformClient
    from target_aep.provisioning.sandbox_view import DatasetView
    from target_aep.provisioning.wishes import DatasetWish

Resource = dict[str, t.Any]


def make_plan(
    client: PlatformClient,
    wish: DatasetWish,
    tenant: str,
    *,
    schema_title: str | None,
    now: Callable[[], datetime],
) -> Plan:
    """Compare what a dataset needs with what is there.

    Args:
        client: The platform.
        wish: The dataset and its streams.
        tenant: The tenant, without underscore.
        schema_title: Title of a schema that is to be made; None takes the dataset's name.
        now: The clock.

    Raises:
        TargetError: What is there can't be understood, or is not what the settings name.
        PlatformError: The platform refused.
    """
    view = view_dataset(client, wish.dataset_id, wish.name, schema_title, group_title)
    name = wish.name or str(view.dataset.get("name", wish.dataset_id))
    plan = Plan(name)
    if view.dataset_id:
        plan.made[DATASET] = view.dataset_id
    if view.schema_id:
        plan.made[SCHEMA] = view.schema_id
    if view.named_group:
        plan.made[OWN_GROUP] = str(view.named_group["$id"])
    known = list_namespaces(client) if wish.namespaces() else []
    plan_namespaces(plan, known, wish.namespaces())
    if view.schema_id and view.class_id != EXPERIENCE_EVENT:
        plan.refuse(
            f"the schema {view.full_schema.get('title')!r} is of class {view.class_id}, not XDM "
            "ExperienceEvent",
            "a class can't be changed: choose another dataset_name"
            + ("" if view.dataset_id else ", or --schema-title"),
        )
        return plan
    schema = plan_schema(plan, client, view, wish, tenant, schema_title or name, now)
    if schema is not None:
        plan_descriptors(plan, view, wish, tenant, schema, known)
    if wish.profile:
        _plan_profile(plan, view, wish, schema_title or name)
    _plan_dataset(plan, view, wish)
    return plan


def _plan_profile(plan: Plan, view: DatasetView, wish: DatasetWish, schema_title: str) -> None:
    primaries = [
        identity for stream in wish.streams for identity in stream.identities if identity.primary
    ]
    if not primaries:
        plan.refuse(
            "Profile needs a primary identity, and no entry of identities is primary",
            'set "primary": true in one of them',
        )
    tags = view.full_schema.get(TAGS) or view.schema.get(TAGS) or []
    title = str(view.full_schema.get("title") or schema_title)
    if UNION in tags:
        plan.unchanged.append(f"schema {title!r} for Real-Time Customer Profile")
        return
    operation = {"op": "add", "path": f"/{TAGS}", "value": [*tags, UNION]}
    plan.steps.append(EnableProfile(title, (operation,)))


def _plan_dataset(plan: Plan, view: DatasetView, wish: DatasetWish) -> None:
    if view.dataset_id is None:
        plan.steps.append(CreateDataset(wish.name, wish.profile))
        return
    operations: list[Resource] = []
    changes: list[str] = []
    if view.dataset.get(DIAGNOSTICS) is not True:
        operations.append({"op": "add", "path": f"/{DIAGNOSTICS}", "value": True})
        changes.append("error diagnostics")
    missing = [tag for tag in PROFILE_TAGS if not is_enabled(view.dataset, tag)]
    if wish.profile and missing:
        operations += _tag_operations(view.dataset, missing)
        changes.append("Profile and identity")
        plan.notes.append("rows that are in the dataset already are not brought into Profile")
    if operations:
        step = ChangeDataset(view.dataset_id, plan.name, tuple(operations), tuple(changes))
        plan.steps.append(step)
    else:
        plan.unchanged.append(f"dataset {plan.name!r}")


def _tag_operations(dataset: Resource, missing: list[str]) -> list[Resource]:
    values = {tag: enabled_tag(dataset, tag) for tag in missing}
    if not isinstance(dataset.get("tags"), dict):
        return [{"op": "add", "path": "/tags", "value": values}]
    return [{"op": "add", "path": f"/tags/{tag}", "value": value} for tag, value in values.items()]

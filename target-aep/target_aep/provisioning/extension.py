"""Fields added to the schema of a dataset that is in use: what evolution does after a run."""

from __future__ import annotations

import typing as t

from target_aep.errors import TargetError
from target_aep.mapping.destination_paths import field_at
from target_aep.mapping.paths import EACH
from target_aep.provisioning.field_group import Addition, group_title
from target_aep.provisioning.plan import Plan
from target_aep.provisioning.property_fields import marked
from target_aep.provisioning.property_types import ITEMS
from target_aep.provisioning.sandbox_view import view_dataset
from target_aep.provisioning.schema_plan import plan_additions
from target_aep.provisioning.steps import OWN_GROUP, Workshop
from target_aep.xdm.schema import parse_schema

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from target_aep.api.client import PlatformClient
    from target_aep.mapping.paths import WildPath
    from target_aep.provisioning.property_fields import Proposal


def add_fields(
    client: PlatformClient,
    dataset_id: str,
    parent: tuple[str, ...],
    proposals: Iterable[Proposal],
    now: datetime,
) -> list[str]:
    """Add optional fields to the schema of a dataset, each with the instant of its addition.

    The tenant's field group that has the object is extended, with one call; where none has it, a
    field group is made and added to the schema. Fields that are there by now are left alone.

    Args:
        client: The platform.
        dataset_id: The dataset.
        parent: The object that they go into, from the root of the event.
        proposals: The fields.
        now: The instant.

    Returns:
        The paths that were added.

    Raises:
        TargetError: The schema can't take them.
        PlatformError: The platform refused.
    """
    view = view_dataset(client, dataset_id, "", None, group_title)
    schema = parse_schema(view.full_schema)
    additions = [
        Addition(path, marked(each.node, now))
        for each in proposals
        if field_at(schema, _steps(path := parent + each.path)) is None
    ]
    plan = Plan(str(view.dataset.get("name", dataset_id)))
    plan_additions(plan, view, additions, [], plan.name)
    if plan.refusals:
        refusal = plan.refusals[0]
        raise TargetError(f"{refusal.what}: {refusal.proposal}")
    made = {OWN_GROUP: str(view.named_group["$id"])} if view.named_group else {}
    workshop = Workshop(client, made)
    for step in plan.steps:
        step.apply(workshop)
    return [".".join(addition.path) for addition in additions]


def _steps(path: tuple[str, ...]) -> WildPath:
    return tuple(EACH if step == ITEMS else step for step in path)

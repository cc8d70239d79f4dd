"""What is in a sandbox already, as far as a plan for one dataset looks at it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from target_aep.api.catalog_datasets import read_document
from target_aep.api.sandbox import dataset_called, schema_id_of
from target_aep.api.schema_registry import EXPERIENCE_EVENT, SchemaRegistry, container_of
from target_aep.errors import TargetError
from target_aep.provisioning.steps import references

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_aep.api.client import PlatformClient

Resource = dict[str, t.Any]


@dataclass(frozen=True)
class DatasetView:
    """What there is for a dataset.

    Attributes:
        dataset_id: None if the dataset is not there.
        dataset: Its document, empty if it is not there.
        schema_id: None if there is no schema yet.
        schema: The schema as it was made, empty if there is none.
        full_schema: The schema with all that it refers to put in, empty if there is none.
        own_groups: The tenant's field groups that the schema has, by `$id`, as they were made.
        named_group: The tenant's field group with the title of the plan's own, None if there is
            none; it need not belong to the schema yet.
        descriptors: Identity descriptors of the schema.
    """

    dataset_id: str | None
    dataset: Resource
    schema_id: str | None
    schema: Resource
    full_schema: Resource
    own_groups: Mapping[str, Resource] = field(default_factory=dict)
    named_group: Resource | None = None
    descriptors: tuple[Resource, ...] = ()

    @property
    def class_id(self) -> str:
        """The class of the schema."""
        told = self.schema.get("meta:class") or self.full_schema.get("meta:class")
        parts = references(self.schema)
        return str(told or (parts[0] if parts else EXPERIENCE_EVENT))


def view_dataset(
    client: PlatformClient,
    dataset_id: str | None,
    name: str,
    schema_title: str | None,
    group_title: t.Callable[[str], str],
) -> DatasetView:
    """Look at a dataset, its schema and its field groups.

    Args:
        client: The platform.
        dataset_id: The dataset; None looks for its name.
        name: Of the dataset.
        schema_title: Title of the schema if the dataset is not there; None takes its name.
        group_title: Gives the title of the plan's own field group for the title of the schema.

    Raises:
        TargetError: The dataset of the id is not there, or several have the name.
        PlatformError: The platform refused.
    """
    registry = SchemaRegistry(client)
    dataset_id, dataset = _dataset(client, dataset_id, name)
    schema_id = schema_id_of(dataset, repr(name or dataset_id)) if dataset_id else None
    title = schema_title or name
    if dataset_id is None:
        schema_id = _only(registry, "schemas", title)
    schema = (registry.read("schemas", schema_id) if schema_id else None) or {}
    full = (registry.read("schemas", schema_id, "xed-full") if schema_id else None) or {}
    if schema_id and not full:
        raise TargetError(
            f"dataset {name or dataset_id!r}: its schema {schema_id} can't be read: check the "
            "credential's role, or choose another dataset"
        )
    own = {
        each: document
        for each in references(schema)
        if container_of(each) == "tenant" and (document := registry.read("fieldgroups", each))
    }
    wanted_title = group_title(str(full.get("title") or title))
    named = next((each for each in own.values() if each.get("title") == wanted_title), None)
    if named is None:
        identifier = _only(registry, "fieldgroups", wanted_title)
        named = registry.read("fieldgroups", identifier) if identifier else None
    return DatasetView(
        dataset_id,
        dataset,
        schema_id,
        schema,
        full,
        own,
        named,
        tuple(registry.identity_descriptors(schema_id)) if schema_id else (),
    )


def _dataset(
    client: PlatformClient, dataset_id: str | None, name: str
) -> tuple[str | None, Resource]:
    if dataset_id is not None:
        document = read_document(client, dataset_id)
        if document is None:
            raise TargetError(
                f"dataset {dataset_id} does not exist in this sandbox: check dataset_id (or "
                "datasets) and sandbox_name; to have a new one made, give dataset_name instead"
            )
        return dataset_id, document
    return dataset_called(client, name) or (None, {})


def _only(
    registry: SchemaRegistry, kind: t.Literal["schemas", "fieldgroups"], title: str
) -> str | None:
    found = registry.find(kind, title)
    return str(found[0]["$id"]) if found else None


def flattened(documents: Iterable[Resource]) -> Resource:
    """Resolved resources (`xed-full`) as one document, as a schema of them would be."""
    return {"type": "object", "allOf": [_fields_of(each) for each in documents]}


def _fields_of(document: Resource) -> Resource:
    return {
        "type": "object",
        "properties": document.get("properties") or {},
        "required": document.get("required") or [],
    }

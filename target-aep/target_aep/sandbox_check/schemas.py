"""The schema of a dataset."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.schema_registry import EXPERIENCE_EVENT, TAGS, UNION
from target_aep.errors import SchemaError
from target_aep.sandbox_check.findings import Finding
from target_aep.xdm.schema import parse_schema, tenant_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.api.schema_registry import Resource, SchemaRegistry
    from target_aep.sandbox_check.datasets import FoundDataset
    from target_aep.xdm.schema import XdmField


@dataclass(frozen=True)
class KnownSchema:
    """A schema that can be read.

    Attributes:
        id: Its `$id`.
        document: Flattened.
        root: The same as fields.
        tenant: The tenant that it belongs to, without underscore.
    """

    id: str
    document: Resource
    root: XdmField
    tenant: str

    @property
    def is_in_union(self) -> bool:
        """Whether it is enabled for Real-Time Customer Profile."""
        tags = self.document.get(TAGS)
        return isinstance(tags, list) and UNION in tags


def find_schema(registry: SchemaRegistry, dataset: FoundDataset) -> KnownSchema | Finding:
    """The schema of a dataset, or what is wrong.

    Raises:
        PlatformError: The platform refused.
    """
    reference = dataset.document.get("schemaRef")
    identifier = reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(identifier, str) or not identifier:
        return _fail(f"dataset {dataset.label} has no XDM schema (schemaRef): choose another")
    document = registry.read("schemas", identifier, "xed-full")
    if document is None:
        return _fail(
            f"{identifier} of dataset {dataset.label} is not in the Schema Registry of this "
            "sandbox: choose another dataset"
        )
    try:
        root = parse_schema(document)
        tenant = tenant_of(document, root) or registry.tenant()
    except SchemaError as error:
        return _fail(f"{identifier}: {error}")
    return KnownSchema(identifier, document, root, tenant)


def about_schema(schema: KnownSchema, dataset: FoundDataset) -> Iterator[Finding]:
    """What is to be known of a schema that can be read."""
    title = f"{schema.document.get('title', 'without a title')} ({schema.id})"
    xdm_class = schema.document.get("meta:class")
    if xdm_class in (None, EXPERIENCE_EVENT):
        yield Finding("ok", "schema", f"{title}, an ExperienceEvent")
    else:
        yield Finding(
            "warn",
            "schema",
            f"{title} is of the class {xdm_class}; events need a schema of the class XDM "
            "ExperienceEvent",
        )
    if dataset.is_profile_enabled and not schema.is_in_union:
        yield Finding(
            "warn",
            "schema",
            f"{title} is not enabled for Profile, but dataset {dataset.label} is: enable the "
            "schema too, or Profile gets nothing (this can't be undone)",
        )


def _fail(text: str) -> Finding:
    return Finding("fail", "schema", text)

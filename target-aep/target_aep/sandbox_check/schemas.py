"""The schema of a dataset."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.sandbox import schema_id_of
from target_aep.api.schema_registry import EXPERIENCE_EVENT, TAGS, UNION
from target_aep.errors import SchemaError
from target_aep.sandbox_check.findings import Finding
from target_aep.xdm.schema import parse_schema, tenant_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.api.schema_registry import Resource, SchemaRegistry
    from target_aep.sandbox_check.datasets import FoundDataset
    from target_aep.xdm.schema import XdmField

_TIME_SERIES: t.Final = "https://ns.adobe.com/xdm/data/time-series"
"""What classes of events build upon, also those that customers have made
(help/xdm/schema/composition.md in AdobeDocs/experience-platform.en)."""


@dataclass(frozen=True)
class KnownSchema:
    """A schema that can be read.

    Attributes:
        id: Its `$id`.
        document: Flattened.
        root: The same as fields.
        tenant: The tenant that it belongs to, without underscore; empty where nobody needs it.
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

    def extends(self, identifier: str) -> bool:
        """Whether it is made of a class, behaviour or field group, also by another one."""
        extended = self.document.get("meta:extends")
        return isinstance(extended, list) and identifier in extended


def find_schema(
    registry: SchemaRegistry, dataset: FoundDataset, *, needs_tenant: bool
) -> KnownSchema | Finding:
    """The schema of a dataset, or what is wrong.

    Args:
        registry: Where it is read.
        dataset: Whose it is.
        needs_tenant: Whether to ask for the tenant where the schema does not tell it, as runs do.

    Raises:
        TargetError: The dataset has no schema, or the platform refused.
    """
    identifier = schema_id_of(dataset.document, dataset.label)
    document = registry.read("schemas", identifier, "xed-full")
    if document is None:
        return _fail(
            f"{identifier} of dataset {dataset.label} is not in the Schema Registry of this "
            "sandbox: choose another dataset"
        )
    try:
        root = parse_schema(document)
        tenant = tenant_of(document, root) or (registry.tenant() if needs_tenant else "")
    except SchemaError as error:
        return _fail(f"{identifier}: {error}")
    return KnownSchema(identifier, document, root, tenant)


def about_schema(schema: KnownSchema, dataset: FoundDataset) -> Iterator[Finding]:
    """What is to be known of a schema that can be read."""
    title = f"{schema.document.get('title', 'without a title')} ({schema.id})"
    xdm_class = schema.document.get("meta:class")
    if xdm_class in (None, EXPERIENCE_EVENT) or schema.extends(EXPERIENCE_EVENT):
        yield Finding("ok", "schema", f"{title}, an ExperienceEvent")
    else:
        yield Finding(
            "warn" if schema.extends(_TIME_SERIES) else "fail",
            "schema",
            f"{title} is of the class {xdm_class}; events need a schema of the class XDM "
            "ExperienceEvent: choose another dataset",
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

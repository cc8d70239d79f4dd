"""Finding the registry's resources, and how they hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.errors import registry_error
from emulators.aep.registry.composition import flattened
from emulators.aep.registry.library import (
    RECORD,
    TIME_SERIES,
    global_classes,
    global_field_groups,
)
from emulators.aep.registry.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject, Schema

UNION = "union"
_FIELDS = ("properties", "required", "additionalProperties")


class Resources:
    """Classes, field groups and schemas.

    Attributes:
        lake: Where the tenant's resources are kept.
        metadata: For making and changing them.
        namespace: The tenant's own top-level field, such as `_acmeretail`.
        classes: Adobe's classes by `$id`.
        library: Adobe's field groups by `$id`.
    """

    def __init__(self, lake: Lake, org: str, tenant: str, now: Callable[[], float]) -> None:
        self.lake = lake
        self.metadata = Metadata(org, tenant)
        self.namespace = f"_{tenant}"
        self.classes = global_classes()
        self.library = global_field_groups()
        self._org = org
        self._now = now

    def milliseconds(self) -> int:
        """The time."""
        return int(self._now() * 1000)

    def group(self, identifier: str, sandbox: str) -> JsonObject | None:
        """A field group of either container by `$id` or `meta:altId`."""
        own = self.lake.field_groups.all_of(sandbox)
        return by_id([*own, *self.library.values()], identifier)

    def check_title(self, title: str, sandbox: str, own_id: str = "") -> None:
        """See that no other resource, of whatever kind, has this title.

        Raises:
            ApiError: 400 when one has.
        """
        titles = {group["$id"]: group["title"] for group in self.lake.field_groups.all_of(sandbox)}
        titles |= {schema.id: schema.title for schema in self.lake.schemas_of(sandbox)}
        for identifier, other in titles.items():
            if other == title and identifier != own_id:
                raise registry_error(
                    "XDM-1521-400",
                    "Title not unique",
                    f"Object titles must be unique. An object {identifier} already exists with "
                    "the same title",
                )

    def users_of(self, group_id: str, sandbox: str) -> list[Schema]:
        """The schemas that a field group is part of."""
        return [
            schema
            for schema in self.lake.schemas_of(sandbox)
            if schema.definition is not None and group_id in references(schema.definition)
        ]

    def is_frozen(self, schema: Schema) -> bool:
        """Whether changes of a schema may only add: a dataset uses it, or it is in a union."""
        used = any(dataset.schema_id == schema.id for dataset in list(self.lake.datasets.values()))
        return used or has_union(schema)

    def definition(self, schema: Schema) -> JsonObject:
        """A schema as it is served with `$ref`s."""
        if schema.definition is not None:
            return schema.definition
        body = {key: value for key, value in self.full(schema).items() if key not in _FIELDS}
        body["allOf"] = [{"$ref": ref} for ref in schema.body.get("meta:extends", [])]
        return body

    def full(self, schema: Schema) -> JsonObject:
        """A schema as it is served with all its fields."""
        if schema.definition is not None:
            return schema.body
        return {
            "$id": schema.id,
            "meta:altId": schema.alt_id,
            "meta:resourceType": "schemas",
            "version": schema.version,
            "imsOrg": self._org,
            **self.metadata.place(schema.sandbox),
            "meta:tenantNamespace": self.namespace,
            **schema.body,
        }

    def compose(
        self,
        definition: JsonObject,
        sandbox: str,
        *,
        installed: JsonObject | None = None,
        group: JsonObject | None = None,
    ) -> JsonObject:
        """A schema's flattened form.

        Args:
            definition: The schema with `$ref`s.
            sandbox: Where it is.
            installed: The fields that it has without any reference.
            group: A field group in its new form, in place of the one that is kept.

        Raises:
            ApiError: 400 for an unknown reference, or fields that can't be merged.
        """
        parts = [] if installed is None else [installed]
        for reference in references(definition):
            if reference in self.classes:
                parts += [self.classes[reference]] if installed is None else []
            elif group is not None and reference == group["$id"]:
                parts.append(group)
            elif reference not in (RECORD, TIME_SERIES):
                parts.append(self._known_group(reference, sandbox))
        return flattened(definition, parts)

    def _known_group(self, reference: str, sandbox: str) -> JsonObject:
        found = self.group(reference, sandbox)
        if found is None or found["$id"] != reference:
            raise registry_error(
                "EMULATOR-XDM-400", "Reference not found", f"There is no resource {reference}."
            )
        return found


def has_union(schema: Schema) -> bool:
    """Whether a schema is enabled for Profile."""
    return UNION in schema.body.get("meta:immutableTags", [])


def references(definition: JsonObject) -> list[str]:
    """The `$ref`s of a schema."""
    return [part["$ref"] for part in definition.get("allOf", [])]


def by_id(documents: Iterable[JsonObject], identifier: str) -> JsonObject | None:
    """The document with this `$id` or `meta:altId`."""
    for document in documents:
        if identifier in (document["$id"], document["meta:altId"]):
            return document
    return None

"""Union schemas: all schemas of a class that are enabled for Profile, merged.

Sources: AdobeDocs/experience-platform.en `help/xdm/api/unions.md` and, for what is refused,
`help/xdm/troubleshooting-guide.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.errors import registry_error
from emulators.aep.registry.composition import merge
from emulators.aep.registry.descriptors import primary_path
from emulators.aep.registry.resources import has_union

if TYPE_CHECKING:
    from emulators.aep.model import JsonObject, Schema
    from emulators.aep.registry.resources import Resources


def check_union(resources: Resources, schema: Schema) -> None:
    """See that a schema can be part of a union.

    Raises:
        ApiError: 400 when it has no identity, or a field that another one has with another type.
    """
    primary = primary_path(resources.lake, schema)
    if "identityMap" not in schema.body["properties"] and primary is None:
        raise registry_error(
            "XDM-1528-400",
            "Union descriptor validation error",
            "To participate in a union, a schema must include an identityMap fieldgroup or a "
            "primary identity descriptor.",
        )
    fields: JsonObject = {}
    for other in _members(resources, schema.sandbox, schema.body.get("meta:class", "")):
        if other.id != schema.id:
            merge(fields, other.body, "")
    merge(fields, schema.body, "")


def unions(resources: Resources, sandbox: str) -> list[JsonObject]:
    """The union of each class that has one, with `allOf` and merged `properties`."""
    found = []
    for identifier, base in resources.classes.items():
        members = _members(resources, sandbox, identifier)
        if not members:
            continue
        fields: JsonObject = {}
        for schema in members:
            merge(fields, schema.body, "")
        parts = {name for schema in members for name in schema.body["meta:extends"]}
        union = {
            "$id": f"{identifier}__union",
            "meta:altId": f"{base['meta:altId']}__union",
            "meta:resourceType": "unions",
            "version": "1.0",
            "title": base["title"],
            "type": "object",
            "description": base["description"],
            "allOf": [{"$ref": name} for name in sorted(parts)],
            "properties": fields["properties"],
            "meta:class": identifier,
            "meta:xdmType": "object",
            **resources.metadata.place(sandbox),
        }
        found.append(union)
    return found


def _members(resources: Resources, sandbox: str, identifier: str) -> list[Schema]:
    return [
        schema
        for schema in resources.lake.schemas_of(sandbox)
        if has_union(schema) and schema.body.get("meta:class") == identifier
    ]

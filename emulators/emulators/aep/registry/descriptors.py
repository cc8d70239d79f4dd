"""Descriptors: above all, which fields are identities.

Sources: AdobeDocs/experience-platform.en `help/xdm/api/descriptors.md` and
`schema-registry.yaml` of AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from emulators.aep.errors import registry_error
from emulators.aep.namespaces import known_namespaces
from emulators.aep.registry.composition import field_at
from emulators.aep.registry.resources import has_union

if TYPE_CHECKING:
    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject, Schema
    from emulators.aep.registry.resources import Resources

IDENTITY = "xdm:descriptorIdentity"
TYPES = (
    "xdm:alternateDisplayInfo",
    IDENTITY,
    "xdm:descriptorReferenceIdentity",
    "xdm:descriptorOneToOne",
    "xdm:descriptorRelationship",
)


class Descriptors:
    """Writes to `/tenant/descriptors`; all raise `ApiError`: 400 with the reason, 403, 404."""

    def __init__(self, resources: Resources, org: str) -> None:
        self._resources = resources
        self._kept = resources.lake.descriptors
        self._org = org

    def all_of(self, sandbox: str) -> list[JsonObject]:
        """Every descriptor of a sandbox."""
        return self._kept.all_of(sandbox)

    def find(self, identifier: str, sandbox: str) -> JsonObject:
        """A descriptor by its `@id`."""
        found = self._kept.get(sandbox, identifier)
        if found is None:
            raise registry_error(
                "XDM-1016-404",
                "Resource Not Found",
                f"Requested descriptor {identifier} is not found",
            )
        return found

    def create(self, body: JsonObject, caller: Caller) -> JsonObject:
        """A new descriptor."""
        self._check(body, caller)
        return self._keep(secrets.token_hex(24), body, caller)

    def replace(self, identifier: str, body: JsonObject, caller: Caller) -> JsonObject:
        """Write it anew."""
        old = self.find(identifier, caller.sandbox)
        keys = ("@type", "xdm:sourceSchema", "xdm:sourceProperty", "xdm:isPrimary", "xdm:namespace")
        if self._is_fixed(old, caller) and any(old.get(key) != body.get(key) for key in keys):
            raise _bad("the primary identity of a Profile-enabled schema can't change")
        self._check(body, caller, identifier)
        return self._keep(identifier, body, caller)

    def delete(self, identifier: str, caller: Caller) -> None:
        """Delete it."""
        if self._is_fixed(self.find(identifier, caller.sandbox), caller):
            raise registry_error(
                "EMULATOR-XDM-403",
                "Forbidden",
                "The primary identity of a Profile-enabled schema can't be deleted.",
            )
        self._kept.remove(caller.sandbox, identifier)

    def _keep(self, identifier: str, body: JsonObject, caller: Caller) -> JsonObject:
        document = {
            **body,
            "@id": identifier,
            "imsOrg": self._org,
            "version": "1",
            **self._resources.metadata.place(caller.sandbox),
        }
        self._kept.put(caller.sandbox, identifier, document)
        return document

    def _is_fixed(self, descriptor: JsonObject, caller: Caller) -> bool:
        schema = self._resources.lake.find_schema(descriptor["xdm:sourceSchema"], caller.sandbox)
        is_primary = bool(descriptor.get("xdm:isPrimary"))
        return is_primary and schema is not None and has_union(schema)

    def _check(self, body: JsonObject, caller: Caller, own_id: str = "") -> None:
        if body.get("@type") not in TYPES:
            raise _bad(f"@type must be one of {', '.join(TYPES)}")
        schema = self._source(body, caller)
        path = body.get("xdm:sourceProperty")
        field = field_at(schema.body, path) if isinstance(path, str) else None
        if field is None:
            raise _bad(f"xdm:sourceProperty: {schema.title} has no field {path}")
        if body["@type"] == IDENTITY:
            self._check_identity(body, schema, field, own_id)

    def _source(self, body: JsonObject, caller: Caller) -> Schema:
        identifier = body.get("xdm:sourceSchema")
        schema = self._resources.lake.find_schema(str(identifier), caller.sandbox)
        if schema is None or schema.id != identifier:
            raise _bad(f"xdm:sourceSchema: there is no schema {identifier}")
        if body.get("xdm:sourceVersion") not in (1, "1"):
            raise _bad("xdm:sourceVersion must be 1")
        return schema

    def _check_identity(
        self, body: JsonObject, schema: Schema, field: JsonObject, own_id: str
    ) -> None:
        path = body["xdm:sourceProperty"]
        if field.get("type") != "string" or field.get("meta:xdmType", "string") != "string":
            raise _bad(f"{path} is no string, so it can't be an identity")
        if path == "/_id":
            raise _bad("_id names the event, it can't be an identity")
        if not isinstance(body.get("xdm:isPrimary", False), bool):
            raise _bad("xdm:isPrimary must be true or false")
        self._check_namespace(body, schema.sandbox)
        for other in identities_of(self._resources.lake, schema):
            if other["@id"] == own_id:
                continue
            if other["xdm:sourceProperty"] == path:
                raise _bad(f"{path} is an identity already, by descriptor {other['@id']}")
            if other.get("xdm:isPrimary") and body.get("xdm:isPrimary"):
                raise _bad(
                    f"the primary identity is {other['xdm:sourceProperty']}; only one can be"
                )

    def _check_namespace(self, body: JsonObject, sandbox: str) -> None:
        key = {"xdm:code": "code", "xdm:id": "id"}.get(str(body.get("xdm:property")))
        if key is None:
            raise _bad("xdm:property must be xdm:code or xdm:id")
        wanted = body.get("xdm:namespace")
        known = known_namespaces(self._resources.lake, sandbox)
        if not any(_same(namespace[key], wanted) for namespace in known):
            raise _bad(f"there is no identity namespace {wanted}")


def identities_of(lake: Lake, schema: Schema) -> list[JsonObject]:
    """The identity descriptors of a schema."""
    return [
        descriptor
        for descriptor in lake.descriptors.all_of(schema.sandbox)
        if descriptor["@type"] == IDENTITY and descriptor["xdm:sourceSchema"] == schema.id
    ]


def primary_path(lake: Lake, schema: Schema) -> str | None:
    """The path of the primary identity field, such as `/_acmeretail/mixpanel/userId`."""
    for descriptor in identities_of(lake, schema):
        if descriptor.get("xdm:isPrimary"):
            return str(descriptor["xdm:sourceProperty"])
    return None


def _same(known: object, wanted: Any) -> bool:
    return str(known) == str(wanted)


def _bad(detail: str) -> Exception:
    return registry_error("EMULATOR-XDM-400", "Descriptor validation error", detail)

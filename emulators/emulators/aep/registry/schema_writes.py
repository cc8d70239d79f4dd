"""Making, changing and deleting an organisation's schemas.

Sources: AdobeDocs/experience-platform.en `help/xdm/api/schemas.md`, `help/xdm/api/unions.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulators.aep.errors import registry_error
from emulators.aep.model import Schema
from emulators.aep.registry.field_group_writes import (
    check_head,
    not_found,
    patched,
    refuse_breaking,
    refused_change,
)
from emulators.aep.registry.field_rules import bad
from emulators.aep.registry.library import RECORD, TIME_SERIES
from emulators.aep.registry.resources import UNION, has_union, references
from emulators.aep.registry.unions import check_union

if TYPE_CHECKING:
    from emulators.aep.gateway import Caller
    from emulators.aep.model import JsonObject
    from emulators.aep.registry.resources import Resources

_FIELDS = ("properties", "required")


class SchemaWrites:
    """Writes to `/tenant/schemas`; all raise `ApiError`: 400 with the reason, 404."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create(self, body: JsonObject, caller: Caller) -> JsonObject:
        """A new schema."""
        checked = self._checked(body, caller)
        self._resources.check_title(checked["title"], caller.sandbox)
        document = self._resources.metadata.created(
            checked,
            "schemas",
            sandbox=caller.sandbox,
            client_id=caller.client_id,
            now=self._resources.milliseconds(),
        )
        self._describe_parts(document)
        schema = Schema(
            id=document["$id"],
            alt_id=document["meta:altId"],
            sandbox=caller.sandbox,
            title=document["title"],
            body=self._resources.compose(document, caller.sandbox),
            definition=document,
        )
        if has_union(schema):
            check_union(self._resources, schema)
        self._resources.lake.save_schema(schema)
        return document

    def patch(self, identifier: str, operations: Any, caller: Caller) -> JsonObject:
        """Change it by a JSON Patch."""
        schema = self._own(identifier, caller)
        document = patched(self._resources.definition(schema), operations)
        return self._change(schema, document, caller)

    def replace(self, identifier: str, body: JsonObject, caller: Caller) -> JsonObject:
        """Write it anew."""
        return self._change(self._own(identifier, caller), body, caller)

    def delete(self, identifier: str, caller: Caller) -> None:
        """Delete one that neither a dataset nor Profile uses, with its descriptors."""
        schema = self._own(identifier, caller)
        if self._resources.is_frozen(schema):
            raise refused_change(schema.title, ["it can't be deleted"])
        lake = self._resources.lake
        for descriptor in lake.descriptors.all_of(caller.sandbox):
            if descriptor["xdm:sourceSchema"] == schema.id:
                lake.descriptors.remove(caller.sandbox, descriptor["@id"])
        lake.remove_schema(schema)

    def _change(self, schema: Schema, body: JsonObject, caller: Caller) -> JsonObject:
        installed = schema.installed
        if schema.definition is None:
            installed = {key: schema.body[key] for key in _FIELDS if key in schema.body}
        old = self._resources.definition(schema)
        checked = self._checked(body, caller, is_installed=installed is not None)
        self._resources.check_title(checked["title"], caller.sandbox, schema.id)
        document = self._resources.metadata.changed(
            old, checked, client_id=caller.client_id, now=self._resources.milliseconds()
        )
        self._describe_parts(document)
        full = self._resources.compose(document, caller.sandbox, installed=installed)
        if self._resources.is_frozen(schema):
            missing = [name for name in references(old) if name not in references(document)]
            if missing:
                raise refused_change(schema.title, [f"{name} would be removed" for name in missing])
            refuse_breaking(schema.title, schema.body, full)
        if has_union(schema) and UNION not in document.get("meta:immutableTags", []):
            raise refused_change(schema.title, ["meta:immutableTags can't lose union"])
        changed = Schema(
            id=schema.id,
            alt_id=schema.alt_id,
            sandbox=schema.sandbox,
            title=document["title"],
            body=full,
            version=document["version"],
            definition=document,
            installed=installed,
        )
        if has_union(changed):
            check_union(self._resources, changed)
        self._resources.lake.save_schema(changed)
        return document

    def _own(self, identifier: str, caller: Caller) -> Schema:
        schema = self._resources.lake.find_schema(identifier, caller.sandbox)
        if schema is None:
            raise not_found("XDM-1012-404", identifier)
        return schema

    def _checked(
        self, body: JsonObject, caller: Caller, *, is_installed: bool = False
    ) -> JsonObject:
        check_head(body)
        parts = body.get("allOf")
        if not isinstance(parts, list) or not parts:
            raise bad("allOf must list a class and field groups")
        if any(not isinstance(p, dict) or not isinstance(p.get("$ref"), str) for p in parts):
            raise bad("allOf: each entry must be an object with $ref")
        if "properties" in body or "definitions" in body:
            raise bad("a schema has the fields of its class and field groups, none of its own")
        tags = body.get("meta:immutableTags", [])
        if tags not in ([], [UNION]):
            raise bad("meta:immutableTags may hold union only")
        names = references(body)
        if len(set(names)) < len(names):
            raise bad("allOf names a resource twice")
        classes = [name for name in names if name in self._resources.classes]
        if len(classes) != 1 and not (is_installed and not classes):
            raise bad("allOf must name exactly one class")
        for name in names:
            self._check_group(name, classes, caller)
        typed = [{**part, "type": "object", "meta:xdmType": "object"} for part in parts]
        return {**body, "allOf": typed}

    def _check_group(self, name: str, classes: list[str], caller: Caller) -> None:
        if name in (*classes, RECORD, TIME_SERIES):
            return
        group = self._resources.group(name, caller.sandbox)
        if group is None or group["$id"] != name:
            raise registry_error(
                "EMULATOR-XDM-400", "Reference not found", f"There is no resource {name}."
            )
        if not set(classes) <= set(group["meta:intendedToExtend"]):
            raise bad(f"the field group {group['title']} is not meant for the class {classes[0]}")

    def _describe_parts(self, document: JsonObject) -> None:
        names = references(document)
        extends: list[str] = []
        for name in names:
            extends.append(name)
            if name in self._resources.classes:
                document["meta:class"] = name
                extends += self._resources.classes[name]["meta:extends"]
        document["meta:extends"] = list(dict.fromkeys(extends))

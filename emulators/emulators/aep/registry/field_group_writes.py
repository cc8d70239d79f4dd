"""Making, changing and deleting an organisation's field groups.

Source: AdobeDocs/experience-platform.en `help/xdm/api/field-groups.md`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emulators.aep.errors import registry_error
from emulators.aep.json_patch import PatchError, apply_patch
from emulators.aep.registry.composition import own_fields
from emulators.aep.registry.evolution import breaking_changes
from emulators.aep.registry.field_rules import bad, check_required, check_unique, custom_properties
from emulators.aep.registry.resources import by_id, has_union
from emulators.aep.registry.unions import check_union

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulators.aep.gateway import Caller
    from emulators.aep.model import JsonObject
    from emulators.aep.registry.resources import Resources


class FieldGroupWrites:
    """Writes to `/tenant/fieldgroups`; all raise `ApiError`: 400 with the reason, 404."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._kept = resources.lake.field_groups

    def create(self, body: JsonObject, caller: Caller) -> JsonObject:
        """A new field group."""
        checked = self._checked(body)
        self._resources.check_title(checked["title"], caller.sandbox)
        document = self._resources.metadata.created(
            checked,
            "mixins",
            sandbox=caller.sandbox,
            client_id=caller.client_id,
            now=self._resources.milliseconds(),
        )
        self._kept.put(caller.sandbox, document["$id"], document)
        return document

    def patch(self, identifier: str, operations: Any, caller: Caller) -> JsonObject:
        """Change it by a JSON Patch."""
        old = self._own(identifier, caller)
        return self._change(old, patched(old, operations), caller)

    def replace(self, identifier: str, body: JsonObject, caller: Caller) -> JsonObject:
        """Write it anew."""
        return self._change(self._own(identifier, caller), body, caller)

    def delete(self, identifier: str, caller: Caller) -> None:
        """Delete one that no schema uses."""
        old = self._own(identifier, caller)
        users = self._resources.users_of(old["$id"], caller.sandbox)
        if users:
            raise refused_change(old["title"], [f"the schema {users[0].title} uses it"])
        self._kept.remove(caller.sandbox, old["$id"])

    def _change(self, old: JsonObject, body: JsonObject, caller: Caller) -> JsonObject:
        checked = self._checked(body)
        self._resources.check_title(checked["title"], caller.sandbox, old["$id"])
        document = self._resources.metadata.changed(
            old, checked, client_id=caller.client_id, now=self._resources.milliseconds()
        )
        changed = []
        for schema in self._resources.users_of(old["$id"], caller.sandbox):
            base = schema.body.get("meta:class")
            if base is not None and base not in document["meta:intendedToExtend"]:
                raise refused_change(old["title"], [f"the schema {schema.title} needs its class"])
            definition = self._resources.definition(schema)
            full = self._resources.compose(
                definition, caller.sandbox, installed=schema.installed, group=document
            )
            if self._resources.is_frozen(schema):
                refuse_breaking(schema.title, schema.body, full)
            changed.append(replace(schema, body=full))
        for schema in filter(has_union, changed):
            check_union(self._resources, schema)
        self._kept.put(caller.sandbox, document["$id"], document)
        for schema in changed:
            self._resources.lake.save_schema(schema)
        return document

    def _own(self, identifier: str, caller: Caller) -> JsonObject:
        found = by_id(self._kept.all_of(caller.sandbox), identifier)
        if found is None:
            raise not_found("XDM-1011-404", identifier)
        return found

    def _checked(self, body: JsonObject) -> JsonObject:
        check_head(body)
        classes = body.get("meta:intendedToExtend")
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise bad("meta:intendedToExtend must list classes")
        if not classes:
            raise bad("meta:intendedToExtend must not be empty")
        unknown = [name for name in classes if name not in self._resources.classes]
        if unknown:
            raise bad(f"meta:intendedToExtend: there is no class {unknown[0]}")
        definitions = body.get("definitions", {})
        parts = body.get("allOf", [])
        if not isinstance(definitions, dict) or not isinstance(parts, list):
            raise bad("definitions must be an object and allOf a list")
        checked = dict(body)
        if definitions:
            checked["definitions"] = {
                name: self._typed(part, name) for name, part in definitions.items()
            }
        if "properties" in body:
            checked["properties"] = custom_properties(body["properties"], self._resources.namespace)
        check_required(body, "")
        checked["allOf"] = [_own_reference(part) for part in parts]
        check_unique(own_fields(checked)["properties"])
        return checked

    def _typed(self, definition: Any, name: str) -> JsonObject:
        if not isinstance(definition, dict):
            raise bad(f"the definition {name} must be an object")
        properties = definition.get("properties", {})
        typed = custom_properties(properties, self._resources.namespace)
        check_required(definition, f"definitions/{name}")
        return {**definition, "properties": typed}


def check_head(body: JsonObject) -> None:
    """See that a resource has a title and is an object.

    Raises:
        ApiError: 400 when not.
    """
    if not isinstance(body, dict):
        raise bad("a resource must be an object")
    if not isinstance(body.get("title"), str) or not body["title"].strip():
        raise bad("title is missing")
    if not isinstance(body.get("description", ""), str):
        raise bad("description must be text")
    if body.get("type") != "object":
        raise bad("type must be object")


def patched(document: JsonObject, operations: Any) -> JsonObject:
    """A resource after a JSON Patch.

    Raises:
        ApiError: 400 when the patch can't be applied.
    """
    try:
        changed: JsonObject = apply_patch(document, operations)
    except PatchError as error:
        raise registry_error("EMULATOR-XDM-400", "JSON Patch error", str(error)) from error
    return changed


def refuse_breaking(title: str, old: JsonObject, new: JsonObject) -> None:
    """Refuse what a schema in use can't take.

    Raises:
        ApiError: 400 with every reason.
    """
    found = list(breaking_changes(old, new))
    if found:
        raise refused_change(title, found)


def refused_change(title: str, reasons: Iterable[str]) -> Exception:
    """400 for a change of something in use; the documentation shows no code."""
    return registry_error(
        "EMULATOR-XDM-400",
        "Breaking change",
        f"{title} is in use and takes additive changes only: {'; '.join(reasons)}",
    )


def not_found(code: str, identifier: str) -> Exception:
    """404."""
    return registry_error(
        code,
        "Resource Not Found",
        f"Requested resource {identifier} with version 1 is not found",
    )


def _own_reference(part: Any) -> JsonObject:
    reference = part.get("$ref") if isinstance(part, dict) else None
    if not isinstance(reference, str) or not reference.startswith("#/definitions/"):
        raise bad(f"allOf may name the field group's own definitions only, not {reference}")
    return {**part, "type": "object", "meta:xdmType": "object"}

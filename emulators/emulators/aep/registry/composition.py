"""A class and its field groups made into one flattened (`xed-full`) schema.

Where several contribute to one object their fields are merged; the same path with another type is
refused (AdobeDocs/experience-platform.en `help/xdm/troubleshooting-guide.md`, XDM-1413-400).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from emulators.aep.errors import registry_error
from emulators.aep.registry.field_rules import check_unique

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulators.aep.model import JsonObject

_OWN = "#/definitions/"


def own_fields(document: JsonObject) -> JsonObject:
    """The fields that a class or field group brings, as an object's `properties` and `required`.

    Raises:
        ApiError: 400 when a definition that it names is missing.
    """
    fields: JsonObject = {"properties": {}, "required": []}
    merge(fields, document, "")
    for part in document.get("allOf", []):
        reference = part.get("$ref", "")
        if reference.startswith(_OWN):
            name = reference.removeprefix(_OWN)
            if name not in document.get("definitions", {}):
                raise registry_error(
                    "EMULATOR-XDM-400", "Reference not found", f"There is no {reference}."
                )
            merge(fields, document["definitions"][name], "")
    return fields


def flattened(definition: JsonObject, parts: Iterable[JsonObject]) -> JsonObject:
    """The schema with all its fields.

    Args:
        definition: The schema as it is served with `$ref`s.
        parts: The classes and field groups that it refers to, or what was installed flattened.

    Raises:
        ApiError: 400 when fields can't be merged.
    """
    fields: JsonObject = {"properties": {}, "required": []}
    for part in parts:
        merge(fields, own_fields(part), "")
    check_unique(fields["properties"])
    body = {key: value for key, value in definition.items() if key not in ("allOf", "definitions")}
    body["meta:xdmType"] = "object"
    body["properties"] = fields["properties"]
    if fields["required"]:
        body["required"] = fields["required"]
    return body


def merge(into: JsonObject, fields: JsonObject, path: str) -> None:
    """Add an object's fields to another's, in place.

    Raises:
        ApiError: 400 for the same path with another type.
    """
    known = into.setdefault("properties", {})
    for name, field in fields.get("properties", {}).items():
        if name in known:
            _merge_field(known[name], field, f"{path}/{name}")
        else:
            known[name] = copy.deepcopy(field)
    required = [name for name in fields.get("required", []) if name not in into.get("required", [])]
    if required:
        into["required"] = [*into.get("required", []), *required]


def _merge_field(earlier: JsonObject, field: JsonObject, path: str) -> None:
    types = [_type(earlier), _type(field)]
    if types[0] != types[1]:
        raise registry_error(
            "XDM-1413-400",
            "Merge Schema Error",
            f"Cannot merge incompatible data types. The path {path} has already been defined using "
            f"a different data type. Types: {', '.join(types)}",
        )
    if "properties" in field:
        merge(earlier, field, path)
    for key, sign in (("items", "[]"), ("additionalProperties", "/*")):
        if isinstance(field.get(key), dict) and isinstance(earlier.get(key), dict):
            _merge_field(earlier[key], field[key], path + sign)


def field_at(schema: JsonObject, path: str) -> JsonObject | None:
    """A field by its path, such as `/_acmeretail/mixpanel/userId`, through objects only."""
    names = path.split("/")
    if names[0] or len(names) < 2:  # noqa: PLR2004 - a slash and a name
        return None
    field: JsonObject | None = schema
    for name in names[1:]:
        field = (field or {}).get("properties", {}).get(name)
    return field


def with_required(schema: JsonObject, paths: Iterable[str]) -> JsonObject:
    """A copy in which these paths, with all objects on the way, are required."""
    changed = copy.deepcopy(schema)
    for path in paths:
        field = changed
        for name in path.split("/")[1:]:
            field["required"] = sorted({*field.get("required", []), name})
            field = field["properties"][name]
    return changed


def _type(field: JsonObject) -> str:
    return str(field.get("meta:xdmType", field.get("type", "object")))

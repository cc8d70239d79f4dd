"""Checks of a value against its field's schema, compiled once into closures.

A check takes a value and the row's `Findings` and gives the value back, converted where batch
ingestion converts: numeric text to a number, epoch milliseconds to a date; booleans and arrays are
never converted (AdobeDocs/experience-platform.en `help/ingestion/batch-ingestion/overview.md`).
Constraints are not checked on fields inside arrays (`help/xdm/schema/best-practices.md`), types
are. A value converts within its own kind only: a number is no text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulators.aep.findings import EMPTY, MISMATCH, MISSING
from emulators.aep.scalar_checks import compile_boolean, compile_number, compile_string

if TYPE_CHECKING:
    from emulators.aep.findings import Findings
    from emulators.aep.model import JsonObject
    from emulators.aep.scalar_checks import Check


def compile_field(schema: JsonObject, path: str, *, in_array: bool = False) -> Check:
    """Build the check of one field.

    Args:
        schema: The field's resolved schema (`xed-full`: no `$ref`, no `allOf`).
        path: The field's dotted path, for messages.
        in_array: Whether it is inside an array, where only types count.

    Raises:
        ValueError: For a type that XDM doesn't have.
    """
    kind = schema.get("type", "object")
    if kind == "object":
        return _compile_object(schema, path, in_array=in_array)
    if kind == "array":
        return _compile_array(schema, path, in_array=in_array)
    if kind == "string":
        return compile_string(schema, path, in_array=in_array)
    if kind in ("number", "integer"):
        return compile_number(schema, path, in_array=in_array)
    if kind == "boolean":
        return compile_boolean(path)
    raise ValueError(f"{path or 'the schema'}: XDM has no type {kind!r}")


def _compile_object(schema: JsonObject, path: str, *, in_array: bool) -> Check:
    properties = schema.get("properties")
    extra = schema.get("additionalProperties")
    if properties:
        return _compile_struct(properties, schema.get("required", []), path, in_array=in_array)
    if isinstance(extra, dict):
        return _compile_map(extra, path, in_array=in_array)
    return _compile_any_object(path)


def _compile_struct(
    properties: JsonObject, required: list[str], path: str, *, in_array: bool
) -> Check:
    prefix = f"{path}." if path else ""
    find = {
        name: compile_field(field, prefix + name, in_array=in_array)
        for name, field in properties.items()
    }.get
    wanted = () if in_array else tuple(required)

    def check(value: Any, findings: Findings) -> Any:
        if type(value) is not dict:
            findings.mismatch(path, "object", value)
            return value
        if not value and not in_array:
            findings.add(EMPTY, path, "minProperties", "an empty object is not accepted")
        for name in wanted:
            if value.get(name) is None:
                findings.add(MISSING, prefix + name, "required", "required field missing or null")
        for name, item in value.items():
            check_item = find(name)
            if check_item is None:
                findings.add(MISMATCH, prefix + name, "additionalProperties", "not in the schema")
            elif item is not None or name not in wanted:
                new = check_item(item, findings)
                if new is not item:
                    value[name] = new
        return value

    return check


def _compile_map(items: JsonObject, path: str, *, in_array: bool) -> Check:
    check_item = compile_field(items, f"{path}.*" if path else "*", in_array=in_array)

    def check(value: Any, findings: Findings) -> Any:
        if type(value) is not dict:
            findings.mismatch(path, "map", value)
            return value
        if not value and not in_array:
            findings.add(EMPTY, path, "minProperties", "an empty map is not accepted")
        for name, item in value.items():
            if not name:
                findings.add(EMPTY, path, "propertyNames", "an empty key is not accepted")
            new = check_item(item, findings)
            if new is not item:
                value[name] = new
        return value

    return check


def _compile_any_object(path: str) -> Check:
    def check(value: Any, findings: Findings) -> Any:
        if type(value) is not dict:
            findings.mismatch(path, "object", value)
        return value

    return check


def _compile_array(schema: JsonObject, path: str, *, in_array: bool) -> Check:
    items = schema.get("items", {"type": "object"})
    check_item = compile_field(items, f"{path}[]", in_array=True)

    def check(value: Any, findings: Findings) -> Any:
        if type(value) is not list:
            findings.mismatch(path, "array", value)
            return value
        if not value and not in_array:
            findings.add(EMPTY, path, "minItems", "an empty array is not accepted")
        for index, item in enumerate(value):
            new = check_item(item, findings)
            if new is not item:
                value[index] = new
        return value

    return check

"""Which fields an organisation may define: names, types, and under which name they stand.

Sources: AdobeDocs/experience-platform.en `help/xdm/schema/field-constraints.md` and
`help/xdm/tutorials/custom-fields-api.md` (types, names), `help/xdm/troubleshooting-guide.md` (the
namespace). `meta:xdmType` is added as the service does, for maps it must be given.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from emulators.aep.errors import registry_error
from emulators.aep.xdm_schema import LONG_LIMIT

if TYPE_CHECKING:
    from emulators.aep.model import JsonObject

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_MAP_TYPES = ("string", "integer")
_INTEGERS = {
    "byte": (-128, 127),
    "short": (-32_768, 32_768),
    "int": (-(2**31), 2**31 - 1),
    "long": (-LONG_LIMIT, LONG_LIMIT),
}
_NUMERIC_KEYS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def custom_properties(properties: Any, namespace: str) -> JsonObject:
    """The properties of a custom field group, with `meta:xdmType` everywhere.

    Args:
        properties: As they were sent.
        namespace: The one name that may stand at the top, such as `_acmeretail`.

    Raises:
        ApiError: 400 for a field that can't be.
    """
    if not isinstance(properties, dict):
        raise bad("properties must be an object")
    for name in properties:
        if name != namespace:
            raise registry_error(
                "XDM-1021-400",
                "Namespace validation error",
                f"A custom field is defined under an invalid namespace: {name}. All custom fields "
                f"must be defined under a top-level field named {namespace}.",
            )
    return {name: _typed(field, f"/{name}") for name, field in properties.items()}


def check_required(field: JsonObject, path: str) -> None:
    """See that an object requires only fields that it has.

    Raises:
        ApiError: 400 when not.
    """
    required = field.get("required", [])
    known = field.get("properties", {})
    if not isinstance(required, list) or not all(
        isinstance(name, str) and name in known for name in required
    ):
        raise bad(f"{path}: required must list properties that are there")


def check_unique(properties: JsonObject, path: str = "") -> None:
    """See that no two names of one level differ in case only.

    Raises:
        ApiError: 400 when two do.
    """
    seen: dict[str, str] = {}
    for name, field in properties.items():
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise bad(
                f"the fields {path}/{other} and {path}/{name} differ in upper and lower case only"
            )
        while isinstance(field.get("items"), dict):
            field = field["items"]  # noqa: PLW2901 - the field that an array is made of
        check_unique(field.get("properties", {}), f"{path}/{name}")


def bad(detail: str) -> Exception:
    """400 with a code of the emulator's own, as none is documented."""
    return registry_error("EMULATOR-XDM-400", "Field validation error", detail)


def _typed(field: Any, path: str) -> JsonObject:
    if not isinstance(field, dict):
        raise bad(f"{path}: a field must be an object")
    kind = field.get("type")
    if kind not in _TYPES:
        raise bad(f"{path}: there is no type {kind!r}; the types are {', '.join(_TYPES)}")
    for key in _NUMERIC_KEYS:
        if key in field and (
            isinstance(field[key], bool) or not isinstance(field[key], (int, float))
        ):
            raise bad(f"{path}: {key} must be a number")
    _check_enum(field, path)
    if kind == "object":
        return _typed_object(field, path)
    if kind == "array":
        if not isinstance(field.get("items"), dict):
            raise bad(f"{path}: an array needs items")
        return {**field, "items": _typed(field["items"], f"{path}[]"), "meta:xdmType": "array"}
    if kind == "string":
        _check_string(field, path)
    return {**field, "meta:xdmType": _scalar_type(field, kind)}


def _typed_object(field: JsonObject, path: str) -> JsonObject:
    if "additionalProperties" in field or field.get("meta:xdmType") == "map":
        return _typed_map(field, path)
    properties = field.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise bad(
            f"{path}: an object needs properties, a map meta:xdmType and additionalProperties"
        )
    for name in properties:
        if not _NAME.fullmatch(name):
            raise bad(
                f"{path}: the name {name!r} is not allowed; a name has letters, digits, - and _, "
                "and does not begin with _"
            )
    check_required(field, path)
    typed = {name: _typed(item, f"{path}/{name}") for name, item in properties.items()}
    return {**field, "properties": typed, "meta:xdmType": "object"}


def _typed_map(field: JsonObject, path: str) -> JsonObject:
    items = field.get("additionalProperties")
    if field.get("meta:xdmType") != "map" or not isinstance(items, dict) or "properties" in field:
        raise bad(f'{path}: a map needs "meta:xdmType": "map", additionalProperties, no properties')
    if items.get("type") not in _MAP_TYPES:
        raise bad(f"{path}: the values of a map are of type string or integer")
    return {**field, "additionalProperties": _typed(items, f"{path}/*")}


def _check_enum(field: JsonObject, path: str) -> None:
    values = field.get("enum", ["any"])
    known = str if field["type"] == "string" else (str, int, float)
    if not isinstance(values, list) or not values or not all(isinstance(v, known) for v in values):
        raise bad(f"{path}: enum must be a list of values of the field's type")


def _check_string(field: JsonObject, path: str) -> None:
    if not isinstance(field.get("format", ""), str):
        raise bad(f"{path}: format must be text")
    try:
        re.compile(field.get("pattern", ""))
    except (re.error, TypeError) as error:
        raise bad(f"{path}: pattern is no regular expression") from error


def _scalar_type(field: JsonObject, kind: str) -> str:
    if kind == "string":
        name = field.get("format", "")
        return name if name in ("date", "date-time") else "string"
    if kind != "integer":
        return kind
    limits = (field.get("minimum"), field.get("maximum"))
    for name, known in _INTEGERS.items():
        if limits == known:
            return name
    least, most = _INTEGERS["int"]
    is_long = (limits[0] or 0) < least or (limits[1] or 0) > most
    return "long" if is_long else "int"

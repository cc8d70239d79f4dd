"""Which changes of a schema only add, and which break what is there.

Source: AdobeDocs/experience-platform.en `help/xdm/schema/composition.md` ("Evolution"): from the
first dataset on, or once the schema is Profile-enabled, fields may be added, requirements loosened
and texts changed; removing, renaming, redefining and restricting are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.aep.model import JsonObject

_LOWEST = ("minimum", "minLength", "minItems", "exclusiveMinimum")
_HIGHEST = ("maximum", "maxLength", "maxItems", "exclusiveMaximum")


def breaking_changes(old: JsonObject, new: JsonObject, path: str = "") -> Iterator[str]:
    """What about a field, or a whole flattened schema, would break; one text for each.

    Args:
        old: As it is.
        new: As it would be.
        path: Where it stands, such as `/web/webReferrer`.
    """
    for key in ("type", "meta:xdmType", "format"):
        if old.get(key) != new.get(key):
            yield f"{path}: {key} would change from {old.get(key)} to {new.get(key)}"
            return
    yield from _restrictions(old, new, path)
    yield from _of_properties(old, new, path)
    for key, sign in (("items", "[]"), ("additionalProperties", "/*")):
        if isinstance(old.get(key), dict):
            yield from breaking_changes(old[key], new.get(key) or {}, path + sign)


def _of_properties(old: JsonObject, new: JsonObject, path: str) -> Iterator[str]:
    known: JsonObject = old.get("properties", {})
    kept: JsonObject = new.get("properties", {})
    for name, field in known.items():
        if name in kept:
            yield from breaking_changes(field, kept[name], f"{path}/{name}")
        else:
            yield f"{path}/{name}: would be removed"
    for name in new.get("required", []):
        if name in known and name not in old.get("required", []):
            yield f"{path}/{name}: would become required"


def _restrictions(old: JsonObject, new: JsonObject, path: str) -> Iterator[str]:
    if "enum" in new and not set(old.get("enum", [None])) <= set(new["enum"]):
        yield f"{path}: enum would allow fewer values"
    if "pattern" in new and old.get("pattern") != new["pattern"]:
        yield f"{path}: pattern would change"
    for key in _LOWEST:
        if key in new and (key not in old or new[key] > old[key]):
            yield f"{path}: {key} would be raised"
    for key in _HIGHEST:
        if key in new and (key not in old or new[key] < old[key]):
            yield f"{path}: {key} would be lowered"

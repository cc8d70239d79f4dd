"""Small builders for flattened (`xed-full`) XDM schemas.

Types and ranges: AdobeDocs/experience-platform.en `help/xdm/schema/field-constraints.md`. Integers
are `int` (32 bits) unless built with `long`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emulators.aep.model import JsonObject

EXPERIENCE_EVENT = "https://ns.adobe.com/xdm/context/experienceevent"
PROFILE = "https://ns.adobe.com/xdm/context/profile"
LONG_LIMIT = 2**53 - 1


def string(**constraints: Any) -> JsonObject:
    """A string, with keywords such as `format`, `pattern`, `enum`, `minLength`, `maxLength`."""
    return {"type": "string", "meta:xdmType": "string", **constraints}


def date_time() -> JsonObject:
    """An instant."""
    return {"type": "string", "format": "date-time", "meta:xdmType": "date-time"}


def number(**constraints: Any) -> JsonObject:
    """A double."""
    return {"type": "number", "meta:xdmType": "number", **constraints}


def integer(**constraints: Any) -> JsonObject:
    """A 32-bit integer."""
    limits = {"minimum": -(2**31), "maximum": 2**31 - 1}
    return {"type": "integer", "meta:xdmType": "int", **limits, **constraints}


def long() -> JsonObject:
    """An integer of up to 53 bits, the range of XDM's `long`."""
    return {
        "type": "integer",
        "meta:xdmType": "long",
        "minimum": -LONG_LIMIT,
        "maximum": LONG_LIMIT,
    }


def boolean() -> JsonObject:
    """A boolean."""
    return {"type": "boolean", "meta:xdmType": "boolean"}


def array_of(items: JsonObject) -> JsonObject:
    """An array."""
    return {"type": "array", "meta:xdmType": "array", "items": items}


def map_of(items: JsonObject) -> JsonObject:
    """A map with any keys."""
    return {"type": "object", "meta:xdmType": "map", "additionalProperties": items}


def struct(properties: Mapping[str, JsonObject], required: Sequence[str] = ()) -> JsonObject:
    """An object with these fields and no others."""
    built: JsonObject = {
        "type": "object",
        "meta:xdmType": "object",
        "properties": dict(properties),
    }
    if required:
        built["required"] = list(required)
    return built


def event_core() -> dict[str, JsonObject]:
    """The fields of the ExperienceEvent class (adobe/xdm `classes/experienceevent.schema.json`)."""
    return {
        "_id": string(format="uri-reference"),
        "timestamp": date_time(),
        "eventType": string(),
        "producedBy": string(),
        "eventMergeId": string(),
        "identityMap": identity_map(),
    }


def profile_core() -> dict[str, JsonObject]:
    """Fields of the Profile class (adobe/xdm `classes/profile.schema.json`)."""
    return {
        "_id": string(format="uri-reference"),
        "personID": string(),
        "identityMap": identity_map(),
    }


def identity_map() -> JsonObject:
    """Lists of identities by namespace (adobe/xdm `datatypes/identityitem.schema.json`)."""
    identity = struct(
        {
            "id": string(),
            "authenticatedState": string(enum=["ambiguous", "authenticated", "loggedOut"]),
            "primary": boolean(),
        }
    )
    return map_of(array_of(identity))


def event_schema(title: str, *groups: Mapping[str, JsonObject]) -> JsonObject:
    """A schema of class ExperienceEvent with the core fields and those of the groups.

    The Schema Registry's own keys (`$id`, `meta:altId`, `version`) come with its installation.
    """
    properties = event_core()
    for group in groups:
        properties.update(group)
    return {
        "title": title,
        "meta:class": EXPERIENCE_EVENT,
        "meta:extends": [EXPERIENCE_EVENT, "https://ns.adobe.com/xdm/data/time-series"],
        **struct(properties, ["_id", "timestamp"]),
    }

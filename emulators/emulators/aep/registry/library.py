"""The global container: Adobe's classes and standard field groups, as the registry serves them.

Ids, titles and fields follow adobe/xdm (`components/classes`, `components/fieldgroups/
experience-event`, commit 4a4fc5f8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.documents import digest
from emulators.aep.xdm_groups import channel, end_user_ids, standard_groups
from emulators.aep.xdm_schema import EXPERIENCE_EVENT, PROFILE, event_core, profile_core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulators.aep.model import JsonObject

TIME_SERIES = "https://ns.adobe.com/xdm/data/time-series"
RECORD = "https://ns.adobe.com/xdm/data/record"

_IDENTITY_MAP = "https://ns.adobe.com/xdm/context/identitymap"
_EXTENSIBLE = "https://ns.adobe.com/xdm/common/extensible"
_VERSION = "1.42.0"
_CREATED = 1_640_995_200_000


def global_classes() -> dict[str, JsonObject]:
    """ExperienceEvent and Individual Profile by `$id`."""
    event = _resource(
        EXPERIENCE_EVENT, "classes", "XDM ExperienceEvent", event_core(), ["_id", "timestamp"]
    )
    event["meta:extends"] = [TIME_SERIES, _IDENTITY_MAP, _EXTENSIBLE]
    profile = _resource(PROFILE, "classes", "XDM Individual Profile", profile_core())
    profile["meta:extends"] = [RECORD, _IDENTITY_MAP, _EXTENSIBLE]
    return {EXPERIENCE_EVENT: event, PROFILE: profile}


def global_field_groups() -> dict[str, JsonObject]:
    """The standard field groups for ExperienceEvents by `$id`."""
    fields = {**standard_groups(), "channel": channel(), "endUserIDs": end_user_ids()}
    groups = {}
    for suffix, title, names in (
        ("environment-details", "Environment Details", ("environment", "device", "placeContext")),
        ("web", "Web Details", ("web",)),
        ("marketing", "Campaign Marketing Details", ("marketing",)),
        ("application", "Application Details", ("application",)),
        ("implementation-details", "Implementation Details", ("implementationDetails",)),
        ("commerce", "Commerce Details", ("commerce", "productListItems")),
        ("channel", "Channel Details", ("channel",)),
        ("enduserids", "End User ID Details", ("endUserIDs",)),
    ):
        identifier = f"{EXPERIENCE_EVENT}-{suffix}"
        own = {name: fields[name] for name in names}
        group = _resource(identifier, "mixins", title, own)
        group["meta:intendedToExtend"] = [EXPERIENCE_EVENT]
        groups[identifier] = group
    return groups


def _resource(
    identifier: str,
    kind: str,
    title: str,
    properties: dict[str, JsonObject],
    required: Sequence[str] = (),
) -> JsonObject:
    name = identifier.rpartition("/")[2]
    own: JsonObject = {"properties": properties}
    if required:
        own["required"] = list(required)
    return {
        "$id": identifier,
        "meta:altId": f"_xdm.context.{name}",
        "meta:resourceType": kind,
        "version": _VERSION,
        "title": title,
        "type": "object",
        "description": f"Fields of {title}.",
        "definitions": {name: own},
        "allOf": [{"$ref": f"#/definitions/{name}", "type": "object", "meta:xdmType": "object"}],
        "meta:extensible": True,
        "meta:abstract": True,
        "meta:xdmType": "object",
        "meta:status": "stable",
        "$schema": "http://json-schema.org/draft-06/schema#",
        "meta:registryMetadata": {
            "repo:createdDate": _CREATED,
            "repo:lastModifiedDate": _CREATED,
            "eTag": digest(identifier),
            "meta:globalLibVersion": _VERSION,
        },
        "meta:containerId": "global",
    }

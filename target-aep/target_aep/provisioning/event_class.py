"""The fields that Adobe's class XDM ExperienceEvent brings by itself.

classes/experienceevent.schema.json and datatypes/identityitem.schema.json in adobe/xdm.
"""

from __future__ import annotations

import typing as t

_TEXT: t.Final = {"type": "string"}


def event_class() -> dict[str, t.Any]:
    """The class as a schema of nothing else."""
    identity = {
        "type": "object",
        "properties": {
            "id": _TEXT,
            "authenticatedState": {
                "type": "string",
                "enum": ["ambiguous", "authenticated", "loggedOut"],
            },
            "primary": {"type": "boolean"},
        },
    }
    identities = {"type": "array", "items": identity}
    return {
        "type": "object",
        "properties": {
            "_id": {"type": "string", "format": "uri-reference"},
            "timestamp": {"type": "string", "format": "date-time"},
            "eventType": _TEXT,
            "producedBy": _TEXT,
            "eventMergeId": _TEXT,
            "identityMap": {
                "type": "object",
                "meta:xdmType": "map",
                "additionalProperties": identities,
            },
        },
        "required": ["_id", "timestamp"],
    }

"""Mapping sets as Data Prep takes and gives them: what it refuses, and what it adds.

Source: AdobeDocs/experience-platform.en `help/data-prep/api/mapping-set.md` and `data-prep.yaml` of
AdobeDocs/experience-platform-apis. Nobody documents what becomes of unknown fields: refusing them
is the stricter reading, which shows a client that sends its own additions.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulators.aep.errors import problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulators.aep.model import JsonObject

SERVED_TYPES = {
    "ATTRIBUTE": "text/x.schema-path",
    "EXPRESSION": "text/x.aep-xl",
    "STATIC": "text/plain",
}
"""How GET spells the source types that POST takes."""

_AUDIT = frozenset({"id", "version", "createdBy", "createdDate", "modifiedBy", "modifiedDate"})
_SET_FIELDS = _AUDIT | {
    "name", "inputSchema", "outputSchema", "mappings", "supportVersion", "allowNullValues",
    "strictMapping", "status", "xdmVersion", "schemaRef", "xdmSchema", "tags",
}  # fmt: skip
_MAPPING_FIELDS = _AUDIT | {
    "name", "description", "sourceType", "source", "sourceAttribute", "sourceExpression",
    "destination", "destinationXdmPath", "identity", "primaryIdentity", "identityGroup",
    "namespaceCode", "functionVersion", "matchScore", "expressionAttributes",
}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A mapping as far as it decides something: its type as POST spells it."""

    source_type: str
    source: str
    destination: str


def operations(mapping_set: JsonObject) -> list[Operation]:
    """The mappings of a set.

    Raises:
        ApiError: 400 when the set, or one of its mappings, is not of their form.
    """
    _refuse_unknown("mapping set", mapping_set, _SET_FIELDS)
    schema_ref = _object(mapping_set, "outputSchema").get("schemaRef")
    if not isinstance(schema_ref, dict) or not all(
        schema_ref.get(key) for key in ("id", "contentType")
    ):
        raise _bad("outputSchema.schemaRef with id and contentType is mandatory")
    entries = mapping_set.get("mappings")
    if not isinstance(entries, list) or not entries:
        raise _bad("mappings is mandatory and must not be empty")
    return [_operation(entry) for entry in entries]


def schema_id(mapping_set: JsonObject) -> str:
    """The `$id` of the schema that a set maps to."""
    return str(mapping_set["outputSchema"]["schemaRef"]["id"])


def served(
    mapping_set: JsonObject, identifier: str, version: int, created: int, modified: int
) -> JsonObject:
    """A set as GET gives it: with both spellings of sources and destinations.

    Args:
        mapping_set: As it was sent.
        identifier: Its id.
        version: Its version.
        created: Epoch milliseconds.
        modified: Epoch milliseconds.
    """
    audit: JsonObject = {
        "version": version,
        "createdDate": created,
        "modifiedDate": modified,
        "createdBy": "emulator",
        "modifiedBy": "emulator",
    }
    output = mapping_set["outputSchema"]
    return {
        **mapping_set,
        "id": identifier,
        **audit,
        "supportVersion": "1.1",
        "outputSchema": {"id": _new_id(), "version": 0, **output},
        "mappings": [
            _served_mapping(entry, operation, audit)
            for entry, operation in zip(
                mapping_set["mappings"], operations(mapping_set), strict=True
            )
        ],
        "status": "PUBLISHED",
        "strictMapping": False,
        "allowNullValues": False,
        "xdmVersion": "1.0",
        "schemaRef": output["schemaRef"],
        "xdmSchema": output["schemaRef"]["id"],
    }


def _served_mapping(entry: JsonObject, operation: Operation, audit: JsonObject) -> JsonObject:
    names: JsonObject = {key: entry[key] for key in ("name", "description") if key in entry}
    return {
        "id": _new_id(),
        **audit,
        **names,
        "sourceType": SERVED_TYPES[operation.source_type],
        "source": operation.source,
        "destination": operation.destination,
        "identity": bool(entry.get("identity", False)),
        "primaryIdentity": bool(entry.get("primaryIdentity", False)),
        "matchScore": 0.0,
        "functionVersion": 1,
        "sourceAttribute": operation.source,
        "destinationXdmPath": operation.destination,
    }


def _operation(entry: Any) -> Operation:
    if not isinstance(entry, dict):
        raise _bad("a mapping must be an object")
    _refuse_unknown("mapping", entry, _MAPPING_FIELDS)
    spelled = str(entry.get("sourceType") or "ATTRIBUTE")
    source_type = {value: key for key, value in SERVED_TYPES.items()}.get(spelled, spelled)
    if source_type not in SERVED_TYPES:
        raise _bad(f"sourceType {spelled} is not one of {', '.join(SERVED_TYPES)}")
    source = _text(entry, ("source", "sourceAttribute", "sourceExpression"))
    return Operation(source_type, source, _text(entry, ("destination", "destinationXdmPath")))


def _text(entry: JsonObject, keys: Iterable[str]) -> str:
    texts = [entry[key] for key in keys if isinstance(entry.get(key), str)]
    if not texts or not texts[0]:
        raise _bad(f"a mapping without {next(iter(keys))}")
    return str(texts[0])


def _object(value: JsonObject, key: str) -> JsonObject:
    part = value.get(key)
    return part if isinstance(part, dict) else {}


def _refuse_unknown(what: str, value: JsonObject, known: frozenset[str]) -> None:
    unknown = sorted(value.keys() - known)
    if unknown:
        raise _bad(f"Unrecognized field of a {what}: {unknown[0]}")


def _bad(detail: str) -> Exception:
    return problem(400, "Bad Request", detail)


def _new_id() -> str:
    return uuid.uuid4().hex

"""Mapping sets of any generation and spelling in the current one: `target-aep mapping convert`.

The current form is that of help/data-prep/api/mapping-set.md in AdobeDocs/experience-platform.en:
`sourceType`, `source` and `destination`, with the old names beside them as exports have them, and
`outputSchema.schemaRef` in place of the oldest generation's `xdmSchema`. What this package adds to
mapping sets stays.
"""

from __future__ import annotations

import re
import typing as t

from target_aep.mapping.generations import parse_mapping_set, unwrapped

if t.TYPE_CHECKING:
    from target_aep.mapping.model import Mapping

Document = dict[str, t.Any]

_NAMESPACE = "https://ns.adobe.com"
_ALIAS = re.compile(r"_([A-Za-z0-9]+)\.(schemas|classes|mixins)\.([0-9A-Za-z]+)")
_CONTENT_TYPE = "application/vnd.adobe.xed-full+json;version={}"
# The oldest generation's; what they say has moved.
_SET_DROPPED = frozenset({"xdmSchema", "xdmVersion", "schemaRef", "transformScript", "mappings"})
_MAPPING_DROPPED = frozenset({"sourceExpression"})


def convert(document: t.Any, name: str) -> Document:
    """Bring a mapping set into the current form.

    Args:
        document: As `parse_mapping_set` takes it.
        name: How messages call it.

    Returns:
        A new document. Converting that again changes nothing.

    Raises:
        MappingSetError: It is not a mapping set; all mistakes.
    """
    mappings = parse_mapping_set(document, name).mappings
    body = unwrapped(document, name)
    kept = {key: value for key, value in body.items() if value is not None}
    entries = [_entry(*pair) for pair in zip(body["mappings"], mappings, strict=True)]
    reference = _schema_reference(kept)
    output = kept.pop("outputSchema", None)
    converted: Document = {key: kept[key] for key in ("id", "name") if key in kept}
    converted["version"] = _whole_number(kept.pop("version", 0))
    if reference:
        converted["outputSchema"] = {
            **(output if isinstance(output, dict) else {}),
            "schemaRef": reference,
        }
    converted.update({key: value for key, value in kept.items() if key not in _SET_DROPPED})
    converted["mappings"] = entries
    return converted


def _entry(entry: Document, mapping: Mapping) -> Document:
    current = {
        "sourceType": mapping.source_type,
        "source": mapping.source,
        "sourceAttribute": mapping.source,
        "destination": mapping.destination,
        "destinationXdmPath": mapping.destination,
    }
    others = {
        key: value
        for key, value in entry.items()
        if value is not None and key not in _MAPPING_DROPPED and key not in current
    }
    return {**current, **others}


def _schema_reference(body: Document) -> Document | None:
    """The schema that a set maps to, by whichever key says it."""
    output = body.get("outputSchema")
    for candidate in (output if isinstance(output, dict) else {}, body):
        reference = candidate.get("schemaRef")
        if isinstance(reference, dict) and isinstance(reference.get("id"), str):
            given = reference.get("contentType")
            return {**reference, "contentType": _content_type(given or body.get("xdmVersion"))}
    schema = body.get("xdmSchema")
    if not isinstance(schema, str) or not schema:
        return None
    return {"id": _uri(schema), "contentType": _content_type(body.get("xdmVersion"))}


def _uri(schema: str) -> str:
    """The URI of a schema, which old sets may name by its alias `_tenant.schemas.digest`."""
    alias = _ALIAS.fullmatch(schema)
    return f"{_NAMESPACE}/{alias[1]}/{alias[2]}/{alias[3]}" if alias else schema


def _content_type(given: t.Any) -> str:
    """The content type of a schema; old sets have only its version there, `1.0`."""
    text = str(given or "1")
    major = re.fullmatch(r"(\d+)(?:\.\d+)*", text)
    return _CONTENT_TYPE.format(major[1]) if major else text


def _whole_number(value: t.Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

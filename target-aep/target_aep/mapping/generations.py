"""Mapping sets of every generation, as one form.

The oldest has `sourceAttribute` and `destinationXdmPath` and no `sourceType`; exports carry old
and new names side by side; GET answers with other spellings of `sourceType` than POST takes
(help/data-prep/api/mapping-set.md and help/sources/tutorials/api/collect in
AdobeDocs/experience-platform.en, data-prep.yaml in AdobeDocs/experience-platform-apis). Keys that
say nothing about the mapping itself are passed over.
"""

from __future__ import annotations

import typing as t

from target_aep.data_prep.policies import Policies
from target_aep.errors import MappingSetError
from target_aep.mapping.compiled_mapping import CompiledMapping, compile_mapping
from target_aep.mapping.model import TENANT, Mapping, MappingMistakesError, MappingSet, Remainder

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.mapping.model import MissingFields, SourceType

Entry = dict[str, t.Any]

_SOURCE_TYPES: t.Final[dict[str, SourceType]] = {
    "attribute": "ATTRIBUTE",
    "text/x.schema-path": "ATTRIBUTE",
    "schema-path": "ATTRIBUTE",
    "expression": "EXPRESSION",
    "text/x.aep-xl": "EXPRESSION",
    "static": "STATIC",
    "text/plain": "STATIC",
}
_DESTINATIONS = ("destination", "destinationXdmPath")
# The first that is given counts.
_SOURCES: t.Final[dict[SourceType, tuple[str, ...]]] = {
    "ATTRIBUTE": ("source", "sourceAttribute"),
    "EXPRESSION": ("source", "sourceExpression", "sourceAttribute"),
    "STATIC": ("source", "sourceAttribute"),
}
_ANY_SOURCE = ("source", "sourceAttribute", "sourceExpression")
_MISSING_FIELDS: t.Final[tuple[MissingFields, ...]] = ("error", "leave_out")


def parse_mapping_set(document: t.Any, name: str) -> MappingSet:
    """Read a decoded mapping set.

    Args:
        document: The object of `GET /mappingSets/{id}`, a list of such objects as `data` that has
            only one, an object with a `mappingSet`, a list of mappings, or one mapping.
        name: How messages call it.

    Returns:
        The mapping set.

    Raises:
        MappingMistakesError: Mappings are malformed; complaints about them, and about paths and
            expressions of the others.
        MappingSetError: It is not of a mapping set's form.
    """
    body = unwrapped(document, name)
    entries = body.get("mappings")
    if not isinstance(entries, list) or not entries:
        raise MappingSetError(
            f"mapping set {name}: expected an object with a non-empty list 'mappings', as "
            "GET /mappingSets/{id} gives it, or that list itself"
        )
    mappings: dict[int, Mapping] = {}
    mistakes: dict[int, list[str]] = {}
    notes: list[str] = []
    for number, entry in enumerate(entries, start=1):
        where = f"mapping set {name}, mapping {number}"
        try:
            mappings[number] = _parse_mapping(entry)
            notes.extend(f"{where}: {note}" for note in _odd_spellings(entry))
        except MappingSetError as error:
            mistakes[number] = [str(error)]
    if mistakes:
        mistakes |= {number: _mistakes_in(number, each) for number, each in mappings.items()}
        raise MappingMistakesError(
            [
                f"mapping set {name}, mapping {number}: {mistake}"
                for number, found in sorted(mistakes.items())
                for mistake in found
            ]
        )
    return MappingSet(
        name=name,
        mappings=tuple(mappings.values()),
        remainder=_parse_remainder(body.get("remainder"), name),
        missing_fields=_missing_fields(body, name),
        identities=_identities(body, name),
        notes=tuple(notes),
    )


def unwrapped(document: t.Any, name: str) -> Entry:
    """The object that has `mappings`, out of what it may be wrapped in.

    Raises:
        MappingSetError: There are several.
    """
    if isinstance(document, dict) and isinstance(document.get("mappingSet"), dict):
        document = document["mappingSet"]
    if isinstance(document, dict) and isinstance(document.get("data"), list):
        document = document["data"]
    if isinstance(document, dict):
        is_mapping = "mappings" not in document and any(key in document for key in _DESTINATIONS)
        return {"mappings": [document]} if is_mapping else document
    if not isinstance(document, list):
        return {}
    sets = [entry for entry in document if isinstance(entry, dict) and "mappings" in entry]
    if not sets:
        return {"mappings": document}
    if len(sets) > 1:
        known = ", ".join(str(each.get("id") or each.get("name")) for each in sets[:20])
        raise MappingSetError(
            f"mapping set {name}: {len(sets)} mapping sets ({known}); keep the one that is meant"
        )
    return sets[0]


def _parse_mapping(entry: t.Any) -> Mapping:
    if not isinstance(entry, dict):
        raise MappingSetError(
            "not an object; each mapping is one with 'sourceType', 'source' and 'destination'"
        )
    source_type = _source_type(entry)
    source = _first_text(entry, _SOURCES[source_type])
    destination = _first_text(entry, _DESTINATIONS)
    if source is None:
        raise MappingSetError(_absence(entry, "source", _SOURCES[source_type]))
    if destination is None:
        raise MappingSetError(_absence(entry, "destination", _DESTINATIONS))
    replaces = entry.get("replaces", False)
    if not isinstance(replaces, bool):
        raise MappingSetError("'replaces' must be true or false")
    return Mapping(source_type, source, destination, replaces)


def _mistakes_in(number: int, mapping: Mapping) -> list[str]:
    """What is wrong with paths and expressions; nothing where placeholders are to be filled."""
    filled = mapping.with_variables({TENANT: "tenant"})
    if "${" in filled.source or "${" in filled.destination:
        return []
    compiled = compile_mapping(number, filled, Policies())
    return [] if isinstance(compiled, CompiledMapping) else compiled


def _source_type(entry: Entry) -> SourceType:
    spelled = entry.get("sourceType")
    if not spelled:
        has_path = _first_text(entry, _SOURCES["ATTRIBUTE"]) is not None
        is_expression = not has_path and isinstance(entry.get("sourceExpression"), str)
        return "EXPRESSION" if is_expression else "ATTRIBUTE"
    source_type = _SOURCE_TYPES.get(str(spelled).strip().lower())
    if source_type is None:
        raise MappingSetError(
            f"unknown sourceType {str(spelled)[:80]!r}, expected ATTRIBUTE, EXPRESSION or STATIC"
        )
    return source_type


def _absence(entry: Entry, name: str, keys: tuple[str, ...]) -> str:
    given = next((key for key in keys if entry.get(key) is not None), None)
    if given:
        return f"{given!r} must be a text, in quotes"
    return f"{name!r} is missing; add it as a text"


def _first_text(entry: Entry, keys: tuple[str, ...]) -> str | None:
    return next((entry[key] for key in keys if isinstance(entry.get(key), str)), None)


def _odd_spellings(entry: Entry) -> Iterator[str]:
    """Old and new names that do not agree; the new one has been taken."""
    for keys in (_ANY_SOURCE, _DESTINATIONS):
        texts = {key: entry[key] for key in keys if isinstance(entry.get(key), str)}
        first, *others = texts
        for other in others:
            if texts[other] != texts[first]:
                yield f"{first!r} and {other!r} differ; {first!r} is taken"


def _missing_fields(body: Entry, name: str) -> MissingFields:
    given = body.get("missingFields", "error")
    if given not in _MISSING_FIELDS:
        raise MappingSetError(
            f"mapping set {name}: 'missingFields' must be {' or '.join(_MISSING_FIELDS)}"
        )
    return t.cast("MissingFields", given)


def _identities(body: Entry, name: str) -> tuple[Entry, ...]:
    given = body.get("identities")
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise MappingSetError(
            f"mapping set {name}: 'identities' must be a list of objects with 'field' and "
            "'namespace'"
        )
    return tuple(given)


def _parse_remainder(document: t.Any, name: str) -> Remainder | None:
    if document is None:
        return None
    where = f"mapping set {name}: 'remainder'"
    if not isinstance(document, dict):
        raise MappingSetError(f"{where} is not an object")
    missing = [key for key in ("source", "fields", "rest") if not _is_text(document.get(key))]
    if missing:
        raise MappingSetError(f"{where} needs the texts {', '.join(missing)}")
    columns = document.get("columns", {})
    if not isinstance(columns, dict) or not all(map(_is_text, columns.values())):
        raise MappingSetError(f"{where}: 'columns' must give a property's name for each column")
    return Remainder(document["source"], document["fields"], document["rest"], dict(columns))


def _is_text(value: t.Any) -> bool:
    return isinstance(value, str) and bool(value)

"""Mapping sets: which source goes to which XDM path.

The form is that of Adobe's Data Prep API (`POST /conversion/mappingSets`): a list of mappings of
`sourceType`, `source` and `destination`, in any of its published spellings
(help/data-prep/api/mapping-set.md in AdobeDocs/experience-platform.en). Two sets come with the
package, as data files in `mappings/`.

One addition of ours: `remainder` says where the properties go that no mapping has placed.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from target_aep.errors import MappingSetError

BUILT_IN: t.Final = ("mixpanel", "adobe-source")

SourceType = t.Literal["ATTRIBUTE", "EXPRESSION", "STATIC"]

# POST takes the first spelling, GET answers with the second (mapping-set API guide).
_SOURCE_TYPES: dict[str, SourceType] = {
    "attribute": "ATTRIBUTE",
    "text/x.schema-path": "ATTRIBUTE",
    "schema-path": "ATTRIBUTE",
    "expression": "EXPRESSION",
    "text/x.aep-xl": "EXPRESSION",
    "static": "STATIC",
    "text/plain": "STATIC",
}
_TENANT = "${TENANT_ID}"


@dataclass(frozen=True)
class Mapping:
    """One source to one XDM path."""

    source_type: SourceType
    source: str
    destination: str


@dataclass(frozen=True)
class Remainder:
    """Where the properties go that no mapping has placed.

    `source` is the object of properties in the record, `fields` the XDM object whose known fields
    they may fill, `rest` the XDM map of text that takes all others, and `columns` names, for each
    column of the record that repeats a property, that property.
    """

    source: str
    fields: str
    rest: str
    columns: dict[str, str]


@dataclass(frozen=True)
class MappingSet:
    """A named list of mappings and, if it has one, its remainder rule."""

    name: str
    mappings: tuple[Mapping, ...]
    remainder: Remainder | None = None

    @property
    def needs_tenant(self) -> bool:
        """Whether a path is under the tenant, whose id must then be known."""
        below = (self.remainder.fields, self.remainder.rest) if self.remainder else ()
        paths = (*(mapping.destination for mapping in self.mappings), *below)
        return any(_TENANT in path for path in paths)

    def for_tenant(self, tenant: str) -> MappingSet:
        """The same set with the tenant's id put in."""
        rest = self.remainder
        return MappingSet(
            name=self.name,
            mappings=tuple(
                Mapping(
                    mapping.source_type,
                    mapping.source,
                    mapping.destination.replace(_TENANT, tenant),
                )
                for mapping in self.mappings
            ),
            remainder=Remainder(
                rest.source,
                rest.fields.replace(_TENANT, tenant),
                rest.rest.replace(_TENANT, tenant),
                rest.columns,
            )
            if rest
            else None,
        )


def load_mapping_set(setting: t.Any) -> MappingSet:
    """Load the set that the `mapping` setting names.

    Args:
        setting: `mixpanel`, `adobe-source`, the path of a JSON file, or a mapping set itself, as
            an object, a list of mappings or JSON text of either.

    Returns:
        The mapping set.

    Raises:
        MappingSetError: There is no such file, it is not JSON, or not a mapping set.
    """
    if not isinstance(setting, str):
        return parse_mapping_set(setting, "inline")
    if setting in BUILT_IN:
        package = resources.files("target_aep") / "mappings" / f"{setting}.json"
        return parse_mapping_set(json.loads(package.read_text("utf-8")), setting)
    if setting.lstrip().startswith(("{", "[")):
        return parse_mapping_set(_decode(setting, "the text in it"), "inline")
    path = Path(setting)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise MappingSetError(
            f"can't read the file {setting}: {reason}. Give a file, a mapping set, or one of "
            f"{', '.join(BUILT_IN)}"
        ) from error
    return parse_mapping_set(_decode(text, f"the file {setting}"), path.name)


def _decode(text: str, what: str) -> t.Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MappingSetError(f"{what} is not JSON: {error}") from error


def parse_mapping_set(document: t.Any, name: str) -> MappingSet:
    """Read a decoded mapping set; `name` is how messages call it.

    Raises:
        MappingSetError: It is not of a mapping set's form; the message names the mapping.
    """
    if isinstance(document, list):
        document = {"mappings": document}
    entries = document.get("mappings") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise MappingSetError(
            f"mapping set {name}: expected an object with a non-empty list 'mappings'"
        )
    return MappingSet(
        name=name,
        mappings=tuple(
            _parse_mapping(entry, f"mapping set {name}, mapping {number}")
            for number, entry in enumerate(entries, start=1)
        ),
        remainder=_parse_remainder(document.get("remainder"), name),
    )


def _parse_mapping(entry: t.Any, where: str) -> Mapping:
    if not isinstance(entry, dict):
        raise MappingSetError(f"{where}: not an object")
    spelled = str(entry.get("sourceType") or "ATTRIBUTE")
    source_type = _SOURCE_TYPES.get(spelled.lower())
    if source_type is None:
        raise MappingSetError(
            f"{where}: unknown sourceType {spelled!r}, expected ATTRIBUTE, EXPRESSION or STATIC"
        )
    source = _first_text(entry, "source", "sourceAttribute", "sourceExpression")
    destination = _first_text(entry, "destination", "destinationXdmPath")
    if source is None:
        raise MappingSetError(f"{where}: 'source' is missing")
    if destination is None:
        raise MappingSetError(f"{where}: 'destination' is missing")
    return Mapping(source_type, source, destination)


def _first_text(entry: dict[str, t.Any], *keys: str) -> str | None:
    return next((entry[key] for key in keys if isinstance(entry.get(key), str)), None)


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

"""Properties that the catalog or ``exclude_properties`` deselects, and what follows from it.

The SDK takes what is deselected out of each record, below ``properties`` too, discovered or not.
A property that also has a column is in two places, though: what is deselected in one of them is
deselected in the other, parts of it included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import Metadata, MetadataMapping, StreamMetadata

from tap_mixpanel_export.events_schema import FIXED_COLUMN_OF, PROPERTIES, SCHEMA, typed_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from singer_sdk.singerlib import SelectionMask

    Breadcrumb = tuple[str, ...]

_KEY = "time"  # its column cannot be deselected
_COLUMN = ("properties", PROPERTIES)
_BELOW = (*_COLUMN, "properties")
_TO_RAW = len(_BELOW)


def exclude(metadata: MetadataMapping, schema: dict[str, Any], excluded: Collection[str]) -> None:
    """Deselect properties by their raw names, in both places."""
    for raw in excluded:
        _deselect(metadata, (*_BELOW, raw))
    for raw, column, _ in typed_columns(schema):
        if raw in excluded:
            _deselect(metadata, ("properties", column))


def mirror(metadata: MetadataMapping, schema: dict[str, Any]) -> None:
    """Deselect typed columns and what is below ``properties`` as the other of both places is."""
    columns = {column: raw for raw, column, _ in typed_columns(schema)}
    placed: dict[str, list[str]] = {}
    for column, raw in columns.items():
        placed.setdefault(raw, []).append(column)
    below = _deselected_below(metadata)
    for path in _deselected(metadata.resolve_selection()):
        if path[1:2] and path[1] in columns:
            _deselect(metadata, (*_BELOW, columns[path[1]], *path[2:]))
    for path in below:
        for column in placed.get(path[_TO_RAW], []):
            _deselect(metadata, ("properties", column, *path[_TO_RAW + 1 :]))


def _deselected_below(metadata: MetadataMapping) -> list[Breadcrumb]:
    """What is deselected below ``properties``, for reasons of its own.

    The column itself may be deselected without what is below it: its properties' columns stay.
    Meltano then deselects all of that as well, where it is told what to select.
    """
    itself = Metadata(selected=True)
    selection = MetadataMapping({**metadata, _COLUMN: itself}).resolve_selection()
    gone = [path for path in _deselected(selection) if path[:_TO_RAW] == _BELOW]
    listed = sum(1 for path in metadata if path[:-1] == _BELOW)
    is_gone = not metadata.resolve_selection()[_COLUMN]
    if is_gone and listed == sum(1 for path in gone if path[:-1] == _BELOW):
        return []
    return gone


def _deselected(selection: SelectionMask) -> list[Breadcrumb]:
    return [path for path, is_selected in selection.items() if not is_selected]


def _deselect(metadata: MetadataMapping, path: Breadcrumb) -> None:
    if not metadata:  # which selects everything, as long as it is empty
        metadata[()] = StreamMetadata(selected=True)
    entry = metadata[path]
    entry.selected = False
    if entry.inclusion == Metadata.InclusionType.AUTOMATIC:
        entry.inclusion = Metadata.InclusionType.AVAILABLE


def nameless(metadata: MetadataMapping, schema: dict[str, Any]) -> set[str]:
    """Return the deselected columns whose definition no longer tells of what they are."""
    columns = schema.get("properties", {})
    deselected = _deselected(metadata.resolve_selection())
    gone = {path[1] for path in deselected if len(path) == len(_COLUMN)}
    return {
        column
        for column in gone - SCHEMA["properties"].keys()
        if "title" not in columns.get(column, {})
    }


def halves(
    selection: Mapping[tuple[str, ...], bool], excluded: Collection[str] = ()
) -> Iterator[str]:
    """Yield a warning for each property that is deselected in one of its two places.

    Args:
        selection: Whether the catalog selects what is at a breadcrumb.
        excluded: Properties whose fixed columns are empty anyway.
    """
    if not selection[_COLUMN]:
        return
    for raw, column in FIXED_COLUMN_OF.items():
        below = selection[(*_BELOW, raw)]
        if column == _KEY or raw in excluded or below == selection["properties", column]:
            continue
        gone, left = (column, f"{PROPERTIES}.{raw}") if below else (f"{PROPERTIES}.{raw}", column)
        yield (
            f"the catalog deselects {gone}, but the same value still comes out in {left}: "
            "deselect both to leave it out"
        )


def listed_below(selection: Mapping[tuple[str, ...], bool]) -> dict[str, bool]:
    """Return the properties that the catalog lists below ``properties``, and if it selects them."""
    return {path[-1]: chosen for path, chosen in selection.items() if path[:-1] == _BELOW}

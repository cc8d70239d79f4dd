"""Copies of whole objects, which other mappings of the set complete.

Data Prep's object copy takes every attribute that the source object and the target have under the
same name; a mapping to a path below the target adds to it (help/data-prep/functions.md in
AdobeDocs/experience-platform.en). Here it does so wherever it stands in the set, and what it gives
wins over what the copy has there.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from target_aep.mapping.paths import path_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.paths import WildPath
    from target_aep.xdm.schema import XdmField

Document = dict[str, t.Any]


def merge(document: Document, other: Document) -> None:
    """Put an object into another: objects that both have are merged, other values replaced."""
    for key, value in other.items():
        put(document, key, value)


def put(document: Document, key: str, value: t.Any) -> None:
    """Put a value under a key; an object is merged into one that is there."""
    known = document.get(key)
    if isinstance(known, dict) and isinstance(value, dict):
        merge(known, value)
    else:
        document[key] = value


def completed(field: XdmField, below: Sequence[WildPath]) -> XdmField:
    """A field whose copy may lack what other mappings add to it.

    What is then still missing is found when the record is checked as a whole.

    Args:
        field: The field that an object is copied to.
        below: Paths, from the field on, that other mappings fill.
    """
    if field.kind == "array" and field.items:
        return replace(field, items=completed(field.items, [path[1:] for path in below]))
    if field.kind != "object":
        return field
    by_name: dict[t.Any, list[WildPath]] = {}
    for path in below:
        if path:
            by_name.setdefault(path[0], []).append(path[1:])
    return replace(
        field,
        required=tuple(name for name in field.required if name not in by_name),
        properties={
            name: completed(part, by_name[name]) if name in by_name else part
            for name, part in field.properties.items()
        },
    )


def unknown_parts_counter(
    copy: CompiledMapping,
    others: Iterable[CompiledMapping],
    count: Callable[[Iterable[str]], None],
) -> Callable[[str], None]:
    """What to do about a part of a copied object that the schema does not have: count it.

    A part that another mapping reads has its own place, so it is not lost.

    Args:
        copy: The mapping that copies.
        others: Mappings of the same set, itself included.
        count: Takes XDM paths of parts that are left out.
    """
    placed: set[str] = set()
    for path in copy.source.reads:
        for other in others:
            for read in other.source.reads:
                if len(read) > len(path) and read[: len(path)] == path:
                    placed.add(path_text(read[len(path) :]))
    start = len(copy.destination) + 1

    def tell(path: str) -> None:
        if path[start:] not in placed:
            count([path])

    return tell

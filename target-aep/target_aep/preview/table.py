"""Previewed records as text: what is sent beside what it was made of."""

from __future__ import annotations

import typing as t

from target_aep.loading.json_lines import json_text
from target_aep.mapping.paths import path_text
from target_aep.preview.previewer import notes_on

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.mapping.stream_mapping import StreamMapping
    from target_aep.preview.previewer import PlacedValue, PreviewedRecord

_WIDEST = 70
_LONGEST = 80


def heading(mapping: StreamMapping) -> Iterator[str]:
    """What is to be known of a stream before its first record."""
    schema = "with the dataset's schema" if mapping.schema else "without a schema"
    yield f"Stream {printable(mapping.stream)}: mapping set {mapping.mapping_set.name}, {schema}"
    for note in notes_on(mapping):
        yield f"  note: {printable(note)}"


def table(record: PreviewedRecord) -> Iterator[str]:
    """A record as a table, or why there is none."""
    yield ""
    name = f"Record {record.number} ({printable(record.stream)})"
    if record.reason is not None:
        yield f"{name}: REJECTED, {record.field or 'the record'}: {printable(record.reason)}"
        return
    yield f"{name}:"
    rows = [
        (f"{printable(path_text(each.path))} = {shown_value(each.value)}", source_of(each))
        for each in record.values
    ]
    width = min(_WIDEST, max(len(left) for left, _ in rows)) if rows else 0
    for left, right in rows:
        yield f"  {left:<{width}} | {right}".rstrip()
    for warning in record.warnings:
        yield f"  ! {printable(warning)}"


def as_json(record: PreviewedRecord) -> str:
    """A record as a line of JSON."""
    return json_text(
        {
            "stream": record.stream,
            "record": record.number,
            "xdm": record.xdm,
            "sources": {
                path_text(each.path): {
                    "mapping": each.origin.mapping.number if each.origin.mapping else None,
                    "source": each.origin.text,
                }
                for each in record.values
            },
            "rejected": record.reason and {"field": record.field, "reason": record.reason},
            "warnings": list(record.warnings),
        }
    )


def heading_as_json(mapping: StreamMapping) -> str:
    """What is to be known of a stream, as a line of JSON."""
    return json_text(
        {
            "stream": mapping.stream,
            "mapping_set": mapping.mapping_set.name,
            "has_schema": mapping.schema is not None,
            "notes": list(notes_on(mapping)),
        }
    )


def printable(text: str) -> str:
    """Text without characters that a terminal would obey or can't show."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def shown_value(value: t.Any, longest: int = _LONGEST) -> str:
    """A value as JSON, its middle left out if it is long."""
    text = printable(json_text(value))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def source_of(value: PlacedValue) -> str:
    """Where a value comes from: the number of the mapping, its source, and what that had."""
    origin = value.origin
    text = printable(origin.text)
    if origin.mapping is None:
        return text
    had = f" = {shown_value(origin.read)}" if value.was_converted else ""
    return f"{origin.mapping.number}: {text}{had}"

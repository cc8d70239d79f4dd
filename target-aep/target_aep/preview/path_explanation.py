"""What fills a path of XDM: `target-aep preview --explain PATH`."""

from __future__ import annotations

import difflib
import typing as t

from target_aep.mapping.destination_paths import complaint_about_path, field_at, parse_destination
from target_aep.mapping.model import TENANT
from target_aep.mapping.paths import parse_path, path_text
from target_aep.preview.provenance import fills, source_text

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.model import Remainder
    from target_aep.mapping.paths import Path, WildPath
    from target_aep.mapping.stream_mapping import StreamMapping
    from target_aep.preview.previewer import PlacedValue, PreviewedRecord
    from target_aep.xdm.schema import XdmField

_CONVERSIONS: t.Final[dict[str, str]] = {
    "any": "any value as it is",
    "string": "text as it is; numbers, true and false, and dates as text",
    "integer": "whole numbers, also as text; dates as milliseconds since 1970",
    "number": "numbers, also as text",
    "boolean": "true and false, also as y, yes, on, true, n, no, off, false",
    "date": "dates, text in one of Data Prep's patterns, milliseconds since 1970; the day is kept",
    "date-time": "dates, text in one of Data Prep's patterns, milliseconds since 1970",
    "object": "objects: what source and schema both have",
    "map": "objects, with any keys",
    "array": "lists",
}


def parse_wanted(text: str, tenant: str) -> WildPath:
    """The path that somebody asks about.

    Args:
        text: As they wrote it, with or without `${TENANT_ID}`.
        tenant: The tenant's id, without underscore.

    Raises:
        MappingSetError: It is not a path.
    """
    return parse_destination(text.replace(f"${{{TENANT}}}", tenant))


def explain(mapping: StreamMapping, wanted: WildPath) -> Iterator[str]:
    """Lines about what fills a path.

    Args:
        mapping: The stream's.
        wanted: The path.
    """
    field = field_at(mapping.schema, wanted) if mapping.schema else None
    name = mapping.mapping_set.name
    yield f"{path_text(wanted)} in the stream {mapping.stream}, mapping set {name}"
    yield f"  {_about_field(mapping, wanted, field)}"
    same = [each for each in mapping.compiled if each.steps == wanted]
    above = [each for each in mapping.compiled if _fills_from_above(each, wanted)]
    below = [each for each in mapping.compiled if _is_below(each, wanted)]
    yield from (f"  {line}" for line in _lines_of(same, above, below))
    other = _other_source(mapping, wanted)
    if other:
        yield f"  {other}"
    elif not (same or above or below):
        yield f"  no mapping fills it{_nearest(mapping, wanted)}"


def values_at(record: PreviewedRecord, wanted: WildPath) -> Iterator[PlacedValue]:
    """The values of a record at a path, and below it."""
    for value in record.values:
        if fills(wanted, value.path) or fills(value.path, t.cast("Path", wanted)):
            yield value


def _lines_of(
    same: Sequence[CompiledMapping],
    above: Sequence[CompiledMapping],
    below: Sequence[CompiledMapping],
) -> Iterator[str]:
    overridden = ""
    for each in above:
        yield (
            f"mapping {each.number}: {_source(each)} fills it as a part of {each.destination}, "
            "if the source has that part"
        )
        overridden = _overriding(overridden, each)
    for each in same:
        overrides = f"; overrides {overridden} where it has a value" if overridden else ""
        yield f"mapping {each.number}: {_source(each)}{overrides}"
        overridden = _overriding(overridden, each)
    for each in below:
        overrides = f"; overrides {overridden} there" if overridden else ""
        yield f"mapping {each.number}: {_source(each)} fills {each.destination}{overrides}"


def _overriding(before: str, mapping: CompiledMapping) -> str:
    return f"{before} and {mapping.number}" if before else f"mapping {mapping.number}"


def _source(mapping: CompiledMapping) -> str:
    kind = mapping.mapping.source_type.lower()
    return source_text(mapping) if kind == "static" else f"{kind} {source_text(mapping)}"


def _about_field(mapping: StreamMapping, wanted: WildPath, field: XdmField | None) -> str:
    if mapping.schema is None:
        return "no schema is known: values stay as they are, dates become RFC 3339 text"
    if field is None:
        complaint = complaint_about_path(mapping.schema, wanted) or ""
        return complaint.partition(": ")[2] or complaint
    return f"the schema's field is of type {field.kind}: it takes {_CONVERSIONS[field.kind]}"


def _fills_from_above(mapping: CompiledMapping, wanted: WildPath) -> bool:
    if mapping.steps == wanted or len(mapping.steps) > len(wanted):
        return False
    return fills(mapping.steps, t.cast("Path", wanted))


def _is_below(mapping: CompiledMapping, wanted: WildPath) -> bool:
    return len(mapping.steps) > len(wanted) and mapping.steps[: len(wanted)] == wanted


def _other_source(mapping: StreamMapping, wanted: WildPath) -> str | None:
    """What beside mappings fills a path."""
    if wanted[0] == "identityMap" and mapping.identities:
        return "the setting identities fills it, or that of the mapping set"
    rule = mapping.mapping_set.remainder
    return _remainder_text(rule, wanted) if rule else None


def _remainder_text(rule: Remainder, wanted: WildPath) -> str | None:
    rest, fields = parse_path(rule.rest), parse_path(rule.fields)
    if wanted[: len(rest)] == rest:
        return (
            f"remainder: the properties in {rule.source} that have no field of their own, as text"
        )
    if wanted[: len(fields)] == fields:
        return f"remainder: the properties in {rule.source} whose name a field here has"
    return None


def _nearest(mapping: StreamMapping, wanted: WildPath) -> str:
    numbers = {each.destination: each.number for each in mapping.compiled}
    near = difflib.get_close_matches(path_text(wanted), numbers, n=1, cutoff=0.5)
    return f"; the nearest destination is {near[0]} (mapping {numbers[near[0]]})" if near else ""

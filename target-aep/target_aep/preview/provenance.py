"""Which mapping has given a value of a record's XDM, told after the fact for people to read."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.data_prep.failures import EvaluationError
from target_aep.loading.json_lines import json_text
from target_aep.mapping.field_names import may_fill
from target_aep.mapping.list_sources import compile_iterator, compile_list_reader
from target_aep.mapping.paths import EACH, MISSING, compile_reader, parse_path
from target_aep.xdm.coercion import OMITTED, prune
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.model import Remainder
    from target_aep.mapping.paths import Path, Read, WildPath
    from target_aep.mapping.stream_mapping import StreamMapping

Record = dict[str, t.Any]


@dataclass(frozen=True)
class Origin:
    """Where a value comes from.

    Attributes:
        mapping: The mapping that gave it; None for what no mapping did.
        text: The source as a table shows it.
        read: What an attribute had in the record; MISSING where that says nothing.
    """

    mapping: CompiledMapping | None
    text: str
    read: t.Any = MISSING


class Provenance:
    """Finds the origin of values of one stream."""

    def __init__(self, mapping: StreamMapping) -> None:
        """Prepare to read what the sources of the mappings have.

        Args:
            mapping: The stream's.
        """
        self._remainder = mapping.mapping_set.remainder
        # The most specific first: it completes a copy; of equal ones the last of the set counts.
        self._candidates = [
            (each, _reader(each))
            for each in sorted(mapping.compiled, key=lambda each: (-len(each.steps), -each.number))
        ]

    def origin(self, leaf: Path, record: Record, failed: Collection[int]) -> Origin:
        """Where a value comes from.

        Args:
            leaf: Its path in the XDM object.
            record: The record that it was made of.
            failed: Numbers of the mappings that could not give a value for this record.
        """
        for fits in (fills, _fills_at_another_position):
            for mapping, read in self._candidates:
                if not fits(mapping.steps, leaf):
                    continue
                has_failed = mapping.number in failed
                if has_failed and not mapping.source.wildcards:
                    continue
                value = _value(read, record)
                if value is not OMITTED:
                    known = MISSING if has_failed else _read(mapping, leaf, record, value)
                    return Origin(mapping, source_text(mapping), known)
        kept = self._remainder and self._of_remainder(self._remainder, leaf, record)
        if kept:
            return kept
        return Origin(None, "identities" if leaf[0] == "identityMap" else "")

    def _of_remainder(self, rule: Remainder, leaf: Path, record: Record) -> Origin | None:
        rest, fields = parse_path(rule.rest), parse_path(rule.fields)
        if leaf[: len(rest)] == rest and len(leaf) > len(rest):
            name = leaf[len(rest)]
            return Origin(None, f"{rule.source}.{name} (no field of its own)")
        if leaf[: len(fields)] == fields and len(leaf) > len(fields):
            properties = compile_reader(parse_path(rule.source))(record)
            field = str(leaf[len(fields)])
            names = properties if isinstance(properties, dict) else {}
            found = [name for name in names if may_fill(name, field)]
            name = field if field in found or not found else min(found)
            return Origin(None, f"{rule.source}.{name} (by its name)")
        return None


def leaves(xdm: Record) -> Iterator[tuple[Path, t.Any]]:
    """The values of an XDM object with their paths; a list of plain values is one value."""
    yield from _leaves(xdm, ())


def fills(steps: WildPath, leaf: Path) -> bool:
    """Whether a destination is a value's path, lies above it, or is an element of its list."""
    shared = min(len(steps), len(leaf))
    matches = all(_meets(steps[index], leaf[index]) for index in range(shared))
    return matches and not any(isinstance(step, str) for step in steps[shared:])


def source_text(mapping: CompiledMapping) -> str:
    """The source of a mapping as a table shows it."""
    if mapping.source.constant is not None:
        return f"the constant {json_text(mapping.source.constant)}"
    return mapping.mapping.source


def _fills_at_another_position(steps: WildPath, leaf: Path) -> bool:
    """As `fills`, whatever the position in a list: gaps are closed when a record is ready."""
    return fills(tuple(EACH if isinstance(step, int) else step for step in steps), leaf)


def _meets(step: t.Any, wanted: t.Any) -> bool:
    return bool(step == wanted) or (step is EACH and isinstance(wanted, int))


def _leaves(value: t.Any, above: Path) -> Iterator[tuple[Path, t.Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, (*above, key))
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*above, index))
    else:
        yield above, value


def _reader(mapping: CompiledMapping) -> Read:
    if mapping.source.wildcards:
        return compile_list_reader(t.cast("WildPath", mapping.source.path))
    return mapping.source.reader()


def _read(mapping: CompiledMapping, leaf: Path, record: Record, value: t.Any) -> t.Any:
    """What the source of an attribute has for a leaf, MISSING where that can't be told."""
    if mapping.source.path is None or len(mapping.steps) < len(leaf):
        return MISSING
    if not mapping.source.wildcards:
        return value
    if mapping.source.wildcards != 1 or mapping.steps.count(EACH) != 1:
        return MISSING
    found = [
        (position, item) for (position,), item in compile_iterator(mapping.source.path)(record)
    ]
    if any(position != index for index, (position, _) in enumerate(found)):
        return MISSING  # the gap may have been closed
    return dict(found).get(t.cast("int", leaf[mapping.steps.index(EACH)]), MISSING)


def _value(read: Read, record: Record) -> t.Any:
    """What a source has, OMITTED for nothing."""
    try:
        value = read(record)
    except (EvaluationError, UnconvertibleError):
        return OMITTED
    return OMITTED if value is None or prune(value) is OMITTED else value

"""`target-aep preview`: the first records mapped as a run would map them, and nothing sent."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.loading.json_lines import json_text
from target_aep.mapping.mapper import RejectedRecordError
from target_aep.mapping.paths import MISSING
from target_aep.mapping.stream_mapping import mapping_of
from target_aep.nesting import DEEPEST, TOO_DEEP, is_deeper
from target_aep.preview.provenance import Provenance, leaves, source_text

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.paths import Path
    from target_aep.mapping.report import MappingReport
    from target_aep.mapping.stream_mapping import StreamMapping
    from target_aep.preview.provenance import Origin
    from target_aep.target import TargetAEP

Record = dict[str, t.Any]

_LONGEST = 80


@dataclass(frozen=True)
class PlacedValue:
    """A value of a record's XDM.

    Attributes:
        path: Where it is.
        value: What it is.
        origin: What it was made of.
    """

    path: Path
    value: t.Any
    origin: Origin

    @property
    def was_converted(self) -> bool:
        """Whether the record has another value where this comes from."""
        return self.origin.read is not MISSING and self.origin.read != self.value


@dataclass(frozen=True)
class PreviewedRecord:
    """What became of a record.

    Attributes:
        number: Of the record in the input, from 1.
        stream: Its stream.
        xdm: What would be sent; None if it is rejected.
        values: The parts of that.
        field: The field that a rejection is about, if it is about one.
        reason: Why it is rejected; None if it is not.
        warnings: What could not be placed as asked.
    """

    number: int
    stream: str
    xdm: Record | None
    values: tuple[PlacedValue, ...] = ()
    field: str | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class Previewer:
    """Maps records of any stream, and remembers what their streams' mappings are."""

    def __init__(self, target: TargetAEP) -> None:
        """Keep the target; nothing is looked up yet.

        Args:
            target: Its settings and its destination are used.
        """
        self._target = target
        self._streams: dict[str, tuple[StreamMapping, Provenance]] = {}
        self.records = 0
        self.rejected = 0

    def mapping_of(self, stream: str) -> StreamMapping:
        """The mapping of a stream, compiled once.

        Raises:
            TargetError: It can't be had or used.
        """
        return self._of(stream)[0]

    def preview(self, stream: str, record: Record) -> PreviewedRecord:
        """Map a record.

        Raises:
            TargetError: The stream's mapping can't be had or used.
        """
        mapping, provenance = self._of(stream)
        self.records += 1
        report = mapping.mapper.report
        _forget(report)
        try:
            if is_deeper(record, DEEPEST):
                raise RejectedRecordError(None, TOO_DEEP)  # noqa: TRY301 - like any other
            xdm = mapping.mapper.map(record)
        except RejectedRecordError as error:
            self.rejected += 1
            return PreviewedRecord(
                self.records, stream, None, field=error.field_path, reason=error.reason
            )
        record = mapping.mapper.with_properties(record)
        values = tuple(
            PlacedValue(path, value, provenance.origin(path, record, report.failures))
            for path, value in leaves(xdm)
        )
        return PreviewedRecord(
            self.records, stream, xdm, values, warnings=tuple(_warnings(mapping, record))
        )

    def _of(self, stream: str) -> tuple[StreamMapping, Provenance]:
        if stream not in self._streams:
            mapping = mapping_of(self._target, stream)
            self._streams[stream] = (mapping, Provenance(mapping))
        return self._streams[stream]


def notes_on(mapping: StreamMapping) -> Iterator[str]:
    """What is to be said of a stream's mapping before any record."""
    yield from mapping.mapper.warnings
    if mapping.mapper.missing_fields:
        fields = ", ".join(mapping.mapper.missing_fields)
        yield f"the schema does not have these fields, their values are left out: {fields}"
    if mapping.mapper.loses_properties:
        yield "properties without a field are LOST, because the schema has no map for them"


def _source_with_value(mapping: CompiledMapping, record: Record) -> str:
    if mapping.source.path is None or mapping.source.wildcards:
        return source_text(mapping)
    return f"{source_text(mapping)} = {json_text(mapping.source.reader()(record))[:_LONGEST]}"


def _forget(report: MappingReport) -> None:
    """Drop the counts of the record before."""
    report.failures.clear()
    report.unconverted_parts.clear()
    report.left_out.clear()
    report.identities_left_out.clear()


def _warnings(mapping: StreamMapping, record: Record) -> Iterator[str]:
    report = mapping.mapper.report
    by_number = {each.number: each for each in mapping.compiled}
    for number, failure in sorted(report.failures.items()):
        source = _source_with_value(by_number[number], record)
        yield (
            f"{failure.destination} is left empty: {failure.reason} (mapping {number}: {source})"
        )
    for name in report.unconverted_parts:
        yield f"{name} does not fit the type of its field"
    for name in report.left_out:
        yield f"{name} is left out: the schema has no field for it"
    for namespace, count in report.identities_left_out.items():
        yield f"{count} of the identities {namespace} would be refused, left out"

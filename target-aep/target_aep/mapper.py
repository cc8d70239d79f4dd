"""Records into XDM: all the work that is done per record stands here and in what it calls.

A mapping set and the dataset's schema are compiled once into plain functions. Data Prep's rule
holds for a value that can't be converted: its field stays empty, and the record is rejected only
if it can't be valid XDM without it (help/data-prep/troubleshooting-guide.md in
AdobeDocs/experience-platform.en). A property without a place is not dropped: the remainder rule
of the mapping set takes it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from target_aep.coercion import (
    OMITTED,
    Losses,
    compile_coercer,
    is_nothing,
    prune,
)
from target_aep.compiled_mapping import compile_source, destination_names, source_property
from target_aep.identities import Identity, identity_map
from target_aep.mapping_report import MappingReport
from target_aep.paths import MISSING, Read, put_value
from target_aep.remainder import RemainderPlan
from target_aep.row_rules import complaint_about, leave_out_blocked_identities
from target_aep.timestamps import EPOCH, format_date_time, parse_date_time
from target_aep.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_aep.compiled_mapping import Names
    from target_aep.mapping_set import Mapping, MappingSet
    from target_aep.scalar_coercion import Coercer
    from target_aep.xdm_schema import XdmField

Record = dict[str, t.Any]

FUTURE_SKEW = timedelta(minutes=10)
"""How far ahead of this machine's clock an event may be; XDM asks for observed, past times."""

_EVENT_REQUIRED: t.Final[tuple[Names, ...]] = (("_id",), ("timestamp",))


class RejectedRecordError(Exception):
    """A record that can't become valid XDM: the XDM field at fault, and why."""

    def __init__(self, field_path: str, reason: str) -> None:
        super().__init__(f"{field_path}: {reason}")
        self.field_path = field_path
        self.reason = reason


@dataclass(frozen=True)
class _FieldMapping:
    read: Read
    names: Names
    coerce: Coercer
    source_property: str | None
    """The property whose value this places; None if it is none of the remainder's."""


class _Required(t.NamedTuple):
    """Names that an object requires, and what the objects in it require."""

    names: tuple[str, ...]
    below: dict[str, _Required]


_NOTHING_REQUIRED = _Required((), {})


class RecordMapper:
    """Maps the records of one stream with one mapping set into one schema."""

    def __init__(
        self,
        mapping_set: MappingSet,
        schema: XdmField | None,
        identities: Sequence[Identity] = (),
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        """Compile the mapping set.

        Args:
            mapping_set: With the tenant's id already in its paths.
            schema: The dataset's schema; None leaves values as they are.
            identities: What goes into the identityMap, if the schema has one.
            now: The clock that tells future events.

        Raises:
            MappingSetError: A path or expression can't be used.
        """
        self.report = MappingReport()
        self._now = now
        self._schema = schema
        self._identities = identities if schema is None or schema.find(("identityMap",)) else ()
        compiled = [self._compile(mapping, mapping_set) for mapping in mapping_set.mappings]
        self._mappings = [mapping for mapping in compiled if self._has(mapping.names)]
        self._unplaced = [mapping for mapping in compiled if not self._has(mapping.names)]
        self._maps_identities = any(each.names[0] == "identityMap" for each in self._mappings)
        self._required = self._required_names()
        self._required_below = _required_below(schema) if schema else {}
        self._remainder = (
            RemainderPlan(mapping_set.remainder, schema, self.report)
            if mapping_set.remainder
            else None
        )

    @property
    def missing_fields(self) -> list[str]:
        """XDM paths of the mapping set that the dataset's schema does not have, sorted."""
        missing = {".".join(mapping.names) for mapping in self._unplaced}
        if self._remainder and self._remainder.missing:
            missing.add(self._remainder.missing)
        return sorted(missing)

    @property
    def loses_properties(self) -> bool:
        """Whether properties without a field are lost, because the schema has no map for them."""
        return self._remainder is not None and self._remainder.missing is not None

    def map(self, record: Record) -> Record:
        """Map one record.

        Args:
            record: The record of a RECORD message; it is not changed.

        Returns:
            The XDM object, without any null or empty leaf.

        Raises:
            RejectedRecordError: It can't be valid XDM.
        """
        xdm: Record = {}
        placed: dict[Names, str] = {}
        failures: dict[Names, UnconvertibleError] = {}
        for mapping in self._mappings:
            value = mapping.read(record)
            if value is MISSING:
                continue
            try:
                converted = mapping.coerce(value)
            except UnconvertibleError as error:
                failures[mapping.names] = error
                continue
            if converted is OMITTED:
                continue
            put_value(xdm, mapping.names, converted)
            if mapping.source_property is not None:
                placed[mapping.names] = mapping.source_property
        self._put_identities(record, xdm)
        if self._remainder:
            self._remainder.place(record, frozenset(placed.values()), xdm)
        self._check(xdm, failures)
        self._count_left_out(record)
        self.report.count_unconverted(*(".".join(names) for names in failures))
        return xdm

    def _compile(self, mapping: Mapping, mapping_set: MappingSet) -> _FieldMapping:
        path, read = compile_source(mapping)
        names = destination_names(mapping.destination)
        return _FieldMapping(
            read=read,
            names=names,
            coerce=self._coercer(names),
            source_property=source_property(path, mapping_set.remainder),
        )

    def _coercer(self, names: Names) -> Coercer:
        if names == ("timestamp",):
            return self._event_time
        known = self._schema.find(names) if self._schema else None
        if known is None:
            return prune
        losses = Losses(
            lambda path: self.report.count_left_out([path]), self.report.count_unconverted
        )
        return compile_coercer(known, losses, ".".join(names))

    def _event_time(self, value: t.Any) -> t.Any:
        if is_nothing(value):
            return OMITTED
        try:
            moment = parse_date_time(value)
        except ValueError as error:
            raise UnconvertibleError(f"not a date-time: {error}") from error
        if moment < EPOCH:
            raise UnconvertibleError("before 1970")
        if moment > self._now() + FUTURE_SKEW:
            raise UnconvertibleError("in the future")
        return format_date_time(moment)

    def _put_identities(self, record: Record, xdm: Record) -> None:
        if self._maps_identities:
            leave_out_blocked_identities(xdm, self.report.identities_left_out)
        if self._identities:
            identities = identity_map(record, self._identities, self.report.identities_left_out)
            if identities:
                xdm["identityMap"] = identities

    def _has(self, names: Names) -> bool:
        return self._schema is None or self._schema.find(names) is not None

    def _required_names(self) -> tuple[Names, ...]:
        """Root fields that every record needs: the schema's, and those of any event."""
        mapped = {mapping.names for mapping in self._mappings}
        always = tuple(names for names in _EVENT_REQUIRED if names in mapped)
        of_schema = tuple((name,) for name in self._schema.required) if self._schema else ()
        return tuple(dict.fromkeys(always + of_schema))

    def _count_left_out(self, record: Record) -> None:
        for mapping in self._unplaced:
            value = mapping.read(record)
            if mapping.source_property is None and value is not MISSING and prune(value):
                self.report.count_left_out([".".join(mapping.names)])

    def _check(self, xdm: Record, failures: dict[Names, UnconvertibleError]) -> None:
        for names in self._required:
            if names[0] not in xdm:
                failure = failures.get(names)
                reason = failure.reason if failure else "required, but the record has no value"
                raise RejectedRecordError(".".join(names), reason)
        missing = _missing_required(xdm, self._required_below)
        if missing:
            raise RejectedRecordError(missing, "required by the schema, but missing")
        if complaint := complaint_about(xdm):
            raise RejectedRecordError(complaint.field, complaint.reason)


def _required_below(schema: XdmField) -> dict[str, _Required]:
    """What the objects below a field require of themselves, where they require anything."""
    found = {
        name: _Required(part.required, _required_below(part))
        for name, part in schema.properties.items()
        if part.kind == "object"
    }
    return {name: required for name, required in found.items() if required != _NOTHING_REQUIRED}


def _missing_required(xdm: Record, below: dict[str, _Required]) -> str | None:
    """The path of the first required field that one of the objects lacks, None if none does."""
    for name, required in below.items():
        value = xdm.get(name)
        if not isinstance(value, dict):
            continue
        missing = next((wanted for wanted in required.names if wanted not in value), None)
        missing = missing or _missing_required(value, required.below)
        if missing:
            return f"{name}.{missing}"
    return None

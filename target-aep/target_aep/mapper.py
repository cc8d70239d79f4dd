"""Records into XDM: all the work that is done per record stands here and in what it calls.

A mapping set and the dataset's schema are compiled once into plain functions. Data Prep's rule
holds for a value that can't be converted: its field stays empty, and the record is rejected only
if it can't be valid XDM without it (help/data-prep/troubleshooting-guide.md in
AdobeDocs/experience-platform.en). A property without a place is not dropped: the remainder rule
of the mapping set takes it.
"""

from __future__ import annotations

import functools
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from target_aep.coercion import (
    OMITTED,
    Coercer,
    UnconvertibleError,
    compile_coercer,
    json_text,
    prune,
)
from target_aep.errors import MappingSetError
from target_aep.expressions import compile_expression
from target_aep.field_names import matching_field
from target_aep.identities import Identity, identity_map
from target_aep.paths import MISSING, Path, Read, compile_reader, parse_path, put_value
from target_aep.timestamps import EPOCH, format_date_time, parse_date_time

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_aep.mapping_set import Mapping, MappingSet, Remainder
    from target_aep.xdm_schema import XdmField

Record = dict[str, t.Any]
Names = tuple[str, ...]

FUTURE_SKEW = timedelta(minutes=10)
"""How far ahead of this machine's clock an event may be; XDM asks for observed, past times."""

_MAX_COUNTED = 1000

_EVENT_REQUIRED: t.Final[tuple[Names, ...]] = (("_id",), ("timestamp",))


class RejectedRecordError(Exception):
    """A record that can't become valid XDM: the XDM field at fault, and why."""

    def __init__(self, field_path: str, reason: str) -> None:
        super().__init__(f"{field_path}: {reason}")
        self.field_path = field_path
        self.reason = reason


@dataclass
class MappingReport:
    """What the mapping could not do as asked, counted by field, property or namespace."""

    unconverted: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    identities_left_out: Counter[str] = field(default_factory=Counter)


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
        self._required = self._required_names()
        self._required_below = _required_below(schema) if schema else {}
        self._remainder = (
            _RemainderPlan(mapping_set.remainder, schema, self.report)
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
        if self._identities:
            identities = identity_map(record, self._identities, self.report.identities_left_out)
            if identities:
                xdm["identityMap"] = identities
        if self._remainder:
            self._remainder.place(record, frozenset(placed.values()), xdm)
        self._check_required(xdm, failures)
        self._count_left_out(record)
        self.report.unconverted.update(".".join(names) for names in failures)
        return xdm

    def _compile(self, mapping: Mapping, mapping_set: MappingSet) -> _FieldMapping:
        path, read = _compile_source(mapping)
        names = parse_path(mapping.destination)
        if any(isinstance(step, int) for step in names):
            raise MappingSetError(
                f"destination {mapping.destination!r}: positions in lists are not available in "
                "this version"
            )
        destination = t.cast("Names", names)
        return _FieldMapping(
            read=read,
            names=destination,
            coerce=self._coercer(destination),
            source_property=_source_property(path, mapping_set.remainder),
        )

    def _coercer(self, names: Names) -> Coercer:
        if names == ("timestamp",):
            return self._event_time
        known = self._schema.find(names) if self._schema else None
        return compile_coercer(known, drop_unknown=True) if known else prune

    def _event_time(self, value: t.Any) -> t.Any:
        if value is None or value == "":
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
                self.report.left_out[".".join(mapping.names)] += 1

    def _check_required(self, xdm: Record, failures: dict[Names, UnconvertibleError]) -> None:
        for names in self._required:
            if names[0] not in xdm:
                failure = failures.get(names)
                reason = failure.reason if failure else "required, but the record has no value"
                raise RejectedRecordError(".".join(names), reason)
        missing = _missing_required(xdm, self._required_below)
        if missing:
            raise RejectedRecordError(missing, "required by the schema, but missing")


class _RemainderPlan:
    """Places the properties that no mapping has placed: typed where the schema has a field."""

    def __init__(self, rule: Remainder, schema: XdmField | None, report: MappingReport) -> None:
        self._read = compile_reader(parse_path(rule.source))
        self._field_names = t.cast("Names", parse_path(rule.fields))
        self._rest_names = t.cast("Names", parse_path(rule.rest))
        self._report = report
        fields = schema.find(self._field_names) if schema else None
        self._fields = fields.properties if fields else {}
        self._has_rest = schema is None or schema.find(self._rest_names) is not None
        self._typed_field = functools.lru_cache(maxsize=10_000)(self._find_typed_field)

    @property
    def missing(self) -> str | None:
        """The path of the map, if the schema has none: properties are then lost."""
        return None if self._has_rest else ".".join(self._rest_names)

    def place(self, record: Record, placed: frozenset[str], xdm: Record) -> None:
        properties = self._read(record)
        if not isinstance(properties, dict):
            return
        claims: dict[str, str] = {}
        rest: dict[str, str] = {}
        for name, value in properties.items():
            if name in placed or prune(value) is OMITTED:
                continue
            found = self._typed_field(name)
            if found is None:
                rest[name] = _as_text(value)
                continue
            loser = _claim(claims, found[0], name)
            if loser is not None:
                rest[loser] = _as_text(properties[loser])
        self._fill(xdm, claims, properties, rest)
        if rest and self._has_rest:
            put_value(xdm, self._rest_names, rest)
        elif rest:
            _count_names(self._report.left_out, rest)

    def _fill(
        self, xdm: Record, claims: dict[str, str], properties: Record, rest: dict[str, str]
    ) -> None:
        """Put the claimed fields in; a value that does not convert goes to the rest."""
        typed: Record = {}
        for field_name, name in claims.items():
            found = self._typed_field(name)
            try:
                typed[field_name] = found[1](properties[name]) if found else OMITTED
            except UnconvertibleError:
                self._report.unconverted[name] += 1
                rest[name] = _as_text(properties[name])
        kept = {name: value for name, value in typed.items() if value is not OMITTED}
        if kept:
            put_value(xdm, self._field_names, kept)

    def _find_typed_field(self, name: str) -> tuple[str, Coercer] | None:
        field_name = matching_field(name, self._fields)
        if field_name is None:
            return None
        return field_name, compile_coercer(self._fields[field_name], drop_unknown=False)


def _claim(claims: dict[str, str], field_name: str, name: str) -> str | None:
    """Claim a field for a property; of two, the field's namesake or the smaller name has it.

    Returns:
        The property that has to go elsewhere, None if there is none.
    """
    rival = claims.setdefault(field_name, name)
    if rival == name:
        return None
    winner, loser = sorted((rival, name), key=lambda each: (each != field_name, each))
    claims[field_name] = winner
    return loser


def _count_names(counter: Counter[str], names: Iterable[str]) -> None:
    """Count by name, up to a bound: a project can make up names without end."""
    for name in names:
        counter[name if name in counter or len(counter) < _MAX_COUNTED else "(other names)"] += 1


def _as_text(value: t.Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _compile_source(mapping: Mapping) -> tuple[Path | None, Read]:
    if mapping.source_type == "STATIC":
        return None, lambda _record: mapping.source
    if mapping.source_type == "EXPRESSION":
        return compile_expression(mapping.source)
    path = parse_path(mapping.source)
    return path, compile_reader(path)


def _source_property(path: Path | None, rule: Remainder | None) -> str | None:
    """The property of the remainder's source that a source path stands for."""
    if path is None or rule is None:
        return None
    source = parse_path(rule.source)
    if path[: len(source)] == source and len(path) == len(source) + 1:
        return str(path[-1])
    return rule.columns.get(str(path[0])) if len(path) == 1 else None


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

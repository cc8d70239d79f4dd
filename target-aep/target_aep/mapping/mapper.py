"""Records into XDM: all the work that is done per record stands here and in what it calls.

A mapping set and the dataset's schema are compiled once into plain functions. Data Prep's rule
holds for a value that can't be had or converted: its field stays empty, and the record is rejected
only if it can't be valid XDM without it (help/data-prep/troubleshooting-guide.md in
AdobeDocs/experience-platform.en). A property without a place is not dropped: the remainder rule
of the mapping set takes it.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

from target_aep.data_prep.evaluation import Evaluation
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.policies import Policies
from target_aep.mapping.compiled_mapping import compile_mappings, source_property
from target_aep.mapping.counts import MappingCounts
from target_aep.mapping.destination_fields import DestinationFields
from target_aep.mapping.destination_paths import field_at
from target_aep.mapping.list_placing import ListPlacing
from target_aep.mapping.mistakes import clashes, in_order, notes_about, schema_complaints
from target_aep.mapping.model import MappingMistakesError
from target_aep.mapping.paths import MISSING, compile_reader, parse_path
from target_aep.mapping.program import compile_program
from target_aep.mapping.quick_identities import compile_identity_map
from target_aep.mapping.remainder import RemainderPlan
from target_aep.mapping.report import MappingReport
from target_aep.mapping.required_fields import unfilled_required
from target_aep.mapping.row_check import compile_row_check
from target_aep.mapping.row_rules import leave_out_blocked_identities
from target_aep.mapping.unread_columns import UnreadColumns
from target_aep.xdm.coercion import OMITTED, prune
from target_aep.xdm.event_time import compile_event_time
from target_aep.xdm.field_age import settles_at

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from target_aep.mapping.compiled_mapping import CompiledMapping, Names, Source
    from target_aep.mapping.identities import Identity
    from target_aep.mapping.model import MappingSet
    from target_aep.mapping.paths import WildPath
    from target_aep.mapping.program import Failures
    from target_aep.provisioning.property_census import PropertyCensus
    from target_aep.xdm.schema import XdmField
    from target_aep.xdm.unconvertible import UnconvertibleError

Record = dict[str, t.Any]

FUTURE_SKEW = timedelta(minutes=10)
"""How far ahead of this machine's clock an event may be; XDM asks for observed, past times."""

_EVENT_REQUIRED: t.Final[tuple[Names, ...]] = (("_id",), ("timestamp",))
_DEFAULT_POLICIES: t.Final = Policies()


class RejectedRecordError(Exception):
    """A record that can't become valid XDM: the XDM field at fault, and why.

    Attributes:
        field_path: The field; None where the record as a whole is at fault.
        reason: Why.
        identifier: The `_id` of the row that any equal record would give; None if it can't be told.
    """

    def __init__(self, field_path: str | None, reason: str, identifier: str | None = None) -> None:
        super().__init__(f"{field_path or 'the record'}: {reason}")
        self.field_path = field_path
        self.reason = reason
        self.identifier = identifier


class RecordMapper:
    """Maps the records of one stream with one mapping set into one schema.

    Attributes:
        report: What could not be placed as asked.
        warnings: What is to be said before the first record.
        young_fields: Fields of mappings, and the map, that ingestion may not know yet, with the
            instant from which it does.
    """

    def __init__(
        self,
        mapping_set: MappingSet,
        schema: XdmField | None,
        identities: Sequence[Identity] = (),
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        *,
        policies: Policies = _DEFAULT_POLICIES,
        evaluation: Evaluation | None = None,
        census: PropertyCensus | None = None,
    ) -> None:
        """Compile the mapping set.

        Args:
            mapping_set: With the tenant's id already in it.
            schema: The dataset's schema; None leaves values as expressions give them, dates as
                RFC 3339 text.
            identities: What goes into the identityMap, if the schema has one.
            now: The clock that tells future events, and which fields are too new to be used.
            policies: How expressions take null.
            evaluation: The moment that expressions see, and where chance comes from.
            census: Is shown the properties that no typed field takes; None for none.

        Raises:
            MappingMistakesError: The set can't be used, or not with this schema; all mistakes.
        """
        self.report = MappingReport()
        self._census = census
        self._schema = schema
        self._evaluation = evaluation or Evaluation()
        self._rule = mapping_set.remainder
        compiled, mistakes = compile_mappings(mapping_set, policies, self._evaluation)
        mistakes += clashes(mapping_set, compiled)
        if schema is not None:
            mistakes += schema_complaints(mapping_set, compiled, schema)
        if mistakes:
            raise MappingMistakesError(in_order(mistakes))
        self.warnings = (
            *notes_about(mapping_set, compiled),
            *unfilled_required(schema, compiled, self._rule, has_identities=bool(identities)),
        )
        self._placed, self._unplaced = _split(compiled, schema)
        self._destinations = {each.number: each for each in compiled}
        fields = DestinationFields(
            schema, self._placed, self.report, compile_event_time(now, FUTURE_SKEW)
        )
        plain = [
            fields.plain(each, source_property(each.source, self._rule))
            for each in self._placed
            if each.is_plain
        ]
        self._run, self._odd_columns = compile_program(
            plain,
            policies,
            self._evaluation,
            parse_path(self._rule.source) if self._rule else (),
        )
        in_lists = [each for each in self._placed if not each.is_plain]
        self._lists = (
            ListPlacing(
                [(each, fields.coercer(each)) for each in in_lists], self.report.count_left_out
            )
            if in_lists
            else None
        )
        self._lost_reads = [
            (each.destination, each.source.reader())
            for each in self._unplaced
            if source_property(each.source, self._rule) is None and not each.source.wildcards
        ]
        self._identities = identities if schema is None or schema.find(("identityMap",)) else ()
        self._identity_map = compile_identity_map(self._identities)
        self._maps_identities = any(each.steps[0] == "identityMap" for each in self._placed)
        self._required = self._required_names()
        self._has_steady_id = all(_is_column(each.source) for each in _filling_id(self._placed))
        self._check_row = compile_row_check(schema, self._filled_paths(), self._identities)
        self._columns = UnreadColumns(self._rule, compiled) if self._rule else None
        self.young_fields = self._find_young_fields(now())
        self._properties_path = parse_path(self._rule.source) if self._rule else ()
        self._read_properties = compile_reader(self._properties_path)
        self._remainder = (
            RemainderPlan(self._rule, schema, self.report, now=now, census=census)
            if self._rule
            else None
        )

    def learn_columns(self, schema: Record) -> None:
        """Take from a stream's schema which properties its columns are.

        Args:
            schema: Of the stream's SCHEMA message.
        """
        if self._columns:
            self._columns.learn(schema)

    def with_properties(self, record: Record) -> Record:
        """The record as it is mapped: columns that no mapping reads are among its properties too.

        Args:
            record: The record of a RECORD message; it is not changed.
        """
        return self._columns.put_back(record) if self._columns else record

    @property
    def missing_fields(self) -> list[str]:
        """XDM paths of the mapping set that the dataset's schema does not have, sorted."""
        missing = {mapping.destination for mapping in self._unplaced}
        if self._remainder and self._remainder.missing:
            missing.add(self._remainder.missing)
        return sorted(missing)

    @property
    def awaited_fields(self) -> Sequence[str]:
        """XDM paths of fields for properties that are too new in the schema to be used yet."""
        return self._remainder.awaited if self._remainder else ()

    @property
    def loses_properties(self) -> bool:
        """Whether properties without a field are lost, because the schema has no map for them."""
        return self._remainder is not None and self._remainder.missing is not None

    def take_counts(self) -> MappingCounts:
        """What was counted since this was last called; report and census begin anew.

        Mappers that share a census take what all of them have counted in it.
        """
        return MappingCounts(self.report.take(), self._census.take() if self._census else None)

    def add_counts(self, counts: MappingCounts) -> None:
        """Count what another mapper of the same set and schema has counted of later records.

        Args:
            counts: What its `take_counts` gave; add those of several in the order of the records.
        """
        self.report.add(counts.report)
        if self._census is not None and counts.census is not None:
            self._census.add(counts.census)

    def are_plain(self, columns: Collection[str]) -> bool:
        """Whether records with just these columns need no look at what columns they have."""
        has_unread = self._columns is not None and not self._columns.knows(columns)
        return not has_unread and self._odd_columns.isdisjoint(columns)

    def map(self, record: Record, *, is_plain: bool = False) -> Record:
        """Map one record.

        Args:
            record: The record of a RECORD message; it is not changed.
            is_plain: Whether its columns are known to be plain, by `are_plain`.

        Returns:
            The XDM object, without any null or empty leaf.

        Raises:
            RejectedRecordError: It can't be valid XDM.
        """
        try:
            return self._map(record, is_plain=is_plain)
        except RecursionError:
            raise RejectedRecordError(None, "nested too deeply") from None

    def _map(self, record: Record, *, is_plain: bool) -> Record:
        self._evaluation.begin_record()
        if self._columns and not is_plain:
            record = self._columns.put_back(record)
        xdm, left, failures = self._run(record, is_plain)
        if self._lists:
            self._lists.place(record, xdm, lambda *failure: failures.append(failure))
        self._put_identities(record, xdm)
        if left is None and self._remainder:
            left = self._odd_properties(record)
        if left and self._remainder:
            self._remainder.place(left, xdm)
        self._check(xdm, failures)
        if self._lost_reads:
            self._count_lost(record)
        for number, error in failures:
            self.report.count_failure(
                number, self._destinations[number].destination, _reason(error)
            )
        return xdm

    def _odd_properties(self, record: Record) -> Record | None:
        """What is no object where the properties are looked for, as one property."""
        value = self._read_properties(record)
        if value is MISSING or value is None:
            return None
        return {str(self._properties_path[-1]): value}

    def _put_identities(self, record: Record, xdm: Record) -> None:
        if self._maps_identities:
            leave_out_blocked_identities(xdm, self.report.identities_left_out)
        if self._identities:
            identities = self._identity_map(record, self.report.identities_left_out)
            if identities:
                xdm["identityMap"] = identities

    def _find_young_fields(self, now: datetime) -> dict[str, datetime]:
        """Fields of mappings, and the map, that ingestion knows only from an instant to come."""
        if self._schema is None:
            return {}
        paths = {each.destination: each.steps for each in self._placed}
        if self._rule:
            paths[self._rule.rest] = parse_path(self._rule.rest)
        found = {name: settles_at(self._schema, steps, now) for name, steps in paths.items()}
        return {name: moment for name, moment in found.items() if moment is not None}

    def _required_names(self) -> tuple[Names, ...]:
        """Root fields that every record needs: the schema's, and those of any event."""
        mapped = {mapping.steps for mapping in self._placed}
        always = tuple(names for names in _EVENT_REQUIRED if names in mapped)
        of_schema = tuple((name,) for name in self._schema.required) if self._schema else ()
        return tuple(dict.fromkeys(always + of_schema))

    def _filled_paths(self) -> list[WildPath]:
        """Where mappings and the rule for the remainder put something."""
        paths: list[WildPath] = [each.steps for each in self._placed]
        if self._rule:
            paths += [parse_path(self._rule.fields), parse_path(self._rule.rest)]
        return paths

    def _count_lost(self, record: Record) -> None:
        """Count the values that the schema has no field for."""
        for destination, read in self._lost_reads:
            try:
                value = read(record)
            except EvaluationError:
                continue
            if value is not None and prune(value) is not OMITTED:
                self.report.count_left_out([destination])

    def _check(self, xdm: Record, failures: Failures) -> None:
        for names in self._required:
            if names[0] not in xdm:
                why = self._why_missing(names, failures)
                raise RejectedRecordError(names[0], why, self._steady_id(xdm))
        if self._check_row and (complaint := self._check_row(xdm)):
            raise RejectedRecordError(complaint.field, complaint.reason, self._steady_id(xdm))

    def _steady_id(self, xdm: Record) -> str | None:
        """The `_id` of a row, if all equal records give the same."""
        identifier = xdm.get("_id")
        return identifier if self._has_steady_id and isinstance(identifier, str) else None

    def _why_missing(self, names: Names, failures: Failures) -> str:
        for number, error in failures:
            if self._destinations[number].steps == names:
                return _reason(error)
        return "required, but the record has no value"


def _split(
    compiled: list[CompiledMapping], schema: XdmField | None
) -> tuple[list[CompiledMapping], list[CompiledMapping]]:
    """The mappings that the schema has a field for, and the others."""
    if schema is None:
        return compiled, []
    placed = [each for each in compiled if field_at(schema, each.steps) is not None]
    return placed, [each for each in compiled if field_at(schema, each.steps) is None]


def _filling_id(placed: Iterable[CompiledMapping]) -> Iterator[CompiledMapping]:
    return (each for each in placed if each.steps[0] == "_id")


def _is_column(source: Source) -> bool:
    """Whether it is a column as it is: not made by chance or the moment, nor put back."""
    return source.expression is None and source.path is not None and len(source.path) == 1


def _reason(error: EvaluationError | UnconvertibleError) -> str:
    path = getattr(error, "path", "")
    return f"{path}: {error.reason}" if path else error.reason

"""Where the properties go that no mapping has placed: none is lost if the schema has a map."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from target_aep.mapping.field_names import unused_key
from target_aep.mapping.paths import compile_reader, parse_path, put_value
from target_aep.mapping.property_text import property_text
from target_aep.mapping.quick_assignment import QuickAssignment
from target_aep.mapping.typed_fields import TypedFields
from target_aep.xdm.coercion import OMITTED, prune
from target_aep.xdm.exact_coercion import can_be_key
from target_aep.xdm.field_age import settled, young_fields
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_aep.mapping.compiled_mapping import Names
    from target_aep.mapping.model import Remainder
    from target_aep.mapping.quick_assignment import Assigned
    from target_aep.mapping.report import MappingReport
    from target_aep.provisioning.property_census import PropertyCensus
    from target_aep.xdm.schema import XdmField

Record = dict[str, t.Any]


class RemainderPlan:
    """Places the properties that no mapping has placed: typed where the schema has a field.

    Attributes:
        awaited: Paths of fields that are too new to be used yet.
    """

    def __init__(
        self,
        rule: Remainder,
        schema: XdmField | None,
        report: MappingReport,
        mapped: frozenset[str] = frozenset(),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        census: PropertyCensus | None = None,
    ) -> None:
        """Compile the rule.

        Args:
            rule: With the tenant's id already in its paths.
            schema: The dataset's schema; None leaves all to the map.
            report: Where losses are counted.
            mapped: Properties that mappings read.
            now: The clock that tells which fields are too new.
            census: Is shown each value that no field takes; None for none.
        """
        self._read = compile_reader(parse_path(rule.source))
        self._field_names = t.cast("Names", parse_path(rule.fields))
        self._rest_names = t.cast("Names", parse_path(rule.rest))
        self._report = report
        self._census = census
        self._has_rest = schema is None or schema.find(self._rest_names) is not None
        fields = schema.find(self._field_names) if schema else None
        moment = now()
        self.awaited = tuple(young_fields(fields, moment, rule.fields)) if fields else ()
        self._fields = TypedFields(settled(fields, moment).properties if fields else {})
        self._mapped = mapped
        self._quick = QuickAssignment(mapped, self._fields)
        self._later = TypedFields(fields.properties) if fields and self.awaited else None

    @property
    def missing(self) -> str | None:
        """The path of the map, if the schema has none: properties are then lost."""
        return None if self._has_rest else ".".join(self._rest_names)

    def place(self, record: Record, unplaced: list[str], xdm: Record) -> None:
        """Put a record's properties into its XDM object.

        Args:
            record: The record.
            unplaced: Properties that mappings read but have not placed; they may be others, too.
            xdm: What was mapped so far; it is added to.
        """
        properties = self._read(record)
        if not isinstance(properties, dict):
            return
        assigned = self._quick.assign(properties, unplaced)
        losers: list[str] = []
        if assigned is None:
            assigned, losers = self._assign_with_rivals(properties, self._mapped - set(unplaced))
        typed, rest, aside = assigned
        if aside:
            self._report.count_unconverted(*self._set_aside(aside, properties, typed, rest))
        if losers:
            self._set_aside(losers, properties, typed, rest)
        if typed:
            put_value(xdm, self._field_names, typed)
        if rest:
            self._keep(rest, properties, losers, xdm)

    def _assign_with_rivals(
        self, properties: Record, placed: frozenset[str]
    ) -> tuple[Assigned, list[str]]:
        """Assign the properties of any record, also those of which two want the same field.

        Returns:
            What is assigned, and the properties that lost their field to another one.
        """
        aside: list[str] = []
        rest: dict[str, str] = {}
        claims, losers = self._assign(properties, placed, aside, rest)
        return (self._typed(claims, properties, aside), rest, aside), losers

    def _assign(
        self, properties: Record, placed: frozenset[str], aside: list[str], rest: dict[str, str]
    ) -> tuple[dict[str, str], list[str]]:
        """Sort properties: into `rest` what has no field, into `aside` what has but a sibling.

        Returns:
            The property that has each claimed field, and those that lost theirs to another one.
        """
        place_of = self._fields.place
        claims: dict[str, str] = {}
        losers: list[str] = []
        for name, value in properties.items():
            if name in placed or prune(value) is OMITTED:
                continue
            place = place_of(name)
            if place is None:
                rest[name] = _as_text(value)
            elif place.field is None:
                aside.append(name)
            elif (loser := _claim(claims, place.field, name)) is not None:
                losers.append(loser)
        return claims, losers

    def _typed(self, claims: dict[str, str], properties: Record, aside: list[str]) -> Record:
        """The claimed fields; a property whose value does not convert is put aside."""
        typed: Record = {}
        for field_name, name in claims.items():
            place = self._fields.place(name)
            try:
                converted = place.coerce(properties[name]) if place else OMITTED
            except UnconvertibleError:
                aside.append(name)
                continue
            if converted is not OMITTED:
                typed[field_name] = converted
        return typed

    def _set_aside(
        self, names: Iterable[str], properties: Record, typed: Record, rest: dict[str, str]
    ) -> list[str]:
        """Give values that do not fit their field to a sibling of it, else to the map.

        Returns:
            The properties that went to the map.
        """
        left = []
        for name in names:
            value = properties[name]
            place = self._fields.place(name)
            found = place.aside(value) if place else None
            if found and found[0] not in typed:
                typed[found[0]] = found[1]
            else:
                rest[name] = _as_text(value)
                left.append(name)
        return left

    def _keep(
        self, rest: dict[str, str], properties: Record, losers: list[str], xdm: Record
    ) -> None:
        """Put what has no typed place into the map, and count it."""
        if self._has_rest:
            put_value(xdm, self._rest_names, self._with_fit_keys(rest))
            self._report.count_in_map(rest)
        else:
            self._report.count_left_out(rest)
        if self._census is None:
            return
        if not losers and self._later is None:
            self._census.observe_texts(rest, properties)
            return
        for name in rest:
            value = properties[name]
            if not self._is_awaited(name, value, has_lost=name in losers):
                self._census.observe(name, value, has_clashed=name in losers)

    def _with_fit_keys(self, rest: dict[str, str]) -> dict[str, str]:
        """The same with other keys for properties whose names can be none in a map."""
        unfit = self._quick.unfit_keys
        if not unfit or unfit.isdisjoint(rest):
            return rest
        odd = sorted(name for name in rest if not can_be_key(name))
        keyed = {name: text for name, text in rest.items() if can_be_key(name)}
        for name in odd:
            key = unused_key(name, keyed)
            keyed[key] = rest[name]
            self._report.count_renamed(key)
        return keyed

    def _is_awaited(self, name: str, value: t.Any, *, has_lost: bool) -> bool:
        """Whether a field that is too new yet will take the value."""
        place = self._later.place(name) if self._later else None
        if place is None:
            return False
        now = self._fields.place(name)
        is_lost = has_lost and now is not None and now.field == place.field
        return place.takes(value, in_own=not is_lost)


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


def _as_text(value: t.Any) -> str:
    return value if isinstance(value, str) else property_text(value)

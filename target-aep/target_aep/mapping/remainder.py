"""Where the properties go that no mapping has placed: none is lost if the schema has a map."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from target_aep.mapping.assignment import FieldAssignment
from target_aep.mapping.field_names import unused_key
from target_aep.mapping.paths import parse_path, put_value
from target_aep.mapping.property_text import spell_as_texts
from target_aep.mapping.typed_fields import TypedFields
from target_aep.xdm.exact_coercion import can_be_key
from target_aep.xdm.field_age import settled, young_fields

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_aep.mapping.compiled_mapping import Names
    from target_aep.mapping.model import Remainder
    from target_aep.mapping.report import MappingReport
    from target_aep.provisioning.property_census import PropertyCensus
    from target_aep.xdm.schema import XdmField

Record = dict[str, t.Any]

_MOST_FIT: t.Final = 20_000
"""Names that are known to be keys: a project can make up names without end."""


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
        *,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        census: PropertyCensus | None = None,
    ) -> None:
        """Compile the rule.

        Args:
            rule: With the tenant's id already in its paths.
            schema: The dataset's schema; None leaves all to the map.
            report: Where losses are counted.
            now: The clock that tells which fields are too new.
            census: Is shown each value that no field takes; None for none.
        """
        self._field_names = t.cast("Names", parse_path(rule.fields))
        self._rest_names = t.cast("Names", parse_path(rule.rest))
        self._report = report
        self._census = census
        self._has_rest = schema is None or schema.find(self._rest_names) is not None
        fields = schema.find(self._field_names) if schema else None
        moment = now()
        self.awaited = tuple(young_fields(fields, moment, rule.fields)) if fields else ()
        self._fields = TypedFields(settled(fields, moment).properties if fields else {})
        self._assignment = FieldAssignment(self._fields) if fields else None
        self._fit: set[str] = set()
        self._later = TypedFields(fields.properties) if fields and self.awaited else None

    @property
    def missing(self) -> str | None:
        """The path of the map, if the schema has none: properties are then lost."""
        return None if self._has_rest else ".".join(self._rest_names)

    def place(self, left: Record, xdm: Record) -> None:
        """Put properties into the XDM object of their record.

        Args:
            left: Those that no mapping has placed; it may be changed.
            xdm: What was mapped so far; it is added to.
        """
        losers: list[str] = []
        rest = left
        if self._assignment:
            typed, rest, aside, losers = self._assignment.assign(left)
            if aside:
                self._report.count_unconverted(*self._set_aside(aside, left, typed, rest))
            if losers:
                self._set_aside(losers, left, typed, rest)
            if typed:
                put_value(xdm, self._field_names, typed)
        elif self._census is not None:
            rest = dict(left)
        spell_as_texts(rest)
        if not rest:
            return
        if self._has_rest:
            kept = rest if rest.keys() <= self._fit else self._with_fit_keys(rest)
            put_value(xdm, self._rest_names, kept)
            self._report.count_in_map(rest)
        else:
            self._report.count_left_out(rest)
        if self._census is not None:
            self._show_census(self._census, rest, left, losers)

    def _set_aside(
        self, names: Iterable[str], properties: Record, typed: Record, rest: Record
    ) -> list[str]:
        """Give values that do not fit their field to a sibling of it, else to the map.

        Returns:
            The properties that went to the map.
        """
        unplaced = []
        for name in names:
            value = properties[name]
            place = self._fields.place(name)
            found = place.aside(value) if place else None
            if found and found[0] not in typed:
                typed[found[0]] = found[1]
            else:
                rest[name] = value
                unplaced.append(name)
        return unplaced

    def _show_census(
        self, census: PropertyCensus, rest: Record, properties: Record, losers: list[str]
    ) -> None:
        """Show the census what has no typed place."""
        if not losers and self._later is None:
            census.observe_texts(rest, properties)
            return
        for name in rest:
            value = properties[name]
            if not self._is_awaited(name, value, has_lost=name in losers):
                census.observe(name, value, has_clashed=name in losers)

    def _with_fit_keys(self, rest: Record) -> Record:
        """The same with other keys for properties whose names can be none; notes the names."""
        if len(self._fit) >= _MOST_FIT:
            self._fit.clear()
        self._fit.update(name for name in rest.keys() - self._fit if can_be_key(name))
        odd = sorted(rest.keys() - self._fit)
        if not odd:
            return rest
        keyed = {name: text for name, text in rest.items() if name in self._fit}
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

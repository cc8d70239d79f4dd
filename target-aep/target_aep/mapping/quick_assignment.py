"""Properties to their fields in one walk over them, for records in which no two want the same.

What becomes of a property depends on its name and its value alone, so it is decided once per name.
"""

from __future__ import annotations

import typing as t

from target_aep.mapping.property_text import property_text
from target_aep.xdm.coercion import OMITTED, has_value
from target_aep.xdm.exact_coercion import can_be_key
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from target_aep.mapping.typed_fields import Place, TypedFields
    from target_aep.xdm.scalar_coercion import Coercer

Record = dict[str, t.Any]

_MOST_PLANS: t.Final = 20_000
"""Plans that are kept before all are made anew: a project can make up names without end."""


class _NoType:
    """The type of no value."""


class _ContestError(Exception):
    """Two properties of the record may want the same field."""


class _Plan(t.NamedTuple):
    """What becomes of a property.

    Attributes:
        field: Its typed field; empty if it has but siblings.
        expected: The type of values that are taken as they are, except for the empty text.
        convert: Converts other values, OMITTED for none; raises UnconvertibleError.
    """

    field: str
    expected: type
    convert: Coercer


Plans = dict[str, _Plan | bool]
"""By property; True for those of the map, False for those that a mapping has placed."""

Assigned = tuple[Record, dict[str, str], list[str]]
"""Of the properties of a record that no mapping has placed: values by typed field, texts by
property of those without one, and the names of those whose value does not fit their field, or that
have but a sibling."""


class QuickAssignment:
    """Assigns the properties of records.

    Attributes:
        unfit_keys: Names of properties that were seen and can be no key of a map.
    """

    def __init__(self, mapped: frozenset[str], fields: TypedFields) -> None:
        """Begin without any plan.

        Args:
            mapped: Properties that mappings place, unless a record's are told not to be.
            fields: Finds typed fields.
        """
        self.unfit_keys: set[str] = set()
        self._mapped = mapped
        self._fields = fields
        self._plans: dict[tuple[str, ...], Plans] = {}
        self._count = 0
        self._takers: dict[str, str] = {}
        self._contested: set[str] = set()

    def assign(self, properties: Record, unplaced: list[str]) -> Assigned | None:
        """Give the properties of a record to fields and to the map.

        Args:
            properties: All that it has.
            unplaced: Those that mappings read but did not place, in any order.

        Returns:
            None if two of them may want the same field: then nothing was assigned.
        """
        plans = self._plans.get(tuple(unplaced))
        if plans is None or self._count > _MOST_PLANS:
            plans = self._new_plans(unplaced)
        try:
            return self._assign(properties, plans, unplaced)
        except _ContestError:
            self._note_unfit(properties)  # it may have names that no plan was made for
            return None

    def _assign(  # noqa: C901 - one loop without calls, since it runs over every property
        self, properties: Record, plans: Plans, unplaced: list[str]
    ) -> Assigned:
        contested = self._contested
        typed: Record = {}
        rest: dict[str, str] = {}
        aside: list[str] = []
        unfit: list[str] = []
        claimed: list[str] = []
        for name, value in properties.items():
            try:
                plan = plans[name]
            except KeyError:
                self._learn(plans, properties, unplaced)
                return self._assign(properties, plans, unplaced)
            if plan is False:
                continue
            if plan is True:
                kind = value.__class__
                if kind is str:
                    if value:
                        rest[name] = value
                elif kind is bool:
                    rest[name] = "true" if value else "false"
                elif value is not None and (text := _text(value)) is not OMITTED:
                    rest[name] = text
                continue
            field, expected, convert = plan
            if value.__class__ is expected and (value or expected is bool):
                typed[field] = value
                continue
            if field in contested:
                _claim(field, claimed)
            try:
                if (converted := convert(value)) is not OMITTED:
                    typed[field] = converted
            except UnconvertibleError:
                (unfit if field else aside).append(name)
        return typed, rest, aside + unfit if unfit else aside

    def _new_plans(self, unplaced: list[str]) -> Plans:
        """Plans for records with the same properties unplaced."""
        if self._count > _MOST_PLANS:
            self._count = 0
            self._plans.clear()
            self.unfit_keys.clear()
        self._count += 1
        plans = self._plans[tuple(unplaced)] = {}
        return plans

    def _learn(self, plans: Plans, names: Iterable[str], unplaced: list[str]) -> None:
        """Make the plans for the properties of a record."""
        self._note_unfit(names)
        for name in names:
            if name not in plans:
                self._count += 1
                plans[name] = self._plan_of(name, unplaced)

    def _note_unfit(self, names: Iterable[str]) -> None:
        before = len(self.unfit_keys)
        self.unfit_keys.update(name for name in names if not can_be_key(name))
        self._count += len(self.unfit_keys) - before

    def _plan_of(self, name: str, unplaced: list[str]) -> _Plan | bool:
        if name in self._mapped and name not in unplaced:
            return False
        place = self._fields.place(name)
        return self._plan(name, place) if place else True

    def _plan(self, name: str, place: Place) -> _Plan:
        if place.field is None:
            return _Plan("", _NoType, _refuse)
        if self._takers.setdefault(place.field, name) != name and (
            place.field not in self._contested
        ):
            self._contested.add(place.field)
            self._plans.clear()
            raise _ContestError
        is_alone = place.field not in self._contested
        expected = place.as_it_is if is_alone and place.as_it_is else _NoType
        return _Plan(place.field, expected, _unless_empty(place.coerce))


def _claim(field: str, claimed: list[str]) -> None:
    if field in claimed:
        raise _ContestError
    claimed.append(field)


def _refuse(value: t.Any) -> t.Any:
    """What has no field of its own goes aside."""
    if has_value(value):
        raise UnconvertibleError("it has but siblings")
    return OMITTED


def _unless_empty(coerce: Coercer) -> Coercer:
    return lambda value: coerce(value) if has_value(value) else OMITTED


def _text(value: t.Any) -> t.Any:
    """A value that is neither text nor boolean as the map has it, OMITTED for none."""
    if value.__class__ is int:
        return str(value)
    if not has_value(value):
        return OMITTED
    return value if isinstance(value, str) else property_text(value)

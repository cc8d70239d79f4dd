"""The rule that gives properties to typed fields.

A property goes to its own field if its value converts to it. Of two that want the same field, its
namesake or the smaller name has it. What becomes of a property depends on its name and its value
alone, but for such rivals, so it is decided once per name.
"""

from __future__ import annotations

import typing as t

from target_aep.xdm.coercion import OMITTED, has_value
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from target_aep.mapping.typed_fields import Place, TypedFields
    from target_aep.xdm.scalar_coercion import Coercer

Record = dict[str, t.Any]

_MOST_PLANS: t.Final = 20_000
"""Plans that are kept before all are made anew: a project can make up names without end."""


class _NoType:
    """The type of no value."""


class _Plan(t.NamedTuple):
    """What becomes of a property.

    Attributes:
        field: Its typed field; empty if it has but siblings.
        expected: The type of values that are taken as they are, except for the empty text.
        convert: Converts other values, OMITTED for none; raises UnconvertibleError.
        has_rivals: Whether another property was seen that wants the field.
    """

    field: str
    expected: type
    convert: Coercer
    has_rivals: bool


class Assigned(t.NamedTuple):
    """What became of some properties of a record.

    Attributes:
        typed: Values by typed field.
        rest: Properties without one.
        aside: The names of those whose value does not fit their field, or that have but a sibling.
        losers: The names of those whose field another property has.
    """

    typed: Record
    rest: Record
    aside: list[str]
    losers: list[str]


class FieldAssignment:
    """Assigns the properties of records."""

    def __init__(self, fields: TypedFields) -> None:
        """Begin without any plan.

        Args:
            fields: Finds typed fields.
        """
        self._fields = fields
        self._plans: dict[str, _Plan | None] = {}
        self._takers: dict[str, str] = {}
        self._contested: set[str] = set()

    def assign(self, properties: Record) -> Assigned:
        """Give properties to fields.

        Args:
            properties: Of one record; they are not changed.
        """
        plans = self._plans
        if not properties.keys() <= plans.keys():
            self._learn(properties)
        losers: list[str] = []
        if self._contested:
            properties, losers = self._without_losers(properties)
        typed: Record = {}
        rest: Record = {}
        aside: list[str] = []
        unfit: list[str] = []
        for name, value in properties.items():  # no calls for most values, since all go here
            plan = plans[name]
            if plan is None:
                rest[name] = value
                continue
            field, expected, convert, _ = plan
            if value.__class__ is expected and (value or expected is bool):
                typed[field] = value
                continue
            try:
                if (converted := convert(value)) is not OMITTED:
                    typed[field] = converted
            except UnconvertibleError:
                (unfit if field else aside).append(name)
        return Assigned(typed, rest, aside + unfit if unfit else aside, losers)

    def _without_losers(self, properties: Record) -> tuple[Record, list[str]]:
        """The properties without those whose field another one has, which takes the first's place.

        Returns:
            The others, and the names of the losers in the order in which they lost.
        """
        claims: dict[str, str] = {}
        losers: list[str] = []
        for name, value in properties.items():
            plan = self._plans[name]
            if plan is None or not plan.has_rivals or not has_value(value):
                continue
            rival = claims.setdefault(plan.field, name)
            if rival != name:
                winner, loser = sorted((rival, name), key=lambda each: (each != plan.field, each))
                claims[plan.field] = winner
                losers.append(loser)
        if not losers:
            return properties, losers
        winners = {name: claims[plan.field] for name in losers if (plan := self._plans[name])}
        ordered = (winners.get(name, name) for name in properties)
        return {name: properties[name] for name in ordered}, losers

    def _learn(self, names: Record) -> None:
        """Make the plans for the properties of a record."""
        if len(self._plans) > _MOST_PLANS:
            self._plans.clear()
        for name in names:
            if name not in self._plans:
                self._plans[name] = self._plan_of(name)

    def _plan_of(self, name: str) -> _Plan | None:
        place = self._fields.place(name)
        if place is None:
            return None
        if place.field is None:
            return _Plan("", _NoType, _refuse, has_rivals=False)
        taker = self._takers.setdefault(place.field, name)
        if taker != name and place.field not in self._contested:
            self._contested.add(place.field)
            if known := self._plans.get(taker):
                self._plans[taker] = known._replace(has_rivals=True)
        return _plan(place.field, place, has_rivals=place.field in self._contested)


def _plan(field: str, place: Place, *, has_rivals: bool) -> _Plan:
    return _Plan(field, place.as_it_is or _NoType, _unless_empty(place.coerce), has_rivals)


def _refuse(value: t.Any) -> t.Any:
    """What has no field of its own goes aside."""
    if has_value(value):
        raise UnconvertibleError("it has but siblings")
    return OMITTED


def _unless_empty(coerce: Coercer) -> Coercer:
    return lambda value: coerce(value) if has_value(value) else OMITTED

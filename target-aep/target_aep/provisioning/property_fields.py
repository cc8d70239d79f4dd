"""Fields for properties that a schema does not know yet, by what they were seen with.

Only fields are added, none is changed (what a schema in use allows: help/xdm/schema/composition.md
in AdobeDocs/experience-platform.en). Which ones follows from the properties and the schema alone,
never from the order of records.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass

from target_aep.mapping.field_names import (
    matching_field,
    owners_of,
    sanitized,
    shown,
    sibling_kinds,
    suffixed,
    typed_sibling,
)
from target_aep.provisioning.property_census import PropertyCensus
from target_aep.provisioning.struct_growth import missing_parts
from target_aep.provisioning.value_kinds import scalar_node
from target_aep.xdm.field_age import marked

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_aep.provisioning.property_types import Path, SeenTypes
    from target_aep.provisioning.value_kinds import Node
    from target_aep.xdm.schema import XdmField

__all__ = ["Kept", "PropertyCensus", "Proposal", "Proposals", "marked", "propose_fields"]

Reason = t.Literal["new", "name clash", "type change"]

_NO_TYPE = (
    "its objects or lists have no type in XDM: keys that are no names of fields or differ only in "
    "case, lists in lists, too many parts or levels"
)
_NO_NAME = "the names that it could have are taken by other fields"


@dataclass(frozen=True)
class Proposal:
    """A field that a schema lacks.

    Attributes:
        path: Where, from the object of typed properties; `[]` stands for a list's elements.
        node: Its definition as the Schema Registry takes it.
        property: The property that it is for.
        reason: Why: the property is new, its name is taken by another one, or its values do not
            fit the field that it has.
        count: How many values were seen that it would take.
    """

    path: Path
    node: Node
    property: str
    reason: Reason
    count: int


@dataclass(frozen=True)
class Kept:
    """Values of a property that stay in the map, and why."""

    property: str
    why: str
    count: int


@dataclass(frozen=True)
class Proposals:
    """What a schema could be given.

    Attributes:
        fields: The most frequent first.
        kept: What can't have a field.
        others: Values of properties that were too many to be told apart.
    """

    fields: tuple[Proposal, ...] = ()
    kept: tuple[Kept, ...] = ()
    others: int = 0


def propose_fields(census: PropertyCensus, existing: XdmField | None) -> Proposals:
    """Propose fields for the properties of a census.

    Args:
        census: Of values that no field of the schema takes.
        existing: The object of the schema that holds typed properties; None if there is none.
    """
    if existing is not None and existing.kind not in ("object", "any"):
        return Proposals(others=census.others)
    planner = _Planner(census, existing.properties if existing else {})
    planner.plan()
    return Proposals(
        tuple(sorted(planner.fields, key=lambda each: (-each.count, each.path))),
        tuple(sorted(planner.kept, key=lambda each: (-each.count, each.property))),
        census.others,
    )


class _Main(t.NamedTuple):
    """The field that takes the most frequent values of a property."""

    kind: str
    node: Node


class _Planner:
    """Goes through a census in the order of names, and takes names for fields once each."""

    def __init__(self, census: PropertyCensus, fields: Mapping[str, XdmField]) -> None:
        self._census = census
        self._existing = fields
        self._owners = owners_of(fields)
        self._taken = {name.lower() for name in fields}
        self.fields: list[Proposal] = []
        self.kept: list[Kept] = []

    def plan(self) -> None:
        homeless = [name for name in self._census if self._needs_own_field(name)]
        mains = {name: main for name in homeless if (main := _main(self._census[name]))}
        names = dict(self._names_for(mains))
        for raw in self._census:
            self._plan_property(raw, mains.get(raw), names.get(raw), is_new=raw in homeless)

    def _needs_own_field(self, raw: str) -> bool:
        field = self._own_field(raw)
        return field is None or (self._census.has_clashed(raw) and field != suffixed(raw))

    def _own_field(self, raw: str) -> str | None:
        return matching_field(raw, self._existing, self._owners)

    def _siblings(self, raw: str) -> list[str]:
        return sibling_kinds(raw, self._existing, self._owners)

    def _names_for(self, raws: Iterable[str]) -> Iterator[tuple[str, str]]:
        """A free name for each property: the closest one, or else the one that is its alone."""
        rivals: dict[str, list[str]] = defaultdict(list)
        for raw in raws:
            rivals[(sanitized(raw) or "").lower()].append(raw)
        left: list[str] = []
        for lowered, group in sorted(rivals.items()):
            group.sort(key=lambda raw: (raw != sanitized(raw), raw))
            if lowered and lowered not in self._taken:
                first = group.pop(0)
                yield first, self._take(sanitized(first) or "")
            left.extend(group)
        for raw in sorted(left):
            if suffixed(raw).lower() not in self._taken:
                yield raw, self._take(suffixed(raw))

    def _take(self, name: str) -> str:
        self._taken.add(name.lower())
        return name

    def _plan_property(
        self, raw: str, main: _Main | None, name: str | None, *, is_new: bool
    ) -> None:
        seen = self._census[raw]
        kind = main.kind if main and name else None
        unfit = _unfit(seen, kind)
        if main and name:
            clashes = name != sanitized(raw) and sanitized(raw) is not None
            reason: Reason = "name clash" if clashes else "new"
            count = seen.total - sum(unfit.values())
            self._propose(raw, (name,), main.node, reason, count)
        elif main:
            self.kept.append(Kept(raw, _NO_NAME, seen.total))
            return
        own = None if is_new else self._own_field(raw)
        self._plan_plain(raw, seen, unfit)
        for family in ("object", "array"):
            if unfit[family]:
                self._plan_container(raw, family, own, unfit[family])

    def _plan_plain(self, raw: str, seen: SeenTypes, unfit: Mapping[str, int]) -> None:
        """A sibling for the plain values that do not fit the property's field."""
        count = unfit["string"] + unfit["number"] + unfit["boolean"]
        if not count:
            return
        kind = seen.scalar_kind(but=[family for family in unfit if not unfit[family]])
        if kind in (None, "date-time") or kind in self._siblings(raw):
            kind = "string"
        self._plan_sibling(raw, str(kind), scalar_node(str(kind)), count)

    def _plan_container(self, raw: str, family: str, own: str | None, count: int) -> None:
        """New parts for an object (or list of objects) that there is, else a sibling."""
        seen = self._census[raw]
        sibling = typed_sibling(raw, family) if family in self._siblings(raw) else None
        for name in (own, sibling):
            field = self._existing.get(name) if name else None
            if field is None or field.kind != family:
                continue
            parts = missing_parts(field, seen)
            for below, node in parts or ():
                self._propose(raw, (str(name), *below), node, "new", count)
            if parts:
                return
        typed = seen.object_node() if family == "object" else seen.array_node()
        if typed is None:
            self.kept.append(Kept(raw, _NO_TYPE, count))
        else:
            self._plan_sibling(raw, family, typed, count)

    def _plan_sibling(self, raw: str, kind: str, node: Node, count: int) -> None:
        name = typed_sibling(raw, kind)
        if name.lower() in self._taken:
            self.kept.append(Kept(raw, _NO_NAME, count))
        else:
            self._propose(raw, (self._take(name),), node, "type change", count)

    def _propose(self, raw: str, path: Path, node: Node, reason: Reason, count: int) -> None:
        title = shown(raw)
        about = f"Property '{title}'."
        if len(path) > 1:
            title, about = path[-1], f"Part of the property '{title}'."
        elif reason == "type change":
            about = f"Property '{title}', values that do not fit its first type."
        described = {"title": title or path[-1], "description": about, **node}
        self.fields.append(Proposal(path, described, raw, reason, count))


def _main(seen: SeenTypes) -> _Main | None:
    """The type of the most frequent values that have one; of equals, a fixed order decides."""
    families = seen.families()
    for family in sorted(families, key=lambda each: -families[each]):
        if not families[family]:
            break
        if family in ("object", "array"):
            node = seen.object_node() if family == "object" else seen.array_node()
            if node:
                return _Main(family, node)
            continue
        kind = seen.scalar_kind()
        if family != "string":
            kind = seen.scalar_kind(but=[each for each in families if each != family])
        elif kind != "date-time":
            kind = "string"
        return _Main(str(kind), scalar_node(str(kind)))
    return None


def _unfit(seen: SeenTypes, kind: str | None) -> dict[str, int]:
    """How many values of each family a new field does not take; all, if there is none.

    What says the same there fits: a string takes every plain value, a number `"5"`, not `"05"`.
    """
    unfit = seen.families()
    if kind is None:
        return unfit
    if kind in ("object", "array"):
        unfit[kind] = 0
    elif kind in ("string", "date-time"):
        unfit.update(string=0, number=0, boolean=0)
    else:
        unfit["boolean" if kind == "boolean" else "number"] = 0
        unfit["string"] -= seen.counts()[f"text as {kind}"]
    return unfit

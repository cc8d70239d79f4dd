"""The properties that have no field yet, and what values each of them had."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from target_aep.provisioning.property_types import SeenTypes

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_NAMES: t.Final = 5_000
"""Properties that are told apart: a project can make up names without end."""


_MOST_WAITING: t.Final = 10_000
_LONGEST_WAITING: t.Final = 1_000_000
"""Values, and characters in them, that are kept to be counted together."""


class PropertyCensus:
    """Collects what values properties were seen with, by name."""

    def __init__(self, most_names: int = MOST_NAMES) -> None:
        """Begin with nothing seen.

        Args:
            most_names: Properties that are told apart; the values of others are only counted.
        """
        self._most_names = most_names
        self._seen: dict[str, SeenTypes] = {}
        self._clashed: set[str] = set()
        self._others = 0
        self._waiting: defaultdict[str, list[t.Any]] = defaultdict(list)
        self._values = self._characters = 0

    @property
    def others(self) -> int:
        """How many values were of properties that came when there were too many already."""
        self._count_waiting()
        return self._others

    def __iter__(self) -> Iterator[str]:
        """The names of the properties, sorted."""
        self._count_waiting()
        return iter(sorted(self._seen))

    def __getitem__(self, name: str) -> SeenTypes:
        """What a property was seen with."""
        self._count_waiting()
        return self._seen[name]

    def observe(self, name: str, value: t.Any, *, has_clashed: bool = False) -> None:
        """Count a value.

        Args:
            name: The property.
            value: Its value; null and empty ones count for nothing.
            has_clashed: Whether it had to leave its field to another property of the record.
        """
        self._count_waiting()
        seen = self._place_for(name)
        if seen is None:
            self._others += 1
            return
        seen.observe(value)
        if has_clashed:
            self._clashed.add(name)

    def observe_texts(self, texts: Mapping[str, str], values: Mapping[str, t.Any]) -> None:
        """Count the values of several properties of a record, for speed not all at once.

        Args:
            texts: What goes to the map, by property; its length is that of the value.
            values: Those of the record's properties, neither null nor empty.
        """
        waiting = self._waiting
        for name in texts:
            waiting[name].append(values[name])
        self._values += len(texts)
        self._characters += sum(map(len, texts.values()))
        if self._values > _MOST_WAITING or self._characters > _LONGEST_WAITING:
            self._count_waiting()

    def has_clashed(self, name: str) -> bool:
        """Whether a property had to leave its field to another one."""
        return name in self._clashed

    def take(self) -> PropertyCensus:
        """What was seen so far, as a census of its own; this one begins anew."""
        self._count_waiting()
        taken = PropertyCensus(self._most_names)
        vars(taken).update(vars(self))
        vars(self).update(vars(PropertyCensus(self._most_names)))
        return taken

    def add(self, other: PropertyCensus) -> None:
        """Count what another census has seen after this one."""
        self._count_waiting()
        self._others += other.others
        for name, theirs in other._seen.items():
            seen = self._place_for(name)
            if seen is None:
                self._others += theirs.total
                continue
            seen.add(theirs)
            if name in other._clashed:
                self._clashed.add(name)

    def _count_waiting(self) -> None:
        if not self._waiting:
            return
        for name, values in self._waiting.items():
            seen = self._place_for(name)
            if seen is None:
                self._others += len(values)
            else:
                seen.observe_all(values)
        self._waiting.clear()
        self._values = self._characters = 0

    def _place_for(self, name: str) -> SeenTypes | None:
        if name not in self._seen and len(self._seen) >= self._most_names:
            return None
        return self._seen.setdefault(name, SeenTypes())

"""The properties that have no field yet, and what values each of them had."""

from __future__ import annotations

import typing as t

from target_aep.provisioning.property_types import SeenTypes

if t.TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NAMES: t.Final = 5_000
"""Properties that are told apart: a project can make up names without end."""


class PropertyCensus:
    """Collects what values properties were seen with, by name.

    Attributes:
        others: Values of properties that came when there were too many already.
    """

    def __init__(self, most_names: int = MOST_NAMES) -> None:
        """Begin with nothing seen.

        Args:
            most_names: Properties that are told apart; the values of others are only counted.
        """
        self._most_names = most_names
        self._seen: dict[str, SeenTypes] = {}
        self._clashed: set[str] = set()
        self.others = 0

    def __iter__(self) -> Iterator[str]:
        """The names of the properties, sorted."""
        return iter(sorted(self._seen))

    def __getitem__(self, name: str) -> SeenTypes:
        """What a property was seen with."""
        return self._seen[name]

    def observe(self, name: str, value: t.Any, *, has_clashed: bool = False) -> None:
        """Count a value.

        Args:
            name: The property.
            value: Its value; null and empty ones count for nothing.
            has_clashed: Whether it had to leave its field to another property of the record.
        """
        seen = self._place_for(name)
        if seen is None:
            self.others += 1
            return
        seen.observe(value)
        if has_clashed:
            self._clashed.add(name)

    def has_clashed(self, name: str) -> bool:
        """Whether a property had to leave its field to another one."""
        return name in self._clashed

    def _place_for(self, name: str) -> SeenTypes | None:
        if name not in self._seen and len(self._seen) >= self._most_names:
            return None
        return self._seen.setdefault(name, SeenTypes())

"""What a mapping could not do as asked, counted by field, property or namespace."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_COUNTED = 1000


@dataclass
class MappingReport:
    """The counts of one stream's run.

    Attributes:
        unconverted: Values that do not fit the type of their field.
        left_out: Values that the dataset's schema has no field for.
        identities_left_out: Identities that would be refused, by namespace.
    """

    unconverted: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    identities_left_out: Counter[str] = field(default_factory=Counter)

    def count_unconverted(self, *names: str) -> None:
        """Count values that did not fit."""
        _count(self.unconverted, names)

    def count_left_out(self, names: Iterable[str]) -> None:
        """Count values without a field."""
        _count(self.left_out, names)


def _count(counter: Counter[str], names: Iterable[str]) -> None:
    """Count by name, up to a bound: a project can make up names without end."""
    for name in names:
        counter[name if name in counter or len(counter) < _MAX_COUNTED else "(other names)"] += 1

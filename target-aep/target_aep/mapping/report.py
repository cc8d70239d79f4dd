"""What a mapping could not do as asked, counted by mapping, field, property or namespace."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field, replace

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_NAMES: t.Final = 1000
"""Names that are counted one by one."""

_MOST_WAITING = 20_000
_SHOWN = 20


@dataclass
class MappingFailure:
    """The values that a mapping could not give.

    Attributes:
        number: Of the mapping in its set, from 1.
        destination: Where they would have gone.
        reason: Why not, for the first of them.
        count: How many there were.
    """

    number: int
    destination: str
    reason: str
    count: int = 0

    def __str__(self) -> str:
        return f"mapping {self.number} to {self.destination} ({self.count}; first: {self.reason})"


@dataclass
class MappingReport:
    """The counts of one stream's run.

    Attributes:
        failures: What expressions and conversions of mappings did not give, by number.
        unconverted_parts: Properties, and parts of copied objects, that do not fit their field.
        left_out: Values that the dataset's schema has no field for.
        identities_left_out: Identities that would be refused, by namespace.
        renamed: Values in the map under another key, since the property's name can be none.
        most_names: Names of each kind that are counted one by one; the others are together.
    """

    failures: dict[int, MappingFailure] = field(default_factory=dict)
    unconverted_parts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    _in_map: Counter[str] = field(default_factory=Counter)
    _to_map: list[str] = field(default_factory=list)
    identities_left_out: Counter[str] = field(default_factory=Counter)
    renamed: Counter[str] = field(default_factory=Counter)
    most_names: float = MOST_NAMES

    @property
    def unconverted(self) -> Counter[str]:
        """Values that were not sent as asked, by property or XDM path."""
        counts = Counter(self.unconverted_parts)
        for failure in self.failures.values():
            counts[failure.destination] += failure.count
        return counts

    def count_failure(self, number: int, destination: str, reason: str) -> None:
        """Count a value that a mapping could not give."""
        failure = self.failures.get(number)
        if failure is None:
            failure = self.failures[number] = MappingFailure(number, destination, reason)
        failure.count += 1

    def count_unconverted(self, *names: str) -> None:
        """Count values that did not fit."""
        self._count(self.unconverted_parts, names)

    def count_left_out(self, names: Iterable[str]) -> None:
        """Count values without a field."""
        self._count(self.left_out, names)

    def count_renamed(self, key: str) -> None:
        """Count a value in the map under a key that is not its property's name."""
        self._count(self.renamed, (key,))

    def count_in_map(self, names: Iterable[str]) -> None:
        """Count values of properties that went to the map; summed up now and then, for speed."""
        self._to_map += names
        if len(self._to_map) > _MOST_WAITING:
            self._sum_up()

    @property
    def in_map(self) -> Counter[str]:
        """Values without a typed field that went to the map, by property."""
        self._sum_up()
        return self._in_map

    def map_line(self) -> str | None:
        """How many values went to the map, None if none did."""
        counts = self.in_map
        if not counts:
            return None
        return (
            f"{sum(counts.values())} values of {len(counts)} properties have no typed field and "
            f"went to the map: {_top(counts)}"
        )

    def _sum_up(self) -> None:
        for name, count in Counter(self._to_map).items():
            self._count(self._in_map, (name,), count)
        self._to_map.clear()

    def take(self) -> MappingReport:
        """All that was counted so far, which then counts as told: this report begins anew."""
        self._sum_up()
        taken = MappingReport()
        vars(taken).update(vars(self))
        vars(self).update(vars(MappingReport(most_names=self.most_names)))
        return taken

    def add(self, other: MappingReport) -> None:
        """Count what another report has counted after this one.

        Of a mapping's failures, the reason that this report has already stays the first.
        """
        self._sum_up()
        for number, failure in other.failures.items():
            known = self.failures.setdefault(number, replace(failure, count=0))
            known.count += failure.count
        self.identities_left_out.update(other.identities_left_out)
        for mine, others in (
            (self.unconverted_parts, other.unconverted_parts),
            (self.left_out, other.left_out),
            (self._in_map, other.in_map),
            (self.renamed, other.renamed),
        ):
            for name, count in others.items():
                self._count(mine, (name,), count)

    def _count(self, counter: Counter[str], names: Iterable[str], by: int = 1) -> None:
        """Count by name, up to a bound: a project can make up names without end."""
        most = self.most_names
        for name in names:
            counter[name if name in counter or len(counter) < most else "(other names)"] += by

    def lines(self) -> Iterator[str]:
        """What there is to warn of at the end of a run, a line each."""
        for number in sorted(self.failures):
            yield f"values were left empty by {self.failures[number]}"
        for counter, words in (
            (self.unconverted_parts, "values did not fit the type of their field"),
            (self.left_out, "values have no field in the dataset's schema and were left out"),
            (self.identities_left_out, "identities would be refused and were left out"),
            (
                self.renamed,
                "values have another key in the map, for want of a name that can be sent",
            ),
        ):
            if counter:
                yield f"{sum(counter.values())} {words}: {_top(counter)}"


def _top(counter: Counter[str]) -> str:
    """The most frequent names with their counts, those that are equally frequent by name."""
    ordered = sorted(counter.items(), key=lambda each: (-each[1], each[0]))
    shown = ", ".join(f"{name} ({count})" for name, count in ordered[:_SHOWN])
    return shown + (", …" if len(ordered) > _SHOWN else "")

"""What values a property was seen with, and the XDM type that takes them."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from decimal import Decimal

from target_aep.provisioning.text_labels import labels_of_text, takes
from target_aep.provisioning.value_kinds import kind_of, scalar_node
from target_aep.xdm.coercion import OMITTED, prune
from target_aep.xdm.exact_coercion import LARGEST_LONG, compile_exact_coercer
from target_aep.xdm.schema import XdmField

if t.TYPE_CHECKING:
    from target_aep.provisioning.value_kinds import Node

Path = tuple[str, ...]
ITEMS: t.Final = "[]"
"""The step of a path from a list to its elements."""

MOST_PARTS: t.Final = 200
"""Paths that one property may have below it; objects with more have no type."""

_DEEPEST = 4
_LONGEST_KEY = 100
_ODD_KEY = "odd key"
_WHOLE = "number as integer"
_TOO_DEEP = "too deep"
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_TO_INTEGER = compile_exact_coercer(XdmField("integer"))


class SeenTypes:
    """The values that a property was seen with, as counts; their order tells nothing.

    Null and empty values count for nothing, since they are never sent. What is kept is bounded:
    past that, and where a key is no name for an XDM field, objects and lists have no type.
    """

    def __init__(self, most_parts: int = MOST_PARTS) -> None:
        """Begin with nothing seen.

        Args:
            most_parts: Paths below the property that are kept apart.
        """
        self._most_parts = most_parts
        self._counts: dict[Path, Counter[str]] = {}
        self._is_too_varied = False

    def __repr__(self) -> str:
        return f"SeenTypes({dict(self.counts())})"

    @property
    def total(self) -> int:
        """How many values were seen."""
        return sum(count for _, count in self.families().items())

    def counts(self, path: Path = ()) -> Counter[str]:
        """How many values of each kind were seen at a path.

        Beside the kinds there are `text as integer` and the like: texts that say the same in a
        field of that kind; and `number as integer`, numbers that are whole though not written so.

        Args:
            path: Keys below the property, ITEMS for the elements of a list.
        """
        return self._counts.get(path, Counter())

    def families(self, path: Path = ()) -> dict[str, int]:
        """How many values there were of kinds that have one type in common.

        A number that a double would round makes all numbers there texts: none is falsified.
        """
        counts = self.counts(path)
        numbers = counts["integer"] + counts["number"]
        texts = counts["string"] + counts["date-time"]
        if counts["large"]:
            texts, numbers = texts + numbers + counts["large"], 0
        return {
            "string": texts,
            "number": numbers,
            "boolean": counts["boolean"],
            "object": counts["object"],
            "array": counts["array"],
        }

    def observe(self, value: t.Any) -> None:
        """Count a value; all below it, too."""
        kept = prune(value)
        if kept is not OMITTED:
            self._see((), kept)

    def observe_all(self, values: t.Collection[t.Any]) -> None:
        """Count values, those of the same plain type together.

        Args:
            values: Neither null nor empty.
        """
        kinds = set(map(type, values))
        for kind in kinds:
            self._observe_kind(
                kind, values if len(kinds) == 1 else [each for each in values if type(each) is kind]
            )

    def _observe_kind(self, kind: type, values: t.Collection[t.Any]) -> None:
        counts = self._counts_at(())
        if kind is str:
            for text, count in Counter(values).items():
                for label in labels_of_text(text):
                    counts[label] += count
        elif kind is bool:
            counts["boolean"] += len(values)
        elif kind is int and min(values) >= -LARGEST_LONG and max(values) <= LARGEST_LONG:
            counts["integer"] += len(values)
        else:
            for value in values:
                self.observe(value)

    def _counts_at(self, path: Path) -> Counter[str]:
        counts = self._counts.get(path)
        if counts is None:
            counts = self._counts[path] = Counter()
        return counts

    def add(self, other: SeenTypes) -> None:
        """Count what another one has seen of the same property."""
        self._is_too_varied = self._is_too_varied or other._is_too_varied
        for path, counts in other._counts.items():
            self._counts_at(path).update(counts)
        self._keep_bound()

    def _see(self, path: Path, value: t.Any) -> None:
        counts = self._counts_at(path)
        if isinstance(value, str):
            for label in labels_of_text(value):
                counts[label] += 1
            return
        kind = kind_of(value)
        counts[kind] += 1
        if kind == "number" and _is_whole(value):
            counts[_WHOLE] += 1
        if kind in ("object", "array") and not self._is_too_varied:
            self._see_below(path, value, counts)

    def _see_below(self, path: Path, value: t.Any, counts: Counter[str]) -> None:
        if len(path) >= _DEEPEST:
            counts[_TOO_DEEP] += 1
            return
        parts = value.items() if isinstance(value, dict) else ((ITEMS, item) for item in value)
        for key, item in parts:
            if isinstance(value, dict) and not _is_field_name(key):
                counts[_ODD_KEY] += 1
            elif not self._is_too_varied:
                self._see((*path, key), item)
                self._keep_bound()

    def _keep_bound(self) -> None:
        """Forget all that is below, once that is too much: a sum that no order changes."""
        if len(self._counts) > self._most_parts + 1:
            self._is_too_varied = True
        if self._is_too_varied:
            counts = self._counts.get((), Counter())
            of_values = {k: n for k, n in counts.items() if k not in (_ODD_KEY, _TOO_DEEP)}
            self._counts = {(): Counter(of_values)}

    def keys(self, path: Path) -> list[str]:
        """The keys of the objects at a path, sorted."""
        depth = len(path)
        return sorted(
            each[-1]
            for each in self._counts
            if len(each) == depth + 1 and each[:depth] == path and each[-1] != ITEMS
        )

    def scalar_kind(self, path: Path = (), *, but: t.Collection[str] = ()) -> str | None:
        """The kind that takes all plain values that were seen at a path.

        Whole numbers and others are numbers together, texts are date-times only if all are, and
        any other mixture is text.

        Args:
            path: Where.
            but: Families that are left aside.

        Returns:
            A kind that `scalar_node` knows; None if there was no plain value.
        """
        counts = self.counts(path)
        families = self.families(path)
        present = [
            name for name in ("boolean", "number", "string") if families[name] and name not in but
        ]
        if not present:
            return None
        if present == ["boolean"]:
            return "boolean"
        if present == ["number"]:
            return "number" if counts["number"] else "integer"
        is_all_dates = present == ["string"] and counts["date-time"] == families["string"]
        return "date-time" if is_all_dates else "string"

    def to_node(self, path: Path = ()) -> Node | None:
        """The definition of one field for what was seen, as the Schema Registry takes it.

        It takes all plain values. Where there were plain values, objects and lists, it is for the
        most frequent of the three.

        Args:
            path: Where below the property.

        Returns:
            The definition; None if nothing was seen, or nothing that has a type.
        """
        families = self.families(path)
        plain = families["string"] + families["number"] + families["boolean"]
        if not any(families.values()):
            return None
        if plain >= max(families["object"], families["array"]):
            kind = self.scalar_kind(path)
            return scalar_node(kind) if kind else None
        is_object = families["object"] >= families["array"]
        return self.object_node(path) if is_object else self.array_node(path)

    def object_node(self, path: Path = ()) -> Node | None:
        """The definition for the objects at a path; None if they have no type in XDM.

        They have none if a key is no name for a field, if keys differ only in case, if there are
        too many keys or levels, or if the values of a key have no type.
        """
        keys = self.keys(path)
        if not keys or not self.is_named(path) or len({key.lower() for key in keys}) < len(keys):
            return None
        parts = {key: self.to_node((*path, key)) for key in keys}
        if None in parts.values():
            return None
        return {"type": "object", "properties": parts}

    def array_node(self, path: Path = ()) -> Node | None:
        """The definition for the lists at a path; None if they have no type in XDM.

        They have none if their elements have none, or are lists themselves.
        """
        items = self.to_node((*path, ITEMS))
        if items is None or items["type"] == "array":
            return None
        return {"type": "array", "items": items}

    def is_named(self, path: Path) -> bool:
        """Whether all keys of the objects at a path are known, and names for XDM fields."""
        counts = self.counts(path)
        return not (self._is_too_varied or counts[_ODD_KEY] or counts[_TOO_DEEP])


def _is_whole(number: float | Decimal) -> bool:
    """Whether a field of integers takes a number as it is."""
    if isinstance(number, Decimal):
        return abs(number) <= LARGEST_LONG and number == number.to_integral_value()
    return takes(_TO_INTEGER, number)


def _is_field_name(key: str) -> bool:
    return len(key) < _LONGEST_KEY and _FIELD_NAME.fullmatch(key) is not None

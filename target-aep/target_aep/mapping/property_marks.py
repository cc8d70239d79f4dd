"""Code that tells which properties of a record no mapping has placed, for the remainder.

Nearly every property that a mapping reads gets its place by it. So the function that maps a record
takes a copy of the properties, takes out of it what mappings read as it is, and puts back the few
whose value has not found its place: because it does not convert, or is replaced by another mapping.
"""

from __future__ import annotations

import itertools
import typing as t
from collections import Counter

from target_aep.data_prep.namespace import RECORD, constant, load
from target_aep.mapping.code_templates import statements
from target_aep.mapping.paths import compile_reader

if t.TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Sequence

    from target_aep.data_prep.namespace import Namespace
    from target_aep.mapping.paths import Path
    from target_aep.mapping.program import PlainMapping
    from target_aep.mapping.shared_reads import SharedReads

Record = dict[str, t.Any]

_NONES: t.Final = itertools.repeat(None)


class PropertyMarks:
    """Makes the code: of a list `unplaced`, and of an object `left`, which it begins and ends."""

    def __init__(
        self,
        mappings: Sequence[PlainMapping],
        above: Path,
        namespace: Namespace,
        reads: SharedReads,
        *,
        walks: bool,
    ) -> None:
        """Prepare for the mappings of a set.

        Args:
            mappings: All that are in the function, in its order.
            above: Where a record has its properties; empty if nobody asks what is left of them.
            namespace: Where the code will run.
            reads: Told which values are read here.
            walks: Whether a walk finds the properties, which then are an object for certain.
        """
        self._above = above
        self._namespace = namespace
        self._properties = reads.walked(above) if above and walks else None
        marked = [each for each in mappings if each.source_property is not None]
        self._mapped = frozenset(each.source_property for each in marked)
        self._uses = Counter(each.source_property for each in marked)
        self._same_place: dict[tuple[str, ...], list[PlainMapping]] = {}
        for each in marked:
            self._same_place.setdefault(each.mapping.names, []).append(each)
        self._held = [each for each in marked if not self._is_simple(each)]
        self._taken = [each for each in marked if self._is_taken(each)]
        for number, each in enumerate(self._taken):
            if self._is_direct(each):
                reads.know((*above, t.cast("str", each.source_property)), f"taken_{number}")

    @property
    def beginning(self) -> list[ast.stmt]:
        """Code that runs before the mappings."""
        flags = "".join(f"\n{_flag(each)} = False" for each in self._held)
        lines = statements(f"unplaced = []{flags}", {})
        if self._properties is None:
            return lines
        lines += statements("left = PROPERTIES.copy()", {"PROPERTIES": self._properties})
        if self._taken:
            variables = ", ".join(f"taken_{number}" for number in range(len(self._taken)))
            names = tuple(each.source_property for each in self._taken)
            parts = {
                "MAP": self._namespace.bind(map, "map"),
                "NAMES": self._namespace.bind(names, "names"),
                "NONES": self._namespace.bind(_NONES, "nones"),
            }
            lines += statements(f"{variables}, = MAP(left.pop, NAMES, NONES)", parts)
        return lines

    def placed(self, each: PlainMapping) -> str:
        """Statements, to be added to those that place a mapping's value; empty for none."""
        if each.source_property is None or self._is_taken(each):
            return ""
        if self._is_simple(each):
            return "" if self._properties is None else "; left.pop(PROPERTY, None)"
        flags = [
            f"; {_flag(other)} = {other is each}" for other in self._same_place[each.mapping.names]
        ]
        return "".join(flags)

    def not_placed(self, each: PlainMapping) -> str:
        """A statement for where a mapping has given no value, though its source may have one."""
        if each.source_property is None or not self._is_simple(each):
            return "pass"
        if self._properties is None:
            return "unplaced.append(PROPERTY)"
        if not self._is_taken(each):
            return "pass"
        if self._is_direct(each):
            return "unplaced.append(PROPERTY)"
        return "if PROPERTY in PROPERTIES: unplaced.append(PROPERTY)"

    def absent(self, each: PlainMapping) -> str:
        """The same for where a plain source has none."""
        is_none_too = self._properties is not None and self._is_direct(each)
        return "pass" if is_none_too else self.not_placed(each)

    def parts(self, each: PlainMapping) -> dict[str, ast.expr]:
        """What stands for the names in these statements."""
        return {
            "PROPERTY": constant(each.source_property),
            "PROPERTIES": self._properties or constant(None),
        }

    @property
    def ending(self) -> list[ast.stmt]:
        """Code that runs after the mappings."""
        lines: list[ast.stmt] = []
        for name in dict.fromkeys(each.source_property for each in self._held):
            flags = " or ".join(_flag(each) for each in self._held if each.source_property == name)
            does = (
                f"if not ({flags}):\n    unplaced.append(PROPERTY)"
                if self._properties is None
                else f"if {flags}:\n    left.pop(PROPERTY, None)"
            )
            lines += statements(does, {"PROPERTY": constant(name)})
        return lines + self._putting_back()

    def _putting_back(self) -> list[ast.stmt]:
        if self._properties is not None:
            parts = {"PROPERTIES": self._properties, "BACK": self._bind(_with_names)}
            return statements("if unplaced:\n    left = BACK(PROPERTIES, left, unplaced)", parts)
        if not self._above:
            return statements("left = None", {})
        parts = {"LEFT": self._bind(_compile_left(self._above, self._mapped)), RECORD: load(RECORD)}
        return statements(f"left = LEFT({RECORD}, unplaced)", parts)

    def _bind(self, function: Callable[..., t.Any]) -> ast.expr:
        return self._namespace.bind(function, "bound")

    def _is_simple(self, each: PlainMapping) -> bool:
        """Whether no other mapping has a say in whether the property has its place."""
        is_alone = len(self._same_place[each.mapping.names]) == 1
        return is_alone and self._uses[each.source_property] == 1

    def _is_taken(self, each: PlainMapping) -> bool:
        """Whether the property is taken out before it is known that it gets its place."""
        is_attribute = each.mapping.source.expression is None
        return self._properties is not None and is_attribute and self._is_simple(each)

    def _is_direct(self, each: PlainMapping) -> bool:
        """Whether the source is the property itself, rather than a column that repeats it."""
        source = each.mapping.source
        return source.expression is None and source.reads == ((*self._above, each.source_property),)


def _flag(each: PlainMapping) -> str:
    return f"held_{each.mapping.number}"


def _with_names(properties: Record, left: Record, names: list[str]) -> Record:
    """What is left of some properties, in their order, with others of them."""
    return {name: value for name, value in properties.items() if name in left or name in names}


def _compile_left(above: Path, mapped: frozenset[str | None]) -> Callable[..., Record | None]:
    """A function that finds what is left of the properties of any record."""
    read = compile_reader(above)

    def left(record: Record, unplaced: list[str]) -> Record | None:
        properties = read(record)
        if not isinstance(properties, dict):
            return None
        return {
            name: value
            for name, value in properties.items()
            if name not in mapped or name in unplaced
        }

    return left

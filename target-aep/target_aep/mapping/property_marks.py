"""Code that tells which properties of a record no mapping has placed, for the remainder.

Nearly every property that a mapping reads gets its place by it, so the function that maps a record
notes the others: those whose value is none, does not convert, or is replaced by another mapping.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from target_aep.data_prep.namespace import constant
from target_aep.mapping.code_templates import statements

if t.TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from target_aep.mapping.paths import Path
    from target_aep.mapping.program import PlainMapping


class PropertyMarks:
    """Makes the code: of a list `unplaced`, which it begins, fills and ends."""

    def __init__(
        self, mappings: Sequence[PlainMapping], above: Path, properties: ast.expr | None
    ) -> None:
        """Prepare for the mappings of a set.

        Args:
            mappings: All that are in the function, in its order.
            above: Where a record has its properties.
            properties: Code that reads them as an object; None where that takes more than a walk:
                then properties that the record does not have may be noted too.
        """
        self._above = above
        self._properties = properties
        marked = [each for each in mappings if each.source_property is not None]
        self._uses = Counter(each.source_property for each in marked)
        self._same_place: dict[tuple[str, ...], list[PlainMapping]] = {}
        for each in marked:
            self._same_place.setdefault(each.mapping.names, []).append(each)
        self._held = [each for each in marked if not self._is_simple(each)]

    @property
    def beginning(self) -> list[ast.stmt]:
        """Code that runs before the mappings."""
        flags = "".join(f"\n{_flag(each)} = False" for each in self._held)
        return statements(f"unplaced = []{flags}", {})

    def placed(self, each: PlainMapping) -> str:
        """Statements, to be added to those that place a mapping's value; empty for none."""
        if each.source_property is None or self._is_simple(each):
            return ""
        flags = [
            f"; {_flag(other)} = {other is each}" for other in self._same_place[each.mapping.names]
        ]
        return "".join(flags)

    def not_placed(self, each: PlainMapping) -> str:
        """A statement for where a mapping has given no value, though its source may have one."""
        if each.source_property is None or not self._is_simple(each):
            return "pass"
        if self._properties is None or self._is_direct(each):
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
            flags = [_flag(each) for each in self._held if each.source_property == name]
            test = f"not ({' or '.join(flags)})"
            if self._properties is not None:
                test += " and PROPERTY in PROPERTIES"
            parts = {
                "PROPERTY": constant(name),
                "PROPERTIES": self._properties or constant(None),
            }
            lines += statements(f"if {test}:\n    unplaced.append(PROPERTY)", parts)
        return lines

    def _is_simple(self, each: PlainMapping) -> bool:
        """Whether no other mapping has a say in whether the property has its place."""
        is_alone = len(self._same_place[each.mapping.names]) == 1
        return is_alone and self._uses[each.source_property] == 1

    def _is_direct(self, each: PlainMapping) -> bool:
        """Whether the source is the property itself, rather than a column that repeats it."""
        source = each.mapping.source
        return source.expression is None and source.reads == ((*self._above, each.source_property),)


def _flag(each: PlainMapping) -> str:
    return f"held_{each.mapping.number}"

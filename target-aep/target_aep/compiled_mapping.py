"""Mappings compiled: where each reads its value in a record, and the names it puts it under."""

from __future__ import annotations

import typing as t

from target_aep.errors import MappingSetError
from target_aep.expressions import compile_expression
from target_aep.paths import Path, Read, compile_reader, parse_path

if t.TYPE_CHECKING:
    from target_aep.mapping_set import Mapping, Remainder

Names = tuple[str, ...]


def compile_source(mapping: Mapping) -> tuple[Path | None, Read]:
    """The path that a mapping reads (None for a constant), and a function from record to value.

    Raises:
        MappingSetError: The path or expression can't be used.
    """
    if mapping.source_type == "STATIC":
        return None, lambda _record: mapping.source
    if mapping.source_type == "EXPRESSION":
        return compile_expression(mapping.source)
    path = parse_path(mapping.source)
    return path, compile_reader(path)


def destination_names(text: str) -> Names:
    """An XDM path as names.

    Raises:
        MappingSetError: It can't be read, or has positions in lists.
    """
    names = parse_path(text)
    if any(isinstance(step, int) for step in names):
        raise MappingSetError(
            f"destination {text!r}: positions in lists are not available in this version"
        )
    return t.cast("Names", names)


def source_property(path: Path | None, rule: Remainder | None) -> str | None:
    """The property of the remainder's source that a source path stands for."""
    if path is None or rule is None:
        return None
    source = parse_path(rule.source)
    if path[: len(source)] == source and len(path) == len(source) + 1:
        return str(path[-1])
    return rule.columns.get(str(path[0])) if len(path) == 1 else None

"""What an expression reads and calls."""

from __future__ import annotations

import typing as t

from target_aep.data_prep import syntax
from target_aep.errors import MappingSetError
from target_aep.mapping.paths import parse_path

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_aep.data_prep.function import Function
    from target_aep.data_prep.syntax import Node, Step

Path = tuple["Step", ...]


def calls_in(root: Node) -> Iterator[syntax.Call | syntax.Method]:
    """The calls of functions and methods, in the order of the text."""
    for node, _ in syntax.walk(root):
        if isinstance(node, (syntax.Call, syntax.Method)):
            yield node


def fields_in(root: Node, functions: Mapping[str, Function]) -> tuple[Path, ...]:
    """The paths that are read of the record, each once, in the order of the text.

    A path that is given as a literal to a function which looks into the record counts too.
    """
    return tuple(dict.fromkeys(_fields(root, frozenset(), functions)))


def _fields(
    node: Node, variables: frozenset[str], functions: Mapping[str, Function]
) -> Iterator[Path]:
    if isinstance(node, syntax.Field) and (node.quoted or node.path[0] not in variables):
        yield node.path
    if isinstance(node, syntax.Call) and functions[node.name].needs_record:
        yield from _literal_paths(node)
    inner = variables.union(node.parameters) if isinstance(node, syntax.Lambda) else variables
    for child in node.children:
        yield from _fields(child, inner, functions)


def _literal_paths(node: syntax.Call) -> Iterator[Path]:
    for argument in node.arguments:
        if isinstance(argument, syntax.Text):
            try:
                yield parse_path(argument.value)
            except MappingSetError:
                continue

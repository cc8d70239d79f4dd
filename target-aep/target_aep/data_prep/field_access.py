"""Generated code that reads a path: inline, because most of a mapping set is nothing else.

A key that is literally spelled like the next names of the path wins over a walk, as in `paths`:
where an object has such a key, the rest of the path is not read inline.
"""

from __future__ import annotations

import ast
import typing as t

from target_aep.data_prep.namespace import Namespace, call, choice, constant, keep, load
from target_aep.mapping.paths import compile_value_reader, joined_names

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.data_prep.syntax import Step
    from target_aep.mapping.paths import Path


def read_path(
    namespace: Namespace, value: str, path: Sequence[Step], *, is_object: bool
) -> ast.expr:
    """Code that reads a path.

    Args:
        namespace: Where the code will run.
        value: The name of the variable to read in.
        path: Names and indexes.
        is_object: Whether the value is known to be of the type that the first step needs.

    Returns:
        Code of the value there, None where there is none.
    """
    if not path:
        return load(value)
    step, *rest = path
    found = _element(value, step)
    if rest:
        inner = namespace.variable()
        found = choice(
            _is_of_type(keep(inner, found), rest[0]),
            read_path(namespace, inner, rest, is_object=True),
            constant(None),
        )
        found = _joined_names_first(namespace, value, tuple(path), found)
    return found if is_object else choice(_is_of_type(load(value), step), found, constant(None))


def _is_of_type(value: ast.expr, step: Step) -> ast.expr:
    wanted = "dict" if isinstance(step, str) else "list"
    return call(load("isinstance"), value, load(wanted))


def _element(value: str, step: Step) -> ast.expr:
    if isinstance(step, str):
        return call(ast.Attribute(load(value), "get", ast.Load()), constant(step))
    length = call(load("len"), load(value))
    return choice(
        ast.Compare(length, [ast.Gt()], [constant(step)]),
        _subscript(value, constant(step)),
        constant(None),
    )


def _joined_names_first(
    namespace: Namespace, value: str, path: Path, otherwise: ast.expr
) -> ast.expr:
    keys = [key for key, _, _ in joined_names(path)]
    if not keys:
        return otherwise
    if len(keys) == 1 and len(path) == 2:  # noqa: PLR2004 - the key is all of the path
        is_there = ast.Compare(constant(keys[0]), [ast.In()], [load(value)])
        return choice(is_there, _subscript(value, constant(keys[0])), otherwise)
    is_without = call(
        ast.Attribute(namespace.bind(frozenset(keys), "keys"), "isdisjoint", ast.Load()),
        load(value),
    )
    return choice(
        is_without, otherwise, call(namespace.bind(compile_value_reader(path), "read"), load(value))
    )


def _subscript(value: str, key: ast.expr) -> ast.expr:
    return ast.Subscript(load(value), key, ast.Load())

"""Python code out of templates, in which words of the user's never become code.

A template is a line or more of Python with names in it that this package chose. Constants, such as
the keys of records, and expressions that were compiled elsewhere are put into the syntax tree in
the place of names, after the template has been parsed.
"""

from __future__ import annotations

import ast
import typing as t
from functools import lru_cache

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def statements(template: str, parts: Mapping[str, ast.expr]) -> list[ast.stmt]:
    """The statements of a template.

    Args:
        template: Python code.
        parts: What to put in the place of names.
    """
    return [_Filler(parts).visit(statement) for statement in _parsed(template)]


def expression(template: str, parts: Mapping[str, ast.expr]) -> ast.expr:
    """The expression of a template; `parts` as above."""
    (statement,) = statements(template, parts)
    return t.cast("ast.Expr", statement).value


def fill(code: ast.expr, parts: Mapping[str, ast.expr]) -> ast.expr:
    """The same code with parts in the place of names."""
    return t.cast("ast.expr", _Filler(parts).visit(code))


def compile_function(
    parameters: str, body: list[ast.stmt], objects: Mapping[str, t.Any], name: str
) -> t.Callable[..., t.Any]:
    """Compile a function.

    Args:
        parameters: As they stand between its brackets.
        body: Its statements.
        objects: What they use, by name.
        name: How it shows in tracebacks.
    """
    module = ast.parse(f"def {name}({parameters}): pass")
    t.cast("ast.FunctionDef", module.body[0]).body = body
    scope = dict(objects)
    code = compile(ast.fix_missing_locations(module), f"<{name}>", "exec")
    exec(code, scope)  # noqa: S102 - no text of a user's
    return t.cast("t.Callable[..., t.Any]", scope[name])


class _Filler(ast.NodeTransformer):
    def __init__(self, parts: Mapping[str, ast.expr]) -> None:
        self._parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        part = self._parts.get(node.id)
        if part is None:
            return node
        if isinstance(part, ast.Name):
            return ast.Name(part.id, node.ctx)
        return part


def _parsed(template: str) -> list[ast.stmt]:
    return ast.parse(_dedented(template)).body


@lru_cache(maxsize=256)
def _dedented(template: str) -> str:
    lines = template.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines)

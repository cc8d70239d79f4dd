"""Code of an expression that leaves the reading of its fields to others.

The fields become parameters of a lambda, whose names in the generated code are then replaced.
"""

from __future__ import annotations

import typing as t
from dataclasses import fields, replace

from target_aep.data_prep import syntax
from target_aep.mapping.code_templates import fill

if t.TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator

    from target_aep.data_prep.compiling import CheckedExpression
    from target_aep.data_prep.evaluation import Evaluation
    from target_aep.data_prep.namespace import Namespace
    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.paths import Path


def expression_code(
    checked: CheckedExpression,
    namespace: Namespace,
    read: Callable[[Path], ast.expr],
    *,
    policies: Policies,
    evaluation: Evaluation,
) -> ast.expr:
    """Generate the code of an expression.

    Args:
        checked: The expression.
        namespace: Where the code will run.
        read: Gives the code that reads a path.
        policies: How null is taken.
        evaluation: The moment, and where chance comes from.

    Returns:
        Code of its value; it may raise EvaluationError, and what `namespace.PYTHON_ERRORS` holds.
    """
    names: dict[Path, str] = {}
    node = _without_fields(checked.node, names, frozenset())
    outer = syntax.Lambda(tuple(names.values()), node)
    code = t.cast(
        "ast.Lambda",
        replace(checked, node=outer).generate(namespace, policies=policies, evaluation=evaluation),
    )
    variables = [argument.arg for argument in code.args.args]
    return fill(code.body, {name: read(path) for name, path in zip(variables, names, strict=True)})


def field_reads(checked: CheckedExpression) -> Iterator[Path]:
    """The paths that its fields read, as often as they do."""
    return _reads(checked.node, frozenset())


def _reads(node: syntax.Node, variables: frozenset[str]) -> Iterator[Path]:
    if isinstance(node, syntax.Field):
        if _is_of_record(node, variables):
            yield node.path
        return
    inner = variables.union(node.parameters) if isinstance(node, syntax.Lambda) else variables
    for child in node.children:
        yield from _reads(child, inner)


def _without_fields(
    node: syntax.Node, names: dict[Path, str], variables: frozenset[str]
) -> syntax.Node:
    """The tree with a variable in the place of each field; its name is none that can be written."""
    if isinstance(node, syntax.Field):
        if not _is_of_record(node, variables):
            return node
        return syntax.Field((names.setdefault(node.path, f"field {len(names)}"),))
    inner = variables.union(node.parameters) if isinstance(node, syntax.Lambda) else variables

    def changed(part: t.Any) -> t.Any:
        if isinstance(part, syntax.Node):
            return _without_fields(part, names, inner)
        return tuple(map(changed, part)) if isinstance(part, tuple) else part

    parts = {each.name: changed(getattr(node, each.name)) for each in fields(node)}
    return replace(node, **parts)


def _is_of_record(node: syntax.Field, variables: frozenset[str]) -> bool:
    return node.quoted or node.path[0] not in variables

"""Expressions into syntax trees.

The grammar is that of Apache Commons JEXL 3 (Parser.jjt in apache/commons-jexl), whose language
Data Prep's is, with Adobe's `${…}` for names of any characters (help/data-prep/functions.md in
AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import functools
import typing as t
from importlib import resources

from target_aep.data_prep.failures import ExpressionError
from target_aep.data_prep.limits import EXPRESSION_CHARACTERS, NESTING
from target_aep.data_prep.syntax import Field, walk
from target_aep.data_prep.syntax_errors import Problem, explain

if t.TYPE_CHECKING:
    import lark

    from target_aep.data_prep.syntax import Node


def parse_expression(text: str) -> Node:
    """Parse an expression.

    Args:
        text: The expression, as a mapping holds it after its JSON is decoded.

    Returns:
        Its syntax tree.

    Raises:
        ExpressionError: It is not an expression, is too long, or is nested too deeply.
    """
    if len(text) > EXPRESSION_CHARACTERS:
        raise ExpressionError(
            f"the expression has {len(text)} characters, Data Prep takes {EXPRESSION_CHARACTERS}",
            text,
        )
    import lark  # noqa: PLC0415 - costs 50 ms, which a run without expressions need not pay

    try:
        node: Node = _parser().parse(text)  # type: ignore[assignment]
    except Problem as problem:
        raise ExpressionError(str(problem), text, problem.position) from None
    except lark.UnexpectedInput as failure:
        at_end = getattr(getattr(failure, "token", None), "type", None) == "$END"
        cause = explain(text, len(text) if at_end else failure.pos_in_stream or 0)
        raise ExpressionError(str(cause), text, cause.position) from None
    _refuse_deep_nesting(node, text)
    return node


def _refuse_deep_nesting(root: Node, text: str) -> None:
    for node, depth in walk(root):
        if depth > NESTING or (isinstance(node, Field) and len(node.path) > NESTING):
            raise ExpressionError(
                f"nested more than {NESTING} levels deep: split it into several fields, or use "
                "one call such as concat(…) or decode(…) in place of a long chain",
                text,
                node.position,
            )


@functools.lru_cache(maxsize=1)
def _parser() -> lark.Lark:
    import lark  # noqa: PLC0415

    from target_aep.data_prep.tree_building import TreeBuilder  # noqa: PLC0415

    grammar = resources.files("target_aep.data_prep") / "grammar.lark"
    return lark.Lark(grammar.read_text("utf-8"), parser="lalr", transformer=TreeBuilder())

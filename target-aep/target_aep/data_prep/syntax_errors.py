"""Why a text is no expression, said so that it can be put right."""

from __future__ import annotations

import re
import typing as t

from target_aep.data_prep.syntax import RESERVED

STATEMENT_WORDS: t.Final = frozenset(
    {
        *("if", "else", "for", "while", "do", "var"),
        *("new", "return", "break", "continue", "function"),
    }
)

_ONE_EXPRESSION = "a mapping holds one expression, without statements and assignments"
_TEXT = r""""(?:[^"\\\r\n]|\\[^\r\n])*"|'(?:[^'\\\r\n]|\\[^\r\n])*'"""
_COMMENT = r"//[^\n]*|##[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
_PIECE = re.compile(rf"{_TEXT}|\$\{{(?:[^{{}}\\]|\\.)*\}}|{_COMMENT}|\$\{{|.", re.DOTALL)
_CLOSING = {"(": ")", "[": "]", "{": "}", "${": "}"}
_COMPARISON = re.compile(r"==|!=|<=|>=|<|>|=~|!~|=\^|!\^|=\$|!\$|(?:eq|ne|lt|le|gt|ge)(?![\w$])")
_ASSIGNMENT = re.compile(r"[-+*/%&|^]?=")
_LAST_WORD = re.compile(r"([\w$]+)\s*\Z")
_FIRST_WORD = re.compile(r"\s*([\w$]+)")
_WORD = re.compile(r"[\w$]+")


class Problem(Exception):  # noqa: N818 - becomes an ExpressionError, which names the text
    """What is wrong at a place of the text."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.position = position


def explain(text: str, position: int) -> Problem:
    """Say why the parser stopped.

    Args:
        text: The expression.
        position: Where the parser stopped; the length of the text for its end.

    Returns:
        The likely cause, and its place.
    """
    if not text.strip():
        return Problem("the expression is empty", 0)
    return (
        _unbalanced(text)
        or _statement(text)
        or _misused_word(text, position)
        or _misplaced_symbol(text, position)
        or _unexpected(text, position)
    )


def reserved(word: str, position: int) -> Problem:
    """A reserved word where a field is meant."""
    hints = [f"a field of this name is written ${{{word}}}"]
    if word in STATEMENT_WORDS:
        hints.insert(0, _ONE_EXPRESSION)
    if word == "if":
        hints.append("a choice is written iif(test, then, otherwise) or test ? then : otherwise")
    return Problem(f'"{word}" is a reserved word: {"; ".join(hints)}', position)


def _unbalanced(text: str) -> Problem | None:
    """The first quote or bracket without its partner."""
    opened: list[tuple[str, int]] = []
    for match in _PIECE.finditer(text):
        piece, position = match[0], match.start()
        if piece in {'"', "'"}:
            return Problem(f"the text opened by {piece} here has no closing {piece}", position)
        if piece in _CLOSING:
            opened.append((piece, position))
        elif piece in {")", "]", "}"}:
            if not opened:
                return Problem(f"{piece} closes nothing", position)
            bracket, start = opened.pop()
            if _CLOSING[bracket] != piece:
                return Problem(
                    f"{piece} can't close the {bracket} opened at character {start + 1}: "
                    f"{_CLOSING[bracket]} is missing",
                    position,
                )
    if opened:
        bracket, start = opened[-1]
        return Problem(f"the {bracket} opened here is never closed by {_CLOSING[bracket]}", start)
    return None


def _statement(text: str) -> Problem | None:
    word = _FIRST_WORD.match(text)
    return reserved(word[1], word.start(1)) if word and word[1] in STATEMENT_WORDS else None


def _misused_word(text: str, position: int) -> Problem | None:
    """A reserved word right before the place, or at it."""
    here = _WORD.match(text, position)
    if here and here[0] in STATEMENT_WORDS:
        return reserved(here[0], position)
    before = _LAST_WORD.search(text[:position])
    if before and before[1] in RESERVED and not _is_operator_word(before[1]):
        return reserved(before[1], before.start(1))
    return None


def _is_operator_word(word: str) -> bool:
    return word in {"or", "and", "eq", "ne", "lt", "le", "gt", "ge", "div", "mod", "not"}


def _misplaced_symbol(text: str, position: int) -> Problem | None:
    if text.startswith("->", position):
        return Problem(
            "a lambda x -> … can only be an argument of a function that takes one, such as "
            "filterArray",
            position,
        )
    if text.startswith("[*]", position - 1):
        return Problem("[*] is for mappings of attributes, an expression can't use it", position)
    if text.startswith(";", position):
        return Problem(f"{_ONE_EXPRESSION}; the ; is not part of it", position)
    if _COMPARISON.match(text, position) and _ends_value(text[:position]):
        return Problem("comparisons can't be chained: put one of them in ( )", position)
    if _ASSIGNMENT.match(text, position):
        return Problem(f"{_ONE_EXPRESSION}; to compare, write ==", position)
    return None


def _ends_value(text: str) -> bool:
    return bool(re.search(r"""[\w$)\]}"']\s*\Z""", text))


def _unexpected(text: str, position: int) -> Problem:
    if not text[position:].strip():
        return Problem("the expression ends where a value is expected", len(text))
    if text.startswith("`", position):
        return Problem("a text stands in \" or '", position)
    word = _WORD.match(text, position)
    found = word[0] if word else text[position]
    if _ends_value(text[:position]):
        return Problem(f"an operator is expected before {found}", position)
    return Problem(f"a value is expected, not {found}", position)

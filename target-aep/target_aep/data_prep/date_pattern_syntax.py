"""Patterns of dates, taken apart: letters, texts, and parts that may be missing."""

from __future__ import annotations

import re
import typing as t

from target_aep.data_prep.failures import EvaluationError


class Letters(t.NamedTuple):
    """A run of one pattern letter, such as `yyyy`."""

    letter: str
    width: int


class Text(t.NamedTuple):
    """What stands for itself."""

    text: str


Token = t.Union[Letters, Text, t.Literal["[", "]"]]  # noqa: UP007 - evaluated on Python 3.10 too

LETTERS: t.Final = frozenset("GyYMLwWDdFEuaHkKhmsSzZXxVOQq")

_LONGEST_PATTERN = 256
_LONGEST_RUN = 19
_MOST_OPTIONAL_PARTS = 8  # a text may be read in a number of ways that doubles with each
_TOKEN = re.compile(
    r"(?P<letter>[A-Za-z])(?P=letter)*|'(?P<quoted>(?:[^']|'')*)'|(?P<bracket>[\[\]])|(?P<text>[^'#{}])",
    re.DOTALL,
)


def tokens_of(pattern: str) -> tuple[Token, ...]:
    """Take a pattern apart.

    Raises:
        EvaluationError: It is too long, or has a letter, sign or quote that means nothing.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise EvaluationError(f"a date pattern of over {_LONGEST_PATTERN} characters")
    tokens: list[Token] = []
    position = depth = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if not match:
            raise _refusal(pattern, pattern[position])
        part = _token(pattern, match)
        depth += (part == "[") - (part == "]")
        if depth < 0:
            raise _refusal(pattern, "]")
        tokens.append(part)
        position = match.end()
    if depth or tokens.count("[") > _MOST_OPTIONAL_PARTS:
        raise _refusal(pattern, "[")
    return tuple(tokens)


def _token(pattern: str, match: re.Match[str]) -> Token:
    if match["letter"]:
        count = len(match[0])
        if match["letter"] not in LETTERS or count > _LONGEST_RUN:
            raise _refusal(pattern, match[0])
        return Letters(match["letter"], count)
    if match["quoted"] is not None:
        return Text(match["quoted"].replace("''", "'") or "'")
    if match["bracket"]:
        return "[" if match["bracket"] == "[" else "]"
    return Text(match["text"])


def _refusal(pattern: str, part: str) -> EvaluationError:
    return EvaluationError(f'the date pattern "{pattern}" has "{part}", which means nothing there')

"""String functions: help/data-prep/functions.md, "String functions".

They behave as Commons Lang's StringUtils do, which their documentation describes, and count
UTF-16 code units as Java does. White space is what `Character.isWhitespace` says.
"""

from __future__ import annotations

import typing as t

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.java_text import (
    MOST_CHARACTERS,
    bounded,
    character_index,
    text_of,
    unit_index,
    unit_length,
    unit_slice,
)

if t.TYPE_CHECKING:
    from target_aep.data_prep.function import Value

CATEGORY = Category("String")

WHITE_SPACE: t.Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
)


@CATEGORY.define("concat(STRING: any+) -> text", form="concat")
def concat(*values: Value) -> str:
    """Join the texts of all values end to end; null counts as nothing."""
    texts = [
        value if value.__class__ is str else text_of(value) for value in values if value is not None
    ]
    return bounded("".join(texts))


@CATEGORY.define(
    "instr(INPUT: text, SUBSTRING: text, START_POSITION: integer?, OCCURRENCE: integer?) -> integer"
)
def instr(text: str, wanted: str, start: int | None = None, occurrence: int | None = None) -> int:
    """Find where a text stands in another, from 0; -1 where it does not.

    The search begins at the start position; of several places the n-th is meant, and they may
    overlap.
    """
    count = 1 if occurrence is None else occurrence
    position = character_index(text, min(max(start or 0, 0), MOST_CHARACTERS)) - 1
    if count < 1:
        return -1
    for _ in range(count):
        position = text.find(wanted, position + 1)
        if position < 0:
            return -1
    return unit_index(text, position)


@CATEGORY.define("replacestr(INPUT: text, TO_FIND: text, TO_REPLACE: text) -> text")
def replacestr(text: str, wanted: str, replacement: str) -> str:
    """Replace every place where a text stands, literally."""
    if not wanted:
        return text
    growth = text.count(wanted) * max(len(replacement) - len(wanted), 0)
    if len(text) + growth > MOST_CHARACTERS:
        raise EvaluationError("replacestr: the text would be longer than 1 MiB")
    return text.replace(wanted, replacement)


@CATEGORY.define("substr(INPUT: text, START_INDEX: integer, LENGTH: integer) -> text")
def substr(text: str, start: int, length: int) -> str:
    """Cut out so many characters from an index on (from 0, or back from the end if negative).

    What lies beyond the text is left out.
    """
    if start >= 0 and text.isascii():
        return text[start : start + max(length, 0)]
    first = start if start >= 0 else max(unit_length(text) + start, 0)
    return unit_slice(text, first, first + max(length, 0))


@CATEGORY.define("lower(INPUT: text) -> text", "lcase")
def lower(text: str) -> str:
    """Turn into lower case, by Unicode's rules and those of no language."""
    lowered = text.lower()
    return lowered if len(lowered) <= MOST_CHARACTERS else bounded(lowered)


@CATEGORY.define("upper(INPUT: text) -> text", "ucase")
def upper(text: str) -> str:
    """Turn into upper case, by Unicode's rules and those of no language."""
    raised = text.upper()
    return raised if len(raised) <= MOST_CHARACTERS else bounded(raised)


@CATEGORY.define("split(INPUT: text, SEPARATOR: text) -> array")
def split(text: str, separators: str) -> list[str]:
    """Split at each of the separator's characters; empty pieces are dropped."""
    if len(separators) > 1:
        text = text.translate(dict.fromkeys(map(ord, separators), separators[0]))
    if not separators:
        return [text] if text else []
    return [piece for piece in text.split(separators[0]) if piece]


@CATEGORY.define("join(SEPARATOR: text|null, OBJECTS: array) -> text")
def join(separator: str | None, values: list[Value]) -> str:
    """Join the texts of an array's elements; null counts as the empty text."""
    texts = ["" if value is None else text_of(value) for value in values]
    return joined(separator or "", texts)


def joined(separator: str, texts: list[str]) -> str:
    """Join texts, unless that makes more than 1 MiB.

    Raises:
        EvaluationError: It does.
    """
    if sum(map(len, texts)) + len(separator) * len(texts) > 2 * MOST_CHARACTERS:
        raise EvaluationError("the text would be longer than 1 MiB")
    return bounded(separator.join(texts))


@CATEGORY.define("left(STRING: text, COUNT: integer) -> text")
def left(text: str, count: int) -> str:
    """Keep the first so many characters."""
    return unit_slice(text, 0, max(count, 0))


@CATEGORY.define("right(STRING: text, COUNT: integer) -> text")
def right(text: str, count: int) -> str:
    """Keep the last so many characters."""
    length = unit_length(text)
    return unit_slice(text, max(length - max(count, 0), 0), length)


@CATEGORY.define("ltrim(STRING: text) -> text")
def ltrim(text: str) -> str:
    """Remove white space at the beginning."""
    return text.lstrip(WHITE_SPACE)


@CATEGORY.define("rtrim(STRING: text) -> text")
def rtrim(text: str) -> str:
    """Remove white space at the end."""
    return text.rstrip(WHITE_SPACE)


@CATEGORY.define("trim(STRING: text) -> text")
def trim(text: str) -> str:
    """Remove white space at both ends."""
    return text.strip(WHITE_SPACE)

"""The string functions that pad: help/data-prep/functions.md, "String functions"."""

from __future__ import annotations

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.java_text import MOST_CHARACTERS, unit_length, unit_slice

CATEGORY = Category("String")


@CATEGORY.define("lpad(INPUT: text, COUNT: integer, PADDING: text|null) -> text")
def lpad(text: str, count: int, padding: str | None) -> str:
    """Pad at the left up to so many characters, with a space where there is no padding."""
    return _padding(text, count, padding) + text


@CATEGORY.define("rpad(INPUT: text, COUNT: integer, PADDING: text|null) -> text")
def rpad(text: str, count: int, padding: str | None) -> str:
    """Pad at the right up to so many characters, with a space where there is no padding."""
    return text + _padding(text, count, padding)


def _padding(text: str, count: int, padding: str | None) -> str:
    if count > MOST_CHARACTERS:
        raise EvaluationError("the text would be longer than 1 MiB")
    missing = count - unit_length(text)
    if missing <= 0:
        return ""
    unit = padding or " "
    return unit_slice(unit * (missing // unit_length(unit) + 1), 0, missing)

"""Functions of regular expressions: help/data-prep/functions.md, "Regular expression functions".

`explode` stands among the string functions there, but it splits at a regular expression.
"""

from __future__ import annotations

from target_aep.data_prep import java_regex
from target_aep.data_prep.functions.definition import Category

CATEGORY = Category("Regular expression")


@CATEGORY.define("explode(STRING: text, REGEX: pattern?) -> array")
def explode(text: str, pattern: str | None = None) -> list[str]:
    """Split at a regular expression (a comma, unless given); empty pieces stay."""
    if pattern is None or pattern in {",", " ", ";", ":", "/", "_", "-"}:
        return text.split(pattern or ",")
    return java_regex.split(pattern, text)


@CATEGORY.define("extract_regex(STRING: text, REGEX: pattern) -> array")
def extract_regex(text: str, pattern: str) -> list[str | None]:
    """Give what first matches and its groups, in order; nothing where nothing matches."""
    return java_regex.groups(pattern, text) or []


@CATEGORY.define("matches_regex(STRING: text, REGEX: pattern) -> boolean")
def matches_regex(text: str, pattern: str) -> bool:
    """Whether the whole text matches."""
    return java_regex.matches(pattern, text)

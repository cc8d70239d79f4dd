"""Placeholders of mapping sets, `${NAME}`, which Adobe fills when a flow is set up.

Its templates have `${CRM_ORG_ID}`, `${MUNCHKIN_ID}` and others in string literals and bare. The
setting `variables` gives their texts; `TENANT_ID` is known to the target itself. What stands
unfilled outside of literals may as well be a field in `${…}`, so it is left to the language.
"""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)
_PART = re.compile(
    r"""(?P<wrapped>\$\{(?:\\.|[^{}\\])+\})|(?P<literal>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAME_BEFORE = re.compile(r"[\w$.{]\Z")
_NAME_AFTER = re.compile(r"[\w$.\[}]")


def in_text(text: str, values: Mapping[str, str]) -> str:
    """A constant with the placeholders that have a value replaced by it."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


in_path = in_text
"""A path with the placeholders replaced: a value is a piece of path text, such as a name."""


def in_expression(text: str, values: Mapping[str, str]) -> str:
    """An expression with the placeholders that have a value replaced.

    In a string literal a placeholder becomes its value, escaped; bare it becomes a string literal;
    as a part of a name (`_${TENANT_ID}.x`) it becomes a piece of that name.
    """

    def fill(found: re.Match[str]) -> str:
        literal = found["literal"]
        if literal:
            return _fill_literal(literal, values)
        name = _PLACEHOLDER.fullmatch(found["wrapped"])
        if name is None or name[1] not in values:
            return found[0]
        value = values[name[1]]
        is_part = _NAME_BEFORE.search(text[: found.start()][-1:]) or _NAME_AFTER.match(
            text, found.end()
        )
        return value if is_part else f'"{_escaped(value, chr(34))}"'

    return _PART.sub(fill, text)


def unfilled_in_text(text: str) -> list[str]:
    """The placeholders that a constant still has."""
    return _PLACEHOLDER.findall(text)


def unfilled_in_literals(expression: str) -> list[str]:
    """The placeholders that the string literals of an expression still have."""
    return [name for literal in _literals(expression) for name in unfilled_in_text(literal)]


def _literals(expression: str) -> Iterator[str]:
    for part in _PART.finditer(expression):
        if part["literal"]:
            yield part["literal"]


def _fill_literal(literal: str, values: Mapping[str, str]) -> str:
    quote = literal[0]
    return in_text(literal, {name: _escaped(value, quote) for name, value in values.items()})


def _escaped(value: str, quote: str) -> str:
    plain = value.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)

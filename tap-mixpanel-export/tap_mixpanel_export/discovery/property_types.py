"""Types of properties, and which values a typed column takes.

Mixpanel has no register of types: a property may be a number today and a text tomorrow
(https://docs.mixpanel.com/docs/data-structure/property-reference/data-type). A column has one
type. A value that is of another one stays in ``properties``, where it is as it was exported.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, FormatChecker

from tap_mixpanel_export.instants import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KINDS = ("string", "number", "boolean", "object", "array")
"""What values are told apart by; the earlier one wins where as many values are of two."""

_INTEGER = "integer"
_DATE_TIME = "date-time"

ALL_KINDS = frozenset({*KINDS, _INTEGER})
"""The types that columns have."""

_LARGEST_INTEGER = 2**63 - 1
_EXACT = 2**53
_KIND_OF_TYPE = {
    str: "string",
    bool: "boolean",
    int: _INTEGER,
    Decimal: "number",
    dict: "object",
    list: "array",
}
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
# What says nothing about the values, beside those that are looked at here.
_HARMLESS = {"type", "title", "description", "default", "deprecated"}
_HARMLESS |= {"x-sql-datatype", "x-sql-datatype-properties"}


def kind_of(value: object) -> str | None:
    """Return the JSON schema type of a value of an export, None for null."""
    return _KIND_OF_TYPE.get(type(value))


def commonest(counts: Mapping[str, int]) -> str | None:
    """Choose the type that takes most values.

    Args:
        counts: How many values are of each JSON schema type.

    Returns:
        The type, or None if there are no values. Numbers are ``integer`` as long as all are.
    """
    totals = Counter({kind: counts.get(kind, 0) for kind in KINDS})
    totals["number"] += counts.get(_INTEGER, 0)
    kind = max(KINDS, key=lambda each: totals[each])
    if not totals[kind]:
        return None
    return _INTEGER if kind == "number" and not counts.get("number") else kind


def widened(kind: str | None, seen: str | None) -> str | None:
    """Return the type of a column that was made for one type, now that a sample has another.

    It stays, so that a table's columns do: only a whole number becomes any number.
    """
    if kind is None or (kind, seen) == (_INTEGER, "number"):
        return seen
    return kind


def corrected(kind: str | None, told: str) -> str:
    """Return the type of a column now that Lexicon tells one: that, but never a narrower one."""
    return "number" if (kind, told) == ("number", _INTEGER) else told


def column_definition(kind: str) -> dict[str, Any]:
    """Return the JSON schema of a column of this type."""
    definition: dict[str, Any] = {"type": [kind, "null"]}
    if kind == "object":
        definition["additionalProperties"] = True
    return definition


def fitting(definition: Mapping[str, Any]) -> Callable[[object], bool]:
    """Return the test whether a value may go into a column.

    Whole numbers of more than 64 bits never do. Into a column of type ``number``, which is a
    double nearly everywhere, go only numbers that a double holds exactly as they are written.
    A text goes only into a column whose ``format``, if it names one, can be checked.

    Args:
        definition: The column's JSON schema, also one that a user has written.
    """
    types = _types(definition)
    tests: dict[type, Callable[[Any], bool]] = {}
    if "string" in types:
        tests[str] = _is_date_time if definition.get("format") == _DATE_TIME else _always
    if _INTEGER in types:
        tests[int] = _is_64_bits
    if "number" in types:
        tests.setdefault(int, _is_exact_integer)
        tests[Decimal] = _is_exact_decimal
    for name, kind in (("boolean", bool), ("object", dict), ("array", list), ("null", type(None))):
        if name in types:
            tests[kind] = _always

    def fits(value: object) -> bool:
        return tests.get(type(value), _never)(value)

    if _says_no_more(definition):
        return fits
    if not _formats(definition) <= _CHECKER.checkers.keys():
        tests = {kind: test for kind, test in tests.items() if kind not in _WITH_TEXTS}
    validator = Draft7Validator(dict(definition), format_checker=_CHECKER)
    return lambda value: fits(value) and _is_valid(validator, value)


def _types(definition: Mapping[str, Any]) -> list[str]:
    types = definition.get("type", [*KINDS, "null"])
    return [types] if isinstance(types, str) else list(types)


def _says_no_more(definition: Mapping[str, Any]) -> bool:
    further = definition.keys() - _HARMLESS
    if definition.get("format") == _DATE_TIME:
        further -= {"format"}
    if definition.get("additionalProperties") is True:
        further -= {"additionalProperties"}
    return not further


def _formats(definition: object) -> set[str]:
    """Every ``format`` that a definition names, at any depth."""
    if isinstance(definition, list):
        return set().union(*map(_formats, definition))
    if not isinstance(definition, dict):
        return set()
    named = definition.get("format")
    own = {named} if isinstance(named, str) else set()
    return own.union(*map(_formats, definition.values()))


def _is_valid(validator: Draft7Validator, value: object) -> bool:
    try:
        return bool(validator.is_valid(value))
    except Exception:  # noqa: BLE001 - whatever is wrong with what a user wrote, nothing fits it
        return False


def _always(_value: object) -> bool:
    return True


def _never(_value: object) -> bool:
    return False


def _is_64_bits(value: int) -> bool:
    return -_LARGEST_INTEGER - 1 <= value <= _LARGEST_INTEGER


def _is_exact_integer(value: int) -> bool:
    return -_EXACT <= value <= _EXACT


def _is_exact_decimal(value: Decimal) -> bool:
    return Decimal(repr(float(value))) == value


def _is_date_time(value: str) -> bool:
    match = _RFC_3339.fullmatch(value)
    if match is None:
        return False
    try:
        parse_instant(match[1] + match[2])
    except ValueError:
        return False
    return True


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    checker.checkers = {**Draft7Validator.FORMAT_CHECKER.checkers}
    checker.checks(_DATE_TIME)(lambda value: not isinstance(value, str) or _is_date_time(value))
    return checker


_CHECKER = _format_checker()
_WITH_TEXTS = frozenset({str, dict, list})

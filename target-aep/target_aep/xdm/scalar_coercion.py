"""Texts, numbers, booleans and dates into the types of their XDM fields.

Conversions are those of Data Prep (help/data-prep/data-handling.md in
AdobeDocs/experience-platform.en): the documented spellings of booleans, its automatic date patterns
after what batch ingestion takes itself, numbers as Java prints them.
"""

from __future__ import annotations

import ipaddress
import math
import re
import typing as t
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlsplit

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_text import scalar_text
from target_aep.data_prep.zoned_date_time import ZonedDateTime
from target_aep.xdm.date_coercion import SCALAR_DATE_COMPILERS, iso_moment, name_of
from target_aep.xdm.pattern_search import pattern_search
from target_aep.xdm.timestamps import epoch_milliseconds
from target_aep.xdm.unconvertible import UnconvertibleError, type_name

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.xdm.schema import XdmField

Value = t.Any
Coercer = t.Callable[[Value], Value]

TRUE_TEXTS = frozenset({"y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"})
FALSE_TEXTS = frozenset({"n", "no", "N", "NO", "off", "OFF", "false", "FALSE"})

_MOST_KNOWN: t.Final = 1_000
_LONGEST_KNOWN: t.Final = 100
"""Of texts that a field has taken and takes again without a check."""

_NOT_IN_URI = re.compile(r'[\s<>"{}|\\^`]')
# Decimal itself also takes "1_000", digits of other scripts, "NaN" and "Infinity".
_BITS_OF_LARGEST = 1023
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)


def _compile_string(field: XdmField) -> Coercer:
    checks = _string_checks(field)
    if not checks:
        return _text_of

    known: set[str] = set()

    def to_string(value: Value) -> str:
        if value.__class__ is str and value in known:
            return value
        text = _text_of(value)
        for check, complaint in checks:
            if not check(text):
                raise UnconvertibleError(complaint)
        if len(known) < _MOST_KNOWN and len(text) <= _LONGEST_KNOWN:
            known.add(text)
        return text

    return to_string


def _text_of(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        raise UnconvertibleError(f"{type_name(value)} does not fit a string field")
    try:
        return scalar_text(value)
    except EvaluationError as error:
        raise UnconvertibleError(error.reason) from None


def takes_any_text(field: XdmField) -> bool:
    """Whether every text that is not empty is valid in a field as it is."""
    return field.kind == "string" and not _string_checks(field)


def has_choices_only(field: XdmField) -> bool:
    """Whether an enum is all that a field asks of texts."""
    return takes_any_text(replace(field, enum=None))


def has_lengths_only(field: XdmField) -> bool:
    """Whether their length is all that a field asks of texts."""
    return takes_any_text(replace(field, min_length=0, max_length=None))


def is_reference_only(field: XdmField) -> bool:
    """Whether a field asks of texts that they are URI references, and nothing else."""
    return field.format == "uri-reference" and takes_any_text(replace(field, format=None))


def _string_checks(field: XdmField) -> list[tuple[Callable[[str], object], str]]:
    checks: list[tuple[Callable[[str], object], str]] = []
    if (enum := field.enum) is not None:
        choices = ", ".join(sorted(map(str, enum)))
        checks.append((enum.__contains__, f"not one of the values of the schema: {choices}"))
    if field.pattern:
        found_in = pattern_search(field.pattern.pattern)
        checks.append((found_in, f"does not match the pattern {field.pattern.pattern}"))
    if field.min_length:
        low = field.min_length
        checks.append((lambda text: len(text) >= low, f"shorter than {low} characters"))
    if field.max_length is not None:
        high = field.max_length
        checks.append((lambda text: len(text) <= high, f"longer than {high} characters"))
    if field.format in _FORMATS:
        checks.append((_FORMATS[field.format], f"not a valid {field.format}"))
    return checks


def _is_uri(text: str) -> bool:
    return _is_uri_reference(text) and bool(urlsplit(text).scheme)


def _is_uri_reference(text: str) -> bool:
    if _NOT_IN_URI.search(text):
        return False
    if text.isascii() and "[" not in text and "]" not in text:
        return True  # of others only, urlsplit refuses any
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _is_address(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return check


_FORMATS: dict[str, Callable[[str], bool]] = {
    "uri": _is_uri,
    "uri-reference": _is_uri_reference,
    "ipv4": _is_address(4),
    "ipv6": _is_address(6),
}


def _compile_integer(field: XdmField) -> Coercer:
    in_range = _range_check(field)

    def to_integer(value: Value) -> int:
        if isinstance(value, ZonedDateTime):
            return in_range(value.epoch_milliseconds)
        if isinstance(value, int) and not isinstance(value, bool):
            return in_range(value)
        number = _decimal_of(value)
        if number is None:
            # The number that XDM itself uses for a date is Unix milliseconds.
            return in_range(_epoch_milliseconds_of(value))
        if number != number.to_integral_value():
            raise UnconvertibleError("a fraction does not fit an integer field")
        return in_range(int(number))

    return to_integer


def _epoch_milliseconds_of(value: Value) -> int:
    try:
        return epoch_milliseconds(iso_moment(value))
    except UnconvertibleError:
        raise UnconvertibleError("the text is neither a whole number nor a date-time") from None


def _compile_number(field: XdmField) -> Coercer:
    in_range = _range_check(field)

    def to_number(value: Value) -> float:
        if isinstance(value, (float, Decimal)):
            return in_range(_finite(value))
        if isinstance(value, int) and not isinstance(value, bool):
            if value.bit_length() > _BITS_OF_LARGEST:
                raise UnconvertibleError("the number is too large")
            return in_range(value)
        number = _decimal_of(value)
        if number is None:
            raise UnconvertibleError("the text is not a number")
        return in_range(_finite(number))

    return to_number


def _finite(number: float | Decimal) -> float:
    converted = float(number)
    if not math.isfinite(converted):
        raise UnconvertibleError("the number is too large")
    return converted


_Number = t.TypeVar("_Number", int, float)


def _range_check(field: XdmField) -> Callable[[_Number], _Number]:
    low, high = field.minimum, field.maximum

    def in_range(number: _Number) -> _Number:
        if low is not None and number < low:
            raise UnconvertibleError(f"below the minimum of {low}")
        if high is not None and number > high:
            raise UnconvertibleError(f"above the maximum of {high}")
        return number

    return in_range


def _decimal_of(value: Value) -> Decimal | None:
    """The number in a value, None for text that holds none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise UnconvertibleError(f"{name_of(value)} does not fit a numeric field")
    text = value.strip() if isinstance(value, str) else str(value)
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if number.adjusted() > 400:  # noqa: PLR2004 - far beyond a double: don't build the integer
        raise UnconvertibleError("the number is too large")
    return number


def _compile_boolean(_field: XdmField) -> Coercer:
    def to_boolean(value: Value) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            if value in TRUE_TEXTS:
                return True
            if value in FALSE_TEXTS:
                return False
        raise UnconvertibleError("not true, false or one of their spellings (yes, no, on, off)")

    return to_boolean


SCALAR_COMPILERS: dict[str, Callable[[XdmField], Coercer]] = {
    "string": _compile_string,
    "integer": _compile_integer,
    "number": _compile_number,
    "boolean": _compile_boolean,
    **SCALAR_DATE_COMPILERS,
}
"""By kind of field: compiles it into a function that converts a value that is not empty."""

"""Values into the types of their fields, but only where the value still says the same there.

Mapping sets ask for a conversion, so Data Prep's lenient one holds for them (`coercion.py`). A
property that only happens to have the name of a field asks for none: there `"02134"` is no number.
"""

from __future__ import annotations

import math
import re
import typing as t
from decimal import Decimal

from target_aep.loading.json_lines import json_text
from target_aep.xdm.coercion import compile_coercer, is_nothing
from target_aep.xdm.quick_exact_coercion import is_short_number, quicker
from target_aep.xdm.timestamps import parse_date_time
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.xdm.scalar_coercion import Coercer
    from target_aep.xdm.schema import XdmField

LARGEST_LONG: t.Final = 2**53 - 1
"""The largest integer in XDM, which is also the last that a double keeps apart from the next."""

_INTEGER = re.compile(r"0|-?[1-9]\d{0,15}", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_DIGITS_OF_DOUBLE = 15
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_TRUTH: t.Final = {"true": True, "false": False}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Beyond microseconds, digits would be cut.
_TOO_FINE = re.compile(r"[.,]\d{7}", re.ASCII)


def compile_exact_coercer(field: XdmField) -> Coercer:
    """Compile a field into a function that converts a value of JSON or refuses it.

    Numbers and booleans become strings as JSON has them; text becomes a number only if it is one
    in JSON and stays the same number, a boolean only if it is true or false in any case, a date or
    date-time only if it is ISO 8601. No number becomes a date, and no date a number. That holds
    within objects and lists too.

    Args:
        field: The XDM field that the value goes to.

    Returns:
        A function as `compile_coercer` returns it, which also refuses what a conversion changes.
    """
    prepare, coerce = _preparation(field), compile_coercer(field)
    return quicker(field, lambda value: coerce(prepare(value)), compile_exact_coercer)


def can_be_key(name: str) -> bool:
    """Whether a map can have a key: an empty one is refused, UTF-8 has no half surrogate pair."""
    return bool(name) and (name.isascii() or not _HALF_PAIR.search(name))


def reads_back(number: Decimal) -> bool:
    """Whether a double keeps a number as it is written."""
    if is_short_number(str(number)):
        return True
    as_double = float(number)
    return math.isfinite(as_double) and Decimal(repr(as_double)) == number


def _preparation(field: XdmField) -> Coercer:
    """What a value is made before `compile_coercer` takes it; it refuses what would be changed."""
    if field.kind in _SCALARS:
        return _unless_nothing(_SCALARS[field.kind])
    if field.kind == "object":
        return _object_preparation(field)
    if field.kind == "array" and field.items:
        prepare = _preparation(field.items)
        return lambda value: [*map(prepare, value)] if isinstance(value, list) else value
    if field.kind == "map":
        return _map_preparation(field)
    return _same


def _unless_nothing(prepare: Coercer) -> Coercer:
    return lambda value: value if is_nothing(value) else prepare(value)


def _object_preparation(field: XdmField) -> Coercer:
    parts = {name: _preparation(part) for name, part in field.properties.items()}

    def prepare(value: t.Any) -> t.Any:
        if not isinstance(value, dict):
            return value
        return {key: parts.get(key, _same)(item) for key, item in value.items()}

    return prepare


def _map_preparation(field: XdmField) -> Coercer:
    is_text = field.items is not None and field.items.kind == "string"
    prepare_part = _preparation(field.items) if field.items else _same

    def prepare_item(item: t.Any) -> t.Any:
        # Objects and lists in a map of text become their JSON text, whatever is in them.
        return item if is_text and isinstance(item, (dict, list)) else prepare_part(item)

    def prepare(value: t.Any) -> t.Any:
        if not isinstance(value, dict):
            return value
        if not all(map(can_be_key, value)):
            raise UnconvertibleError("a map can't have one of the keys")
        return {key: prepare_item(item) for key, item in value.items()}

    return prepare


def _same(value: t.Any) -> t.Any:
    return value


def _for_string(value: t.Any) -> t.Any:
    if isinstance(value, (str, dict, list)):
        return value
    return json_text(value)


def _for_integer(value: t.Any) -> t.Any:
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise UnconvertibleError("the text is not a whole number as JSON has it")
        value = int(value)
    if not isinstance(value, bool) and isinstance(value, (int, float, Decimal)):
        _check_size(value)
    return value


def _check_size(value: float | Decimal) -> None:
    if not -LARGEST_LONG <= value <= LARGEST_LONG:
        raise UnconvertibleError("beyond 2^53 - 1, where a number would be rounded")


def _for_number(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return _number_of_text(value)
    if isinstance(value, int):
        _check_size(value)
    elif isinstance(value, Decimal) and not reads_back(value):
        raise UnconvertibleError("a double would round the number")
    return value


def _number_of_text(text: str) -> Decimal:
    number = Decimal(text) if _NUMBER.fullmatch(text) else None
    if number is None or (not number and text.startswith("-")):
        raise UnconvertibleError("the text is not a number as JSON has it")
    if number == number.to_integral_value():
        _check_size(number)
    digits = len(number.normalize().as_tuple().digits)
    if not reads_back(number) or (digits > _DIGITS_OF_DOUBLE and Decimal(float(number)) != number):
        raise UnconvertibleError("a double would round the number")
    return number


def _for_boolean(value: t.Any) -> t.Any:
    truth = _TRUTH.get(value.lower()) if isinstance(value, str) else None
    if isinstance(value, str) and truth is None:
        raise UnconvertibleError("not true or false")
    return value if truth is None else truth


def _for_date(value: t.Any) -> t.Any:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise UnconvertibleError("not a date of ISO 8601")
    return value


def _for_date_time(value: t.Any) -> t.Any:
    if not isinstance(value, str) or _TOO_FINE.search(value):
        raise UnconvertibleError("not a date-time of ISO 8601")
    try:
        parse_date_time(value)
    except ValueError as error:
        raise UnconvertibleError(f"not a date-time: {error}") from error
    return value


_SCALARS: t.Final[dict[str, Callable[[t.Any], t.Any]]] = {
    "string": _for_string,
    "integer": _for_integer,
    "number": _for_number,
    "boolean": _for_boolean,
    "date": _for_date,
    "date-time": _for_date_time,
}

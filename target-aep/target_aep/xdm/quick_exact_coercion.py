"""Shorter ways of exact conversions, for the values that most properties have.

Each takes what it knows to stay the same, and hands all else over to the whole conversion, which
alone refuses values and says why.
"""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal

from target_aep.xdm.coercion import OMITTED
from target_aep.xdm.scalar_coercion import takes_any_text
from target_aep.xdm.timestamps import is_canonical
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.xdm.scalar_coercion import Coercer
    from target_aep.xdm.schema import XdmField

    Compile = Callable[[XdmField], Coercer]

_LARGEST_LONG: t.Final = 2**53 - 1
_SHORT_NUMBER: t.Final = re.compile(r"-?(?=[\d.]{1,16}\Z)\d{1,15}(\.\d*)?", re.ASCII)


def is_short_number(text: str) -> bool:
    """Whether a text is a number that a double keeps: without exponent, up to 15 digits.

    Every decimal of 15 digits is read back from a double (DBL_DIG of C).
    """
    return _SHORT_NUMBER.fullmatch(text) is not None


def quicker(field: XdmField, convert: Coercer, compile_part: Compile) -> Coercer:
    """Put a shorter way before a conversion, if there is one for the kind of field.

    Args:
        field: What values are converted to.
        convert: The whole conversion.
        compile_part: Compiles the conversions of a container's parts.
    """
    make = _BY_KIND.get(field.kind)
    return make(field, convert, compile_part) if make else convert


def _string(field: XdmField, convert: Coercer, _compile: Compile) -> Coercer:
    if not takes_any_text(field):
        return convert

    def to_string(value: t.Any) -> t.Any:
        if value.__class__ is str and value:
            return value
        return str(value) if value.__class__ is int else convert(value)

    return to_string


def _integer(field: XdmField, convert: Coercer, _compile: Compile) -> Coercer:
    low, high = _bounds(field)

    def to_integer(value: t.Any) -> t.Any:
        return value if value.__class__ is int and low <= value <= high else convert(value)

    return to_integer


def _number(field: XdmField, convert: Coercer, _compile: Compile) -> Coercer:
    low, high = _bounds(field)

    def to_number(value: t.Any) -> t.Any:
        if value.__class__ is Decimal and is_short_number(text := str(value)):
            number = float(text)
            return number if low <= number <= high else convert(value)
        return value if value.__class__ is int and low <= value <= high else convert(value)

    return to_number


def _date_time(_field: XdmField, convert: Coercer, _compile: Compile) -> Coercer:
    def to_date_time(value: t.Any) -> t.Any:
        return value if value.__class__ is str and is_canonical(value) else convert(value)

    return to_date_time


def _object(field: XdmField, convert: Coercer, compile_part: Compile) -> Coercer:
    if field.required:
        return convert
    parts = {name: compile_part(part) for name, part in field.properties.items()}

    def to_object(value: t.Any) -> t.Any:
        if value.__class__ is not dict or not value.keys() <= parts.keys():
            return convert(value)
        try:
            converted = {
                key: part
                for key, item in value.items()
                if (part := parts[key](item)) is not OMITTED
            }
        except UnconvertibleError:
            return convert(value)  # which tells of the path
        return converted or OMITTED

    return to_object


def _array(field: XdmField, convert: Coercer, compile_part: Compile) -> Coercer:
    if field.items is None:
        return convert
    coerce_item = compile_part(field.items)

    def to_array(value: t.Any) -> t.Any:
        if value.__class__ is not list:
            return convert(value)
        try:
            items = [part for item in value if (part := coerce_item(item)) is not OMITTED]
        except UnconvertibleError:
            return convert(value)
        return items or OMITTED

    return to_array


def _bounds(field: XdmField) -> tuple[float, float]:
    """The numbers that a field takes, and that are exact."""
    low = -_LARGEST_LONG if field.minimum is None else max(field.minimum, -_LARGEST_LONG)
    high = _LARGEST_LONG if field.maximum is None else min(field.maximum, _LARGEST_LONG)
    return low, high


_BY_KIND: t.Final[dict[str, Callable[[XdmField, Coercer, Compile], Coercer]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "date-time": _date_time,
    "object": _object,
    "array": _array,
}

"""Values into the types of their XDM fields, and the refusal of those that don't fit.

Each field of a schema is compiled once into a function from value to value; nothing is decided
per record that the schema already decides. Conversions are those of Adobe's Data Prep
(help/data-prep/data-handling.md) and of JSON batch ingestion
(help/ingestion/batch-ingestion/overview.md, both in AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import ipaddress
import math
import re
import typing as t
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from singer_sdk.singerlib.json import serialize_json

from target_aep.timestamps import epoch_milliseconds, format_date_time, parse_date_time

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.xdm_schema import XdmField

Value = t.Any
Coercer = t.Callable[[Value], Value]

TRUE_TEXTS = frozenset({"y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"})
FALSE_TEXTS = frozenset({"n", "no", "N", "NO", "off", "OFF", "false", "FALSE"})

_NOT_IN_URI = re.compile(r'[\s<>"{}|\\^`]')


class _Omitted:
    """Stands for "no value": what is null or empty must not be sent at all."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: t.Final = _Omitted()


class UnconvertibleError(Exception):
    """A value does not fit its XDM field; `path` leads to the part that does not."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


def json_text(value: Value) -> str:
    """A value as compact JSON text, non-ASCII characters as they are."""
    return serialize_json(value, ensure_ascii=False)


def prune(value: Value) -> Value:
    """Drop null and empty leaves, and the containers that this leaves empty.

    Experience Platform takes neither null nor empty values
    (help/xdm/schema/composition.md in AdobeDocs/experience-platform.en).
    """
    if value is None or value == "":
        return OMITTED
    if isinstance(value, dict):
        kept = {key: part for key, item in value.items() if (part := prune(item)) is not OMITTED}
        return kept or OMITTED
    if isinstance(value, list):
        items = [part for item in value if (part := prune(item)) is not OMITTED]
        return items or OMITTED
    return value


def compile_coercer(field: XdmField, *, drop_unknown: bool) -> Coercer:
    """Compile a field into a function that converts a value or refuses it.

    Args:
        field: The XDM field that the value goes to.
        drop_unknown: What happens to keys of an object that the schema does not have: left out
            (as Data Prep's object copy does), or the whole value refused so that nothing is lost.

    Returns:
        A function that returns the converted value, OMITTED for null and empty ones, and raises
        UnconvertibleError for one that can't be converted.
    """
    coerce = _COMPILERS[field.kind](field, drop_unknown)

    def coerce_value(value: Value) -> Value:
        if value is None or value == "":
            return OMITTED
        return coerce(value)

    return coerce_value


def _compile_any(_field: XdmField, _drop_unknown: bool) -> Coercer:
    return prune


def _compile_string(field: XdmField, _drop_unknown: bool) -> Coercer:
    checks = _string_checks(field)

    def to_string(value: Value) -> str:
        text = _text_of(value)
        for check, complaint in checks:
            if not check(text):
                raise UnconvertibleError(complaint)
        return text

    return to_string


def _text_of(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    raise UnconvertibleError(f"{_type_name(value)} does not fit a string field")


def _string_checks(field: XdmField) -> list[tuple[Callable[[str], object], str]]:
    checks: list[tuple[Callable[[str], object], str]] = []
    if (enum := field.enum) is not None:
        choices = ", ".join(sorted(map(str, enum)))
        checks.append((enum.__contains__, f"not one of the values of the schema: {choices}"))
    if field.pattern:
        checks.append((field.pattern.search, f"does not match the pattern {field.pattern.pattern}"))
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


def _compile_integer(field: XdmField, _drop_unknown: bool) -> Coercer:
    in_range = _range_check(field)

    def to_integer(value: Value) -> int:
        number = _decimal_of(value)
        if number is None:
            # The number that XDM itself uses for a date is Unix milliseconds.
            return in_range(epoch_milliseconds(_moment_of(value, "an integer")))
        if number != number.to_integral_value():
            raise UnconvertibleError("a fraction does not fit an integer field")
        return in_range(int(number))

    return to_integer


def _compile_number(field: XdmField, _drop_unknown: bool) -> Coercer:
    in_range = _range_check(field)

    def to_number(value: Value) -> float:
        if isinstance(value, int) and not isinstance(value, bool):
            return in_range(value)
        number = _decimal_of(value)
        if number is None:
            raise UnconvertibleError("the text is not a number")
        converted = float(number)
        if not math.isfinite(converted):
            raise UnconvertibleError("the number is too large")
        return in_range(converted)

    return to_number


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
        raise UnconvertibleError(f"{_type_name(value)} does not fit a numeric field")
    try:
        number = Decimal(value.strip() if isinstance(value, str) else str(value))
    except InvalidOperation:
        return None
    if not number.is_finite():
        raise UnconvertibleError("not a finite number")
    if number.adjusted() > 400:  # noqa: PLR2004 - far beyond a double: don't build the integer
        raise UnconvertibleError("the number is too large")
    return number


def _compile_boolean(_field: XdmField, _drop_unknown: bool) -> Coercer:
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


def _compile_date_time(_field: XdmField, _drop_unknown: bool) -> Coercer:
    return lambda value: format_date_time(_moment_of(value, "a date-time"))


def _compile_date(_field: XdmField, _drop_unknown: bool) -> Coercer:
    return lambda value: _moment_of(value, "a date").date().isoformat()


def _moment_of(value: Value, wanted: str) -> t.Any:
    try:
        return parse_date_time(value)
    except ValueError as error:
        raise UnconvertibleError(f"not {wanted}: {error}") from error


def _compile_array(field: XdmField, drop_unknown: bool) -> Coercer:
    coerce_item = compile_coercer(field.items, drop_unknown=drop_unknown) if field.items else prune

    def to_array(value: Value) -> Value:
        if not isinstance(value, list):
            raise UnconvertibleError(f"{_type_name(value)} does not fit an array field")
        items = []
        for index, item in enumerate(value):
            converted = _at(f"[{index}]", coerce_item, item)
            if converted is not OMITTED:
                items.append(converted)
        return items or OMITTED

    return to_array


def _compile_map(field: XdmField, drop_unknown: bool) -> Coercer:
    of_text = field.items is not None and field.items.kind == "string"
    coerce_item = compile_coercer(field.items, drop_unknown=drop_unknown) if field.items else prune

    def to_map(value: Value) -> Value:
        if not isinstance(value, dict):
            raise UnconvertibleError(f"{_type_name(value)} does not fit a map field")
        converted = {}
        for key, item in value.items():
            plain = json_text(item) if of_text and isinstance(item, (dict, list)) else item
            part = _at(key, coerce_item, plain)
            if part is not OMITTED:
                converted[key] = part
        return converted or OMITTED

    return to_map


def _compile_object(field: XdmField, drop_unknown: bool) -> Coercer:
    coercers = {
        name: compile_coercer(part, drop_unknown=drop_unknown)
        for name, part in field.properties.items()
    }

    def to_object(value: Value) -> Value:
        if not isinstance(value, dict):
            raise UnconvertibleError(f"{_type_name(value)} does not fit an object field")
        converted = {}
        for key, item in value.items():
            coerce = coercers.get(key)
            if coerce is None:
                if drop_unknown or prune(item) is OMITTED:
                    continue
                raise UnconvertibleError("the schema has no such field", key)
            part = _at(key, coerce, item)
            if part is not OMITTED:
                converted[key] = part
        if converted:
            _require(field.required, converted)
        return converted or OMITTED

    return to_object


def _require(names: tuple[str, ...], converted: dict[str, Value]) -> None:
    for name in names:
        if name not in converted:
            raise UnconvertibleError("required by the schema, but missing", name)


def _at(step: str, coerce: Coercer, value: Value) -> Value:
    try:
        return coerce(value)
    except UnconvertibleError as error:
        joint = "" if not error.path or error.path.startswith("[") else "."
        raise UnconvertibleError(error.reason, f"{step}{joint}{error.path}") from None


def _type_name(value: Value) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "a text" if isinstance(value, str) else "a number"


_COMPILERS: dict[str, Callable[[XdmField, bool], Coercer]] = {
    "any": _compile_any,
    "string": _compile_string,
    "integer": _compile_integer,
    "number": _compile_number,
    "boolean": _compile_boolean,
    "date": _compile_date,
    "date-time": _compile_date_time,
    "array": _compile_array,
    "map": _compile_map,
    "object": _compile_object,
}

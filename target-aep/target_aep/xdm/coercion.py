"""Values into the types of their XDM fields, and the refusal of those that don't fit.

Each field of a schema is compiled once into a function from value to value; nothing is decided
per record that the schema already decides. Conversions are those of Adobe's Data Prep
(help/data-prep/data-handling.md) and of JSON batch ingestion
(help/ingestion/batch-ingestion/overview.md, both in AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import math
import typing as t
from decimal import Decimal

from target_aep.data_prep.zoned_date_time import ZonedDateTime
from target_aep.loading.json_lines import json_text
from target_aep.xdm.date_coercion import name_of
from target_aep.xdm.scalar_coercion import SCALAR_COMPILERS, Coercer, Value
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.xdm.schema import XdmField


class _Omitted:
    """Stands for "no value": what is null or empty must not be sent at all."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: t.Final = _Omitted()


class Losses(t.NamedTuple):
    """What to do with a part that a copy has to leave out, given its XDM path.

    Without it, a value that can't be converted whole is refused whole.
    """

    unknown: Callable[[str], None]
    """Called for a key that the schema does not have."""
    unfit: Callable[[str], None]
    """Called for a part that does not fit its field."""


def is_nothing(value: Value) -> bool:
    """Whether a value is none: null, the empty text, or a number that JSON does not have."""
    if isinstance(value, str):  # first: most values are
        return not value
    if value is None:
        return True
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, Decimal) and not value.is_finite()


def prune(value: Value) -> Value:
    """Drop null and empty leaves, and the containers that this leaves empty; dates become text.

    Experience Platform takes neither null nor empty values
    (help/xdm/schema/composition.md in AdobeDocs/experience-platform.en).
    """
    if isinstance(value, str):
        return value or OMITTED
    if is_nothing(value):
        return OMITTED
    if isinstance(value, dict):
        kept = {key: part for key, item in value.items() if (part := prune(item)) is not OMITTED}
        return kept or OMITTED
    if isinstance(value, list):
        items = [part for item in value if (part := prune(item)) is not OMITTED]
        return items or OMITTED
    return value.text if isinstance(value, ZonedDateTime) else value


def has_value(value: Value) -> bool:
    """Whether `prune` leaves anything of a value."""
    if isinstance(value, dict):
        return any(map(has_value, value.values()))
    if isinstance(value, list):
        return any(map(has_value, value))
    return not is_nothing(value)


def compile_coercer(field: XdmField, losses: Losses | None = None, path: str = "") -> Coercer:
    """Compile a field into a function that converts a value or refuses it.

    Args:
        field: The XDM field that the value goes to.
        losses: Told of each part of a container that is left out, as Data Prep's object copy
            does; None refuses the whole value instead, so that nothing is lost.
        path: The field's XDM path, for `losses`.

    Returns:
        A function that returns the converted value, OMITTED for null and empty ones, and raises
        UnconvertibleError for one that can't be converted.
    """
    if field.kind == "any":
        return prune
    if field.kind in SCALAR_COMPILERS:
        coerce = SCALAR_COMPILERS[field.kind](field)
    else:
        coerce = _CONTAINER_COMPILERS[field.kind](field, losses, path)

    def coerce_value(value: Value) -> Value:
        return OMITTED if is_nothing(value) else coerce(value)

    return coerce_value


def _compile_array(field: XdmField, losses: Losses | None, path: str) -> Coercer:
    coerce_item = _compile_items(field, losses, f"{path}[]")

    def to_array(value: Value) -> Value:
        if not isinstance(value, list):
            raise UnconvertibleError(f"{name_of(value)} does not fit an array field")
        items = []
        for index, item in enumerate(value):
            converted = _part(f"[{index}]", coerce_item, item, losses, f"{path}[]")
            if converted is not OMITTED:
                items.append(converted)
        return items or OMITTED

    return to_array


def _compile_map(field: XdmField, losses: Losses | None, path: str) -> Coercer:
    of_text = field.items is not None and field.items.kind == "string"
    coerce_item = _compile_items(field, losses, f"{path}.*")

    def to_map(value: Value) -> Value:
        if not isinstance(value, dict):
            raise UnconvertibleError(f"{name_of(value)} does not fit a map field")
        converted = {}
        for key, item in value.items():
            is_container = isinstance(item, (dict, list))
            plain = json_text(_without_dates(item)) if of_text and is_container else item
            part = _part(key, coerce_item, plain, losses, f"{path}.{key}")
            if part is not OMITTED:
                converted[key] = part
        return converted or OMITTED

    return to_map


def _without_dates(value: Value) -> Value:
    """The same for JSON: dates as text."""
    if isinstance(value, dict):
        return {key: _without_dates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_dates(item) for item in value]
    return value.text if isinstance(value, ZonedDateTime) else value


def _compile_items(field: XdmField, losses: Losses | None, path: str) -> Coercer:
    return compile_coercer(field.items, losses, path) if field.items else prune


def _compile_object(field: XdmField, losses: Losses | None, path: str) -> Coercer:
    coercers = {
        name: compile_coercer(part, losses, f"{path}.{name}")
        for name, part in field.properties.items()
    }

    def to_object(value: Value) -> Value:
        if not isinstance(value, dict):
            raise UnconvertibleError(f"{name_of(value)} does not fit an object field")
        converted = {}
        for key, item in value.items():
            coerce = coercers.get(key)
            if coerce is None:
                _leave_out(key, item, losses, f"{path}.{key}")
                continue
            part = _part(key, coerce, item, losses, f"{path}.{key}")
            if part is not OMITTED:
                converted[key] = part
        if converted:
            _require(field.required, converted)
        return converted or OMITTED

    return to_object


def _leave_out(key: str, item: Value, losses: Losses | None, path: str) -> None:
    """Leave out a key that the schema does not have, which matters only if it has a value."""
    if prune(item) is OMITTED:
        return
    if losses is None:
        raise UnconvertibleError("the schema has no such field", key)
    losses.unknown(path)


def _require(names: tuple[str, ...], converted: dict[str, Value]) -> None:
    for name in names:
        if name not in converted:
            raise UnconvertibleError("required by the schema, but missing", name)


def _part(step: str, coerce: Coercer, value: Value, losses: Losses | None, path: str) -> Value:
    """Convert a part of a container; what does not fit is refused, or told to `losses`."""
    try:
        return coerce(value)
    except UnconvertibleError as error:
        if losses:
            losses.unfit(path)
            return OMITTED
        joint = "" if not error.path or error.path.startswith("[") else "."
        raise UnconvertibleError(error.reason, f"{step}{joint}{error.path}") from None


_CONTAINER_COMPILERS: dict[str, Callable[[XdmField, Losses | None, str], Coercer]] = {
    "array": _compile_array,
    "map": _compile_map,
    "object": _compile_object,
}

"""Values into the dates and date-times of XDM.

After the spellings that batch ingestion takes itself come Data Prep's automatic patterns
(help/data-prep/data-handling.md in AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timezone

from target_aep.data_prep.automatic_dates import parse_automatically
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.zoned_date_time import ZonedDateTime
from target_aep.xdm.timestamps import format_date_time, parse_date_time
from target_aep.xdm.unconvertible import UnconvertibleError, type_name

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.xdm.schema import XdmField

Value = t.Any

# What comes out in any case, and so may stay.
_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_CANONICAL_LENGTH = len("2022-05-18T05:05:48.000Z")


def _compile_date_time(_field: XdmField) -> Callable[[Value], Value]:
    return lambda value: date_time_text(value)[0]


def date_time_text(value: Value) -> tuple[str, datetime]:
    """A value as XDM's date-time, and the moment that it is, in UTC; raises as `moment_of`."""
    if value.__class__ is str and len(value) == _CANONICAL_LENGTH and _CANONICAL.fullmatch(value):
        try:
            return value, datetime.fromisoformat(value[:-1]).replace(tzinfo=timezone.utc)
        except ValueError:
            pass
    moment = moment_of(value)
    return format_date_time(moment), moment


def _compile_date(_field: XdmField) -> Callable[[Value], Value]:
    def to_date(value: Value) -> str:
        if isinstance(value, ZonedDateTime):
            # The day in the zone that the expression chose, as Java's toLocalDate.
            return value.moment_of_second.date().isoformat()
        return moment_of(value).date().isoformat()

    return to_date


def moment_of(value: Value) -> datetime:
    """The moment that a value stands for, in UTC.

    Args:
        value: ISO 8601 text, text in one of Data Prep's automatic patterns, Unix milliseconds, or
            a date of an expression.

    Raises:
        UnconvertibleError: It is none of these, or outside the years 1 to 9999.
    """
    if isinstance(value, ZonedDateTime):
        return _in_utc(value)
    if not isinstance(value, str):
        return iso_moment(value)
    try:
        return parse_date_time(value)
    except ValueError:
        pass
    try:
        return _in_utc(parse_automatically(value.strip()))
    except EvaluationError as error:
        raise UnconvertibleError(f"not a date-time: {error.reason}") from error


def _in_utc(date: ZonedDateTime) -> datetime:
    try:
        return date.in_zone(timezone.utc).moment
    except EvaluationError as error:
        raise UnconvertibleError(error.reason) from error


def iso_moment(value: Value) -> datetime:
    """The moment of a value that is ISO 8601 text or Unix milliseconds; raises as `moment_of`."""
    try:
        return parse_date_time(value)
    except ValueError as error:
        raise UnconvertibleError(f"not a date-time: {error}") from error


def name_of(value: Value) -> str:
    """What kind of value it is, in words."""
    return "a date" if isinstance(value, ZonedDateTime) else type_name(value)


SCALAR_DATE_COMPILERS: dict[str, Callable[[XdmField], Callable[[Value], Value]]] = {
    "date": _compile_date,
    "date-time": _compile_date_time,
}
"""As `SCALAR_COMPILERS` in `scalar_coercion`, for dates."""

"""Date and time functions: help/data-prep/functions.md, "Date and time functions".

`current_date` and `current_timestamp` stand only in the CSV tutorial of 2020. A date that is
given as text is read as `date` would read it.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from target_aep.data_prep.automatic_dates import parse_automatically
from target_aep.data_prep.date_patterns import date_pattern
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.time_zones import zone_of
from target_aep.data_prep.zoned_date_time import NANOSECONDS_OF_SECOND, ZonedDateTime

if t.TYPE_CHECKING:
    from target_aep.data_prep.evaluation import Evaluation
    from target_aep.data_prep.function import Value

CATEGORY = Category("Date and time")

_LEGACY = "stands only in Adobe's tutorial of 2020; today's name is {}"


@CATEGORY.define("now() -> date", needs_evaluation=True)
def now(evaluation: Evaluation) -> ZonedDateTime:
    """The moment of the record, in UTC."""
    return ZonedDateTime.of_epoch_milliseconds(evaluation.epoch_milliseconds)


@CATEGORY.define("timestamp() -> integer", needs_evaluation=True)
def timestamp(evaluation: Evaluation) -> int:
    """The moment of the record, in milliseconds since 1970-01-01 UTC."""
    return evaluation.epoch_milliseconds


@CATEGORY.define(
    "current_timestamp() -> integer",
    needs_evaluation=True,
    caveat=f"current_timestamp {_LEGACY.format('timestamp')}",
)
def current_timestamp(evaluation: Evaluation) -> int:
    """What `timestamp` gives."""
    return evaluation.epoch_milliseconds


@CATEGORY.define(
    "current_date() -> text",
    needs_evaluation=True,
    caveat=f"current_date {_LEGACY.format('now')}",
)
def current_date(evaluation: Evaluation) -> str:
    """The day of the moment in UTC, as the tutorial prints it: `18-Nov-2019`."""
    return date_pattern("dd-MMM-yyyy").format(now(evaluation))


@CATEGORY.define("format(DATE: date, FORMAT: datepattern) -> text")
def format_date(date: ZonedDateTime, pattern: str) -> str:
    """Print a date by a pattern, as it is in its own zone."""
    return date_pattern(pattern).format(date)


@CATEGORY.define("dformat(TIMESTAMP: integer, FORMAT: datepattern) -> text")
def dformat(milliseconds: int, pattern: str) -> str:
    """Print milliseconds since 1970-01-01 UTC by a pattern, in UTC."""
    return date_pattern(pattern).format(ZonedDateTime.of_epoch_milliseconds(milliseconds))


@CATEGORY.define("date(DATE: any, FORMAT: datepattern?, DEFAULT_DATE: date?) -> date")
def date(
    value: Value, pattern: str | None = None, default: ZonedDateTime | None = None
) -> ZonedDateTime | None:
    """Read a date by a pattern, or in any of the spellings that need none.

    The default stands in for null. What is a date already stays as it is.
    """
    if value is None:
        return default
    if isinstance(value, ZonedDateTime):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < _LARGEST_PRINTED else ""
    if not isinstance(value, str):
        raise EvaluationError("date: DATE is neither a text nor a date")
    return parse_automatically(value) if pattern is None else date_pattern(pattern).parse(value)


_LARGEST_PRINTED = 10**18


@CATEGORY.define("date_part(COMPONENT: text, DATE: date) -> integer")
def date_part(component: str, date: ZonedDateTime) -> int:
    """A component of a date as a number, by any of its names.

    Weeks are those of ISO 8601 and their days are 1 (Monday) to 7; `w` is the week.
    """
    return int(date_pattern(_component(component, _PARTS)).format(date))


_PARTS: dict[str, str] = {
    **dict.fromkeys(("year", "yyyy", "yy"), "y"),
    **dict.fromkeys(("quarter", "qq", "q"), "Q"),
    **dict.fromkeys(("month", "mm", "m"), "M"),
    **dict.fromkeys(("dayofyear", "dy", "y"), "D"),
    **dict.fromkeys(("day", "dd", "d"), "d"),
    **dict.fromkeys(("week", "ww", "w"), "w"),
    **dict.fromkeys(("weekday", "dw"), "u"),
    **dict.fromkeys(("hour", "hh", "hh24"), "H"),
    "hh12": "h",
    **dict.fromkeys(("minute", "mi", "n"), "m"),
    **dict.fromkeys(("second", "ss", "s"), "s"),
    **dict.fromkeys(("millisecond", "sss", "ms"), "S"),
}
"""Pattern letters by the names of components, in lower case."""


@CATEGORY.define("set_date_part(COMPONENT: text, VALUE: integer, DATE: date) -> date")
def set_date_part(component: str, value: int, date: ZonedDateTime) -> ZonedDateTime:
    """A date with one component replaced.

    A day that the new month or year does not have becomes its last one, as in Java.
    """
    field = _component(component, _SETTABLE)
    local = date.moment_of_second.replace(tzinfo=None)
    day = min(local.day, _days_of(local, field, value)) if field in ("year", "month") else local.day
    try:
        changed = datetime(**{**_numbers(local), "day": day, field: value})  # noqa: DTZ001 - the zone is next
    except (ValueError, OverflowError):
        raise EvaluationError(f"set_date_part: VALUE is not a {field} of that date") from None
    return ZonedDateTime.of_local(changed, date.zone, date.nanosecond)


_SETTABLE: dict[str, str] = {
    **dict.fromkeys(("year", "yyyy", "yy"), "year"),
    **dict.fromkeys(("month", "mm", "m"), "month"),
    **dict.fromkeys(("day", "dd", "d"), "day"),
    **dict.fromkeys(("hour", "hh"), "hour"),
    **dict.fromkeys(("minute", "mi", "n"), "minute"),
    **dict.fromkeys(("second", "ss", "s"), "second"),
}


def _numbers(local: datetime) -> dict[str, t.Any]:
    return dict(zip(dict.fromkeys(_SETTABLE.values()), local.timetuple(), strict=False))


def _days_of(local: datetime, field: str, value: int) -> int:
    year, month = (value, local.month) if field == "year" else (local.year, value)
    return _DAYS_OF_FEBRUARY[_is_leap(year)] if month == _FEBRUARY else _DAYS.get(month, 31)


_FEBRUARY = 2
_DAYS_OF_FEBRUARY = {False: 28, True: 29}
_DAYS = {4: 30, 6: 30, 9: 30, 11: 30}


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _component(name: str, known: dict[str, str]) -> str:
    try:
        return known[name.lower()]
    except KeyError:
        raise EvaluationError(f"COMPONENT is none of {', '.join(known)}") from None


@CATEGORY.define(
    "make_date_time(YEAR: integer, MONTH: integer, DAY: integer, HOUR: integer, MINUTE: integer, "
    "SECOND: integer, NANOSECOND: integer, TIMEZONE: text) -> date",
    "make_timestamp",
)
def make_date_time(*parts: t.Any) -> ZonedDateTime:
    """Make a date-time of its parts, as a clock in the zone shows them."""
    *numbers, nanosecond, zone = parts
    if not 0 <= nanosecond < NANOSECONDS_OF_SECOND:
        raise EvaluationError("make_date_time: NANOSECOND is not between 0 and 999,999,999")
    try:
        local = datetime(*numbers)  # noqa: DTZ001 - the zone comes next
    except (ValueError, OverflowError) as error:
        raise EvaluationError(f"make_date_time: {error}") from None
    return ZonedDateTime.of_local(local, zone_of(zone), nanosecond)


@CATEGORY.define("zone_date_to_utc(DATE: date) -> date")
def zone_date_to_utc(date: ZonedDateTime) -> ZonedDateTime:
    """The same instant, in the zone UTC."""
    return date.in_zone(zone_of("UTC"))


@CATEGORY.define("zone_date_to_zone(DATE: date, ZONE: text) -> date")
def zone_date_to_zone(date: ZonedDateTime, zone: str) -> ZonedDateTime:
    """The same instant, in another zone."""
    return date.in_zone(zone_of(zone))

"""Fields of a date that were read, made into one moment; those that contradict are refused."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

from target_aep.data_prep.date_printing import quarter, week_of_month, weekday_in_month
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.zoned_date_time import ZonedDateTime

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from target_aep.data_prep.date_reading import Fields

_NOON = 12
_HOUR_RANGES = {"H": range(24), "k": range(1, 25), "h": range(1, 13), "K": range(12)}

_SEEN_IN: dict[str, Callable[[datetime], int]] = {
    "E": lambda moment: moment.isoweekday(),
    "u": lambda moment: moment.isoweekday(),
    "D": lambda moment: moment.timetuple().tm_yday,
    "w": lambda moment: moment.isocalendar()[1],
    "Y": lambda moment: moment.isocalendar()[0],
    "W": week_of_month,
    "F": weekday_in_month,
    "Q": quarter,
}
"""Letters that say again what a date says already."""


def resolve(fields: Fields) -> ZonedDateTime:
    """Make a date-time of its fields.

    A month or day that is missing is the first one, a part of the day that is missing is 0, and
    without a zone it is in UTC.

    Raises:
        EvaluationError: A field is out of its range, two contradict, or there is no year.
    """
    local = _day(fields)
    for letter, seen in _SEEN_IN.items():
        if letter in fields and fields[letter] != seen(local):
            raise EvaluationError(f'what stands for "{letter}" contradicts the rest of the date')
    try:
        local = local.replace(
            hour=_hour(fields), minute=fields.get("m", 0), second=fields.get("s", 0)
        )
    except ValueError as error:
        raise EvaluationError(f"not a time: {error}") from None
    return _zoned(local, fields)


def _day(fields: Fields) -> datetime:
    if not fields.get("G", True):
        raise EvaluationError("the date is before the year 1")
    try:
        if "y" in fields:
            return _day_of_year(fields)
        if "Y" in fields and "w" in fields:
            weekday = fields["u"] if "u" in fields else fields.get("E", 1)
            return datetime.fromisocalendar(fields["Y"], fields["w"], weekday)
    except (ValueError, OverflowError) as error:
        raise EvaluationError(f"not a date: {error}") from None
    if "Y" in fields:
        raise EvaluationError('"Y" is the year of a week "w"; the year of a day is "y"')
    raise EvaluationError("the pattern has no year")


def _day_of_year(fields: Fields) -> datetime:
    if "D" in fields and "M" not in fields:
        return datetime(fields["y"], 1, 1) + timedelta(days=fields["D"] - 1)  # noqa: DTZ001
    return datetime(fields["y"], fields.get("M", 1), fields.get("d", 1))  # noqa: DTZ001


def _hour(fields: Fields) -> int:
    for letter, hours in _HOUR_RANGES.items():
        if letter in fields and fields[letter] not in hours:
            raise EvaluationError(f'what stands for "{letter}" is not an hour')
    afternoon = fields.get("a")
    if "H" in fields or "k" in fields:
        hour: int = fields["H"] if "H" in fields else fields["k"] % 24
        if afternoon is not None and afternoon != (hour >= _NOON):
            raise EvaluationError("the hour contradicts AM or PM")
        return hour
    within: int = fields["h"] if "h" in fields else fields.get("K", 0)
    return within % _NOON + (_NOON if afternoon else 0)


def _zoned(local: datetime, fields: Fields) -> ZonedDateTime:
    nanosecond = fields.get("S", 0)
    offset: tzinfo | None = next((fields[letter] for letter in "XZO" if letter in fields), None)
    zone: tzinfo | None = fields.get("V", fields.get("z"))
    date = ZonedDateTime.of_local(local, offset or zone or timezone.utc, nanosecond)
    return date.in_zone(zone) if zone and offset else date

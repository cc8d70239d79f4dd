"""Pattern letters, printed: what each shows of a date-time.

The letters are those of the table in help/data-prep/data-handling.md (AdobeDocs/
experience-platform.en), which mixes Java's two date formatters. Where those differ the table is
followed: `u` is the number of the weekday, `F` counts the weekday within the month, up to three
`S` are milliseconds (more are digits of the fraction). Weeks are those of ISO 8601.
"""

from __future__ import annotations

import typing as t

from target_aep.data_prep.date_names import DAYS, MONTHS, QUARTERS
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.zoned_date_time import offset_text

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from target_aep.data_prep.zoned_date_time import ZonedDateTime

_SHORT, _FULL, _NARROW = 3, 4, 5
_NOON = 12
_DAYS_OF_WEEK = 7
_DAYS_OF_FIRST_WEEK = 4
_NANOSECOND_DIGITS = 9


def print_letters(date: ZonedDateTime, letter: str, count: int) -> str:
    """What a run of a pattern letter shows.

    Raises:
        EvaluationError: The full name of a zone is asked for, which is not known here.
    """
    if number := _NUMBERS.get(letter):
        return str(number(date.moment_of_second)).zfill(count)
    return _OTHERS[letter](date, count)


def week_of_month(moment: datetime) -> int:
    """The week of the month, from 0: the first one has four of its days or more."""
    start = (moment.day - moment.isoweekday()) % _DAYS_OF_WEEK
    offset = _DAYS_OF_WEEK - start if start + 1 > _DAYS_OF_FIRST_WEEK else -start
    return (_DAYS_OF_WEEK + offset + moment.day - 1) // _DAYS_OF_WEEK


def weekday_in_month(moment: datetime) -> int:
    """Which of the month's days of that name it is, from 1."""
    return (moment.day - 1) // _DAYS_OF_WEEK + 1


def quarter(moment: datetime) -> int:
    """The quarter of the year, from 1."""
    return (moment.month + 2) // 3


_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "w": lambda moment: moment.isocalendar()[1],
    "W": week_of_month,
    "D": lambda moment: moment.timetuple().tm_yday,
    "d": lambda moment: moment.day,
    "F": weekday_in_month,
    "u": lambda moment: moment.isoweekday(),
    "H": lambda moment: moment.hour,
    "k": lambda moment: moment.hour or 24,
    "K": lambda moment: moment.hour % _NOON,
    "h": lambda moment: moment.hour % _NOON or _NOON,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
}


def _era(_date: ZonedDateTime, count: int) -> str:
    return "AD" if count < _FULL else "Anno Domini" if count == _FULL else "A"


def _year(year: int, count: int) -> str:
    return f"{year % 100:02}" if count == len("yy") else str(year).zfill(count)


def _named(names: tuple[str, ...], number: int, count: int) -> str:
    name = names[number - 1]
    return name[:_SHORT] if count <= _SHORT else name if count == _FULL else name[0]


def _month(date: ZonedDateTime, count: int) -> str:
    month = date.moment_of_second.month
    return str(month).zfill(count) if count < _SHORT else _named(MONTHS, month, count)


def _quarter(date: ZonedDateTime, count: int) -> str:
    number = quarter(date.moment_of_second)
    if count < _SHORT:
        return str(number).zfill(count)
    return (
        f"Q{number}" if count == _SHORT else QUARTERS[number - 1] if count == _FULL else str(number)
    )


def _fraction(date: ZonedDateTime, count: int) -> str:
    if count <= _SHORT:
        return str(date.nanosecond // 1_000_000).zfill(count)
    return f"{date.nanosecond:09}"[:count].ljust(count, "0")


def _zone_abbreviation(date: ZonedDateTime, count: int) -> str:
    if count > _SHORT:
        raise EvaluationError("the full name of a time zone can't be printed here")
    if date.zone_name is None:
        return offset_text(date.offset_seconds)
    return date.moment_of_second.tzname() or date.zone_name


def _rfc_822_offset(date: ZonedDateTime, count: int) -> str:
    if count == _FULL:
        return f"GMT{offset_text(date.offset_seconds, zero='')}"
    if count > _FULL:
        return offset_text(date.offset_seconds)
    return offset_text(date.offset_seconds, colon="", zero="+0000")


def _iso_offset(date: ZonedDateTime, count: int, zero: str = "Z") -> str:
    colon = ":" if count in (_SHORT, _NARROW) else ""
    text = offset_text(date.offset_seconds, colon, zero)
    return text.removesuffix("00") if count == 1 and len(text) == len("+hhmm") else text


def _iso_offset_without_z(date: ZonedDateTime, count: int) -> str:
    zero = "+00" if count == 1 else "+00:00" if count in (_SHORT, _NARROW) else "+0000"
    return _iso_offset(date, count, zero)


def _localized_offset(date: ZonedDateTime, count: int) -> str:
    text = offset_text(date.offset_seconds, zero="")
    if count < _FULL and text:
        text = f"{text[0]}{text[1:].removeprefix('0').removesuffix(':00')}"
    return f"GMT{text}"


_OTHERS: dict[str, Callable[[ZonedDateTime, int], str]] = {
    "G": _era,
    "y": lambda date, count: _year(date.moment_of_second.year, count),
    "Y": lambda date, count: _year(date.moment_of_second.isocalendar()[0], count),
    "M": _month,
    "L": _month,
    "Q": _quarter,
    "q": _quarter,
    "E": lambda date, count: _named(DAYS, date.moment_of_second.isoweekday(), count),
    "a": lambda date, _count: "PM" if date.moment_of_second.hour >= _NOON else "AM",
    "S": _fraction,
    "z": _zone_abbreviation,
    "Z": _rfc_822_offset,
    "X": _iso_offset,
    "x": _iso_offset_without_z,
    "V": lambda date, _count: date.zone_name or offset_text(date.offset_seconds),
    "O": _localized_offset,
}

"""The time of an event: a date-time that can have been observed."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from target_aep.xdm.coercion import OMITTED, is_nothing
from target_aep.xdm.date_coercion import date_time_text
from target_aep.xdm.timestamps import EPOCH, format_date_time, is_canonical
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from target_aep.xdm.scalar_coercion import Coercer

_FIRST: t.Final = format_date_time(EPOCH)
_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


def compile_event_time(now: Callable[[], datetime], ahead: timedelta) -> Coercer:
    """Compile the conversion of `timestamp`.

    Args:
        now: The clock, which is read only for times that were not past yet when it was last read.
        ahead: How far ahead of the clock an event may be.

    Returns:
        A function from value to date-time text, OMITTED for none. It raises UnconvertibleError for
        a value that is no date-time, before 1970, or in the future.
    """
    latest = _LONG_AGO
    latest_text = ""

    def event_time(value: t.Any) -> t.Any:
        nonlocal latest, latest_text
        if value.__class__ is str and _FIRST <= value <= latest_text and is_canonical(value):
            return value
        if is_nothing(value):
            return OMITTED
        text, moment = date_time_text(value)
        if moment < EPOCH:
            raise UnconvertibleError("before 1970")
        if moment > latest:
            latest = now() + ahead
            latest_text = _at_most(latest)
            if moment > latest:
                raise UnconvertibleError("in the future")
        return text

    return event_time


def _at_most(moment: datetime) -> str:
    """The last whole millisecond that is not past a moment, as text."""
    whole = moment.astimezone(timezone.utc)
    return format_date_time(whole.replace(microsecond=whole.microsecond // 1000 * 1000))

"""Date-times as XDM wants them: RFC 3339 in UTC."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timedelta, timezone
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?"
    r"\s*([Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)


_FIRST: t.Final = "0001"
_CANONICAL = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z",
    re.ASCII,
)


def parse_date_time(value: t.Any) -> datetime:
    """Read a date-time in the two spellings that batch ingestion takes.

    Those are ISO 8601 text and Unix milliseconds (help/ingestion/batch-ingestion/overview.md in
    AdobeDocs/experience-platform.en). Text without an offset is taken as UTC, a date alone as its
    midnight; digits beyond microseconds are cut.

    Args:
        value: Text, or a number of milliseconds since 1970-01-01 UTC.

    Returns:
        An aware datetime in UTC.

    Raises:
        ValueError: Not a date-time, or one outside the years 1 to 9999.
    """
    if isinstance(value, str):
        return _parse_text(value)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        try:
            return EPOCH + timedelta(milliseconds=float(value))
        except (OverflowError, ValueError) as error:
            raise ValueError("milliseconds outside the years 1 to 9999") from error
    raise ValueError("neither ISO 8601 text nor Unix milliseconds")


def is_canonical(text: str) -> bool:
    """Whether a text is a date-time as `format_date_time` writes whole milliseconds.

    Of such texts, the smaller one is the earlier. The few days that not every month has, and the
    year 0, are left to `parse_date_time`: it is a no for them.
    """
    return _CANONICAL.fullmatch(text) is not None and text >= _FIRST


def _parse_text(text: str) -> datetime:
    match = _DATE_TIME.fullmatch(text.strip())
    if not match:
        raise ValueError("not an ISO 8601 date-time")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=_zone(offset),
    )
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999 in UTC") from error


def _zone(offset: str | None) -> timezone:
    if offset is None or offset in "Zz":
        return timezone.utc
    sign = -1 if offset[0] == "-" else 1
    digits = offset[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def format_date_time(moment: datetime) -> str:
    """Write an aware UTC datetime with milliseconds (microseconds where it has them) and `Z`."""
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def epoch_milliseconds(moment: datetime) -> int:
    """Whole milliseconds between 1970-01-01 UTC and an aware datetime."""
    return (moment - EPOCH) // timedelta(milliseconds=1)

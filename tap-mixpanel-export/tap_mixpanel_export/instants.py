"""Instants as UTC milliseconds since the epoch: their project days and their texts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


def day_of(instant_ms: int, zone: ZoneInfo) -> date:
    """Return the project day that holds an instant (UTC milliseconds since the epoch)."""
    return (_EPOCH + instant_ms * _MILLISECOND).astimezone(zone).date()


def to_millis(instant: datetime) -> int:
    """Return an aware instant as UTC milliseconds since the epoch."""
    return (instant - _EPOCH) // _MILLISECOND


def start_of(day: date, zone: ZoneInfo) -> int:
    """Return the first instant of a project day, as UTC milliseconds since the epoch."""
    return to_millis(datetime.combine(day, time(), tzinfo=zone))


def end_of(day: date, zone: ZoneInfo) -> int:
    """Return the instant a project day ends (the next one's start), in UTC milliseconds."""
    return start_of(day + timedelta(days=1), zone)


def instant_text(instant_ms: int) -> str:
    """Write UTC milliseconds since the epoch as ``2022-05-18T05:05:48.000Z``."""
    instant = _EPOCH + instant_ms * _MILLISECOND
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 date or date-time, with ``Z`` or an offset or none.

    Raises:
        ValueError: The text is neither.
    """
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    return datetime.fromisoformat(text)

"""Project days as intervals of true time, for both time bases."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_STEP_MS = 900_000  # every offset change of today's zones falls on a quarter of an hour


def day_zone(basis: str, zone: str) -> tzinfo:
    """The zone whose days a project of this time basis has."""
    return ZoneInfo(zone) if basis == "project" else timezone.utc


class ProjectDay:
    """One project day; all instants are epoch ms.

    Attributes:
        start: True time of its first instant.
        end: True time of the next day's first instant.
    """

    def __init__(self, day: date, zone: tzinfo) -> None:
        self.start = to_ms(datetime.combine(day, time(), zone))
        self.end = to_ms(datetime.combine(day + timedelta(days=1), time(), zone))
        self._offsets = [
            _offset_ms(instant, zone) for instant in range(self.start, self.end, _STEP_MS)
        ]

    def stored(self, true_ms: int) -> int:
        """What the project stores as `time` of an instant of this day."""
        return true_ms + self._offsets[(true_ms - self.start) // _STEP_MS]


def to_ms(moment: datetime) -> int:
    """Epoch ms of an aware datetime."""
    return (moment - _EPOCH) // _MILLISECOND


def _offset_ms(instant_ms: int, zone: tzinfo) -> int:
    offset = (_EPOCH + instant_ms * _MILLISECOND).astimezone(zone).utcoffset()
    return (offset or timedelta()) // _MILLISECOND

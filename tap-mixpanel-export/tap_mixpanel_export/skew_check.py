"""Advice when the events' times do not fit the settings.

The API stamps each event with the true instant it received it. In a project whose settings are
right that is moments after the event's time, so a typical distance of whole quarter hours means
that ``event_time_basis`` or ``project_timezone`` is wrong.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median_low
from typing import TYPE_CHECKING

from tap_mixpanel_export.event import Event, integer_of
from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME, EventTime

if TYPE_CHECKING:
    import logging

_ENOUGH = 5
_SAMPLE = 2000
_MINUTE = 60_000
_QUARTER_HOUR = 15 * _MINUTE
_TOLERANCE = 2 * _MINUTE
_LARGEST_OFFSET = 15 * 60 * _MINUTE
_AHEAD = -60 * _MINUTE


class SkewCheck:
    """Looks at each window's first events; warns at most once."""

    def __init__(self, event_time: EventTime, logger: logging.Logger) -> None:
        self._event_time = event_time
        self._logger = logger
        self._distances: list[int] = []
        self._warned = False

    def look_at(self, event: Event) -> None:
        """Take an event into the window's sample."""
        if self._warned or len(self._distances) >= _SAMPLE:
            return
        received = integer_of(event.properties.get("$mp_api_timestamp_ms"))
        if received is None or event.properties.get("$import") is True:
            return
        if not EARLIEST_TIME <= received <= LATEST_TIME:
            return
        self._distances.append(received - self._event_time.to_utc(event.time_ms, received))

    def end_window(self) -> None:
        """Judge the window's sample and warn if it speaks against the settings."""
        distances, self._distances = self._distances, []
        skew = suspicious_skew(distances)
        if skew is None or self._warned:
            return
        self._warned = True
        self._logger.warning(
            "events seem to happen %s their arrival at Mixpanel (typical of %d events): check "
            "event_time_basis (now %r) and project_timezone; %s",
            f"{_spoken(skew)} before" if skew > 0 else f"{_spoken(-skew)} after",
            len(distances),
            "utc" if self._event_time.wall_clock_zone is None else "project",
            self._advice(skew),
        )

    def _advice(self, skew: int) -> str:
        if self._event_time.wall_clock_zone is not None:
            return "the zone looks wrong by that much, or the project stores UTC"
        side = "behind" if skew > 0 else "ahead of"
        return (
            f"this looks like a project of before 2023 in a zone {_spoken(abs(skew))} {side} UTC, "
            "which needs event_time_basis 'project' and that zone"
        )


def suspicious_skew(distances: list[int]) -> int | None:
    """Judge the distances between events' times and their receipt.

    Args:
        distances: Receipt minus time, in milliseconds.

    Returns:
        The typical distance if it speaks for a wrong zone, else None.
    """
    if len(distances) < _ENOUGH:
        return None
    middle = median_low(distances)
    agreeing = sum(abs(distance - middle) <= _TOLERANCE for distance in distances)
    quarters = round(middle / _QUARTER_HOUR)
    is_offset = (
        quarters != 0
        and abs(middle) <= _LARGEST_OFFSET
        and abs(middle - quarters * _QUARTER_HOUR) <= _TOLERANCE
        and 2 * agreeing > len(distances)
    )
    if is_offset:
        return quarters * _QUARTER_HOUR
    return middle if middle < _AHEAD else None


def _spoken(milliseconds: int) -> str:
    hours, minutes = divmod(timedelta(milliseconds=milliseconds) // timedelta(minutes=1), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"

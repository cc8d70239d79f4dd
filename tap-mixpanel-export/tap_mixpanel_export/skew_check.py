"""Advice when the events' times do not fit the settings.

The API stamps each event with the true instant it received it. In a project whose settings are
right that is moments after the event's time, so a typical distance of whole quarter hours means
that ``event_time_basis`` or ``project_timezone`` is wrong.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from statistics import median_low
from typing import TYPE_CHECKING

from tap_mixpanel_export.event import Event, integer_of
from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME, EventTime

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

MOST_DISTANCES = 2000
"""Events of a window that are looked at."""

_ENOUGH = 5
_MINUTE = 60_000
_QUARTER_HOUR = 15 * _MINUTE
_TOLERANCE = 2 * _MINUTE
_LARGEST_OFFSET = 15 * 60 * _MINUTE
_AHEAD = -60 * _MINUTE


class SkewSample:
    """Some events, and what their receipt says about their times."""

    def __init__(self, event_time: EventTime) -> None:
        self._event_time = event_time
        self._distances: list[int] = []

    @property
    def count(self) -> int:
        """How many of the events tell: not imported, with a stamp of their receipt."""
        return len(self._distances)

    @property
    def is_enough(self) -> bool:
        """Whether there are enough of them to judge."""
        return self.count >= _ENOUGH

    @property
    def is_full(self) -> bool:
        """Whether no more events are taken."""
        return self.count >= MOST_DISTANCES

    @property
    def distances(self) -> list[int]:
        """Receipt minus time of its events, in milliseconds."""
        return [*self._distances]

    def look_at(self, event: Event) -> None:
        """Take an event into the sample."""
        received = integer_of(event.properties.get("$mp_api_timestamp_ms"))
        is_imported = event.properties.get("$import") is True
        self.weigh(event.time_ms, received, is_imported=is_imported)

    def weigh(self, time_ms: int, received_ms: int | None, *, is_imported: bool) -> None:
        """Take an event into the sample.

        Args:
            time_ms: Its raw ``time`` in milliseconds.
            received_ms: ``$mp_api_timestamp_ms``, UTC milliseconds, if it has it.
            is_imported: Whether ``$import`` is true.
        """
        if self.is_full or is_imported or received_ms is None:
            return
        if EARLIEST_TIME <= received_ms <= LATEST_TIME:
            self._distances.append(received_ms - self._event_time.to_utc(time_ms, received_ms))

    def extend(self, distances: Iterable[int]) -> None:
        """Take distances of another sample into this one, up to its size."""
        self._distances.extend(islice(distances, MOST_DISTANCES - self.count))

    def advice(self) -> str | None:
        """Return what speaks against the settings and what to look at, or None."""
        skew = suspicious_skew(self._distances)
        if skew is None:
            return None
        when = f"{_spoken(skew)} before" if skew > 0 else f"{_spoken(-skew)} after"
        basis = "utc" if self._event_time.wall_clock_zone is None else "project"
        return (
            f"events seem to happen {when} their arrival at Mixpanel (typical of {self.count} "
            f"events): check event_time_basis (now {basis!r}) and project_timezone; "
            f"{self._advice(skew)}"
        )

    def _advice(self, skew: int) -> str:
        if self._event_time.wall_clock_zone is not None:
            return "the zone looks wrong by that much, or the project stores UTC"
        side = "behind" if skew > 0 else "ahead of"
        return (
            f"this looks like a project of before 2023 in a zone {_spoken(abs(skew))} {side} UTC, "
            "which needs event_time_basis 'project' and that zone"
        )


class SkewCheck:
    """Looks at each window's first events; warns at most once."""

    def __init__(self, event_time: EventTime, logger: logging.Logger) -> None:
        self._event_time = event_time
        self._logger = logger
        self._sample = SkewSample(event_time)
        self._warned = False

    def take(self, distances: Iterable[int]) -> None:
        """Take the distances of the window's first events into its sample."""
        if not self._warned:
            self._sample.extend(distances)

    def end_window(self) -> None:
        """Judge the window's sample and warn if it speaks against the settings."""
        advice = self._sample.advice()
        self._sample = SkewSample(self._event_time)
        if advice is not None and not self._warned:
            self._warned = True
            self._logger.warning("%s", advice)


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

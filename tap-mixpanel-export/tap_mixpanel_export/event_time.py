"""From Mixpanel's ``time`` to the true instant.

Projects made before 2023 store the wall clock of the project's zone as if it were UTC, newer
ones store true UTC: https://docs.mixpanel.com/docs/orgs-and-projects/managing-projects
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
_MILLISECOND = timedelta(milliseconds=1)
# Two days inside years 1 to 9999: the instant is a date in every zone.
EARLIEST_TIME = (datetime(1, 1, 3) - _EPOCH) // _MILLISECOND  # noqa: DTZ001 - as above
LATEST_TIME = (datetime(9999, 12, 29) - _EPOCH) // _MILLISECOND  # noqa: DTZ001 - as above


@dataclass(frozen=True)
class EventTime:
    """How one project's ``time`` is read.

    Attributes:
        wall_clock_zone: The project's zone if ``time`` is its wall clock (setting
            ``event_time_basis=project``), None if ``time`` is UTC.
    """

    wall_clock_zone: ZoneInfo | None

    def to_utc(self, time_ms: int, received_ms: int | None) -> int:
        """Convert a raw ``time`` to UTC.

        A wall-clock time of the repeated autumn hour means two instants: the one nearer to the
        API's receipt is taken, without it the first. The same rule chooses for a time inside
        the spring gap, which no clock ever showed.

        Args:
            time_ms: Raw ``time`` in milliseconds, from EARLIEST_TIME to LATEST_TIME.
            received_ms: ``$mp_api_timestamp_ms``, UTC milliseconds, if the event has it.

        Returns:
            UTC milliseconds since the epoch.
        """
        if self.wall_clock_zone is None:
            return time_ms
        wall_clock = (_EPOCH + time_ms * _MILLISECOND).replace(tzinfo=self.wall_clock_zone)
        first, second = (time_ms - _offset_ms(wall_clock.replace(fold=fold)) for fold in (0, 1))
        if first == second or received_ms is None:
            return first
        return min(first, second, key=lambda instant: abs(received_ms - instant))


def _offset_ms(local: datetime) -> int:
    offset = local.utcoffset()
    return 0 if offset is None else offset // _MILLISECOND

"""Pacing: how many requests may begin in an hour and in a second.

Mixpanel allows a project 60 export requests in a sliding hour and 3 in a second:
https://developer.mixpanel.com/reference/rate-limits
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tap_mixpanel_export.clock import Clock

REQUESTS_PER_SECOND = 3

_HOUR = 3600.0
_SECOND = 1.0
# Requests reach the server at uneven delays; the margins keep them apart there too.
_HOUR_MARGIN = 1.0
_SECOND_MARGIN = 0.1
_WORTH_A_LINE = 1.0


class RequestBudget(Protocol):
    """Decides when the next request may begin."""

    def acquire(self) -> None:
        """Wait until a request may begin, and count it."""


class InProcessBudget:
    """Counts the requests of this process in memory."""

    def __init__(self, *, per_hour: int, clock: Clock, logger: logging.Logger) -> None:
        self._per_hour = per_hour
        self._clock = clock
        self._logger = logger
        self._started: deque[float] = deque(maxlen=max(per_hour, REQUESTS_PER_SECOND))

    def acquire(self) -> None:
        """Wait until a request may begin, and count it."""
        self._wait(
            self._until_free(self._per_hour, _HOUR + _HOUR_MARGIN),
            f"all {self._per_hour} requests of this hour are used up (max_requests_per_hour)",
        )
        self._wait(
            self._until_free(REQUESTS_PER_SECOND, _SECOND + _SECOND_MARGIN),
            f"Mixpanel allows {REQUESTS_PER_SECOND} requests a second",
        )
        self._started.append(self._clock.now())

    def _until_free(self, count: int, period: float) -> float:
        """Return the seconds until fewer than ``count`` requests began within ``period``."""
        if len(self._started) < count:
            return 0.0
        elapsed = self._clock.now() - self._started[-count]
        # A wall clock that was set back must not make the tap wait for longer than the period.
        return min(period, period - elapsed)

    def _wait(self, seconds: float, why: str) -> None:
        if seconds <= 0:
            return
        level = logging.INFO if seconds >= _WORTH_A_LINE else logging.DEBUG
        self._logger.log(level, "waiting %.1f s: %s", seconds, why)
        self._clock.sleep(seconds)

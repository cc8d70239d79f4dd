"""Counting what happens in a sliding minute."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MINUTE = 60.0


class SlidingCounter:
    """Admits at most `limit` occurrences a minute; None admits all."""

    def __init__(self, limit: int | None, now: Callable[[], float]) -> None:
        self._limit = limit
        self._now = now
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Count one occurrence, unless the limit is reached."""
        if self._limit is None:
            return True
        with self._lock:
            now = self._now()
            while self._times and self._times[0] <= now - _MINUTE:
                self._times.popleft()
            if len(self._times) >= self._limit:
                return False
            self._times.append(now)
            return True

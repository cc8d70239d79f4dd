"""The rate limits, per project: those of the export and, for Lexicon, the number.

Numbers: https://docs.mixpanel.com/reference/raw-event-export (60 an hour, 3 a second, 100 at once).
That the hour is sliding, and the wording, come from airbytehq/airbyte#9410; the wording for
concurrency from treasure-data/embulk-input-mixpanel.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.mixpanel.errors import TOO_MANY_AT_ONCE, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

_HOUR = 3600.0


@dataclass(frozen=True)
class Limits:
    """What a project may do; None switches a limit off.

    Attributes:
        per_hour: Requests in any sliding hour.
        per_second: Requests in any sliding second.
        concurrent: Requests in progress.
        schemas_per_minute: Requests for Lexicon's schemas in any sliding minute.
        retry_after: Value of a `Retry-After` header (seconds) sent with 429; none is documented.
        count_refused: Whether refused requests use up the budget; undocumented.
    """

    per_hour: int | None = 60
    per_second: int | None = 3
    concurrent: int | None = 100
    schemas_per_minute: int | None = 5
    retry_after: int | None = None
    count_refused: bool = False


NO_LIMITS = Limits(per_hour=None, per_second=None, concurrent=None, schemas_per_minute=None)


class RateLimiter:
    """Counts requests per project.

    Its clock is apart from the emulator's: while that one is fixed, limits still run out.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._started: defaultdict[int, deque[float]] = defaultdict(deque)
        self._running: defaultdict[int, int] = defaultdict(int)
        self._peak: defaultdict[int, int] = defaultdict(int)

    def enter(self, project_id: int) -> None:
        """Count a request in; `leave` must follow when its answer is over.

        Raises:
            Refused: 429 when a limit is reached; the request is then not in progress.
        """
        with self._lock:
            now = self._clock()
            started = self._started[project_id]
            while started and started[0] <= now - _HOUR:
                started.popleft()
            refusal = self._refusal(project_id, now)
            if refusal is None or self._limits.count_refused:
                started.append(now)
            if refusal is not None:
                raise refusal
            self._running[project_id] += 1
            self._peak[project_id] = max(self._peak[project_id], self._running[project_id])

    def leave(self, project_id: int) -> None:
        """The request's answer is over, in whatever way."""
        with self._lock:
            self._running[project_id] -= 1

    def running(self, project_id: int) -> int:
        """How many requests are in progress."""
        with self._lock:
            return self._running[project_id]

    def peak(self, project_id: int) -> int:
        """The most requests that were ever in progress at once."""
        with self._lock:
            return self._peak[project_id]

    def _refusal(self, project_id: int, now: float) -> Refused | None:
        limits = self._limits
        started, running = self._started[project_id], self._running[project_id]
        if limits.concurrent is not None and running >= limits.concurrent:
            return self._too_many(TOO_MANY_AT_ONCE)
        text = f"Query rate limit exceeded for project_id: {project_id}. "
        last_second = sum(1 for start in started if start > now - 1)
        if limits.per_second is not None and last_second >= limits.per_second:
            return self._too_many(
                f"{text}{last_second + 1}/{limits.per_second} queries running in the last second"
            )
        if limits.per_hour is not None and len(started) >= limits.per_hour:
            return self._too_many(
                f"{text}{running + 1}/{limits.concurrent} queries running concurrently and "
                f"{len(started) + 1}/{limits.per_hour} queries running in the last hour"
            )
        return None

    def _too_many(self, text: str) -> Refused:
        seconds = self._limits.retry_after
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return Refused(429, text, as_json=True, headers=headers)

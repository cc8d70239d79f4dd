"""When a failed attempt at a window is repeated, and how long the tap waits before."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import backoff

from tap_mixpanel_export.errors import AttemptError, RateLimitedError, RetriesExhaustedError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Generator

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.deadline import Deadline

_T = TypeVar("_T")


@dataclass(frozen=True)
class RetryPolicy:
    """How patient the tap is with one window.

    Attributes:
        max_tries: Attempts that may fail for other reasons than the rate limit.
        first_wait: Seconds; the longest wait after the first failure, doubled after each.
        longest_wait: Seconds; the limit of that growth, unless the server asks for more.
        patience: Seconds. The rate limit is waited out so long from its first refusal on,
            whatever the time was spent on; a server that asks for a longer wait gets none. The
            hourly budget is sliding and shared with other users of the project, who may take
            each request that becomes free, so several hours.
        max_refusals: Attempts that may fail for the rate limit, however much patience is left;
            None for any number.
        deadline: No attempt begins after it, nor after a wait that would pass it.
    """

    max_tries: int = 8
    first_wait: float = 2.0
    longest_wait: float = 300.0
    patience: float = 21_600.0
    max_refusals: int | None = None
    deadline: Deadline | None = None

    def call(
        self,
        attempt: Callable[[], _T],
        what: str,
        *,
        pause: Callable[[float, AttemptError], None],
        clock: Clock,
        logger: logging.Logger,
    ) -> _T:
        """Call ``attempt`` until it succeeds.

        Args:
            attempt: Raises AttemptError if another attempt may succeed.
            what: What is attempted, for the log.
            pause: Waits for so many seconds after that error.
            clock: Measures the patience.
            logger: Gets a warning before each wait.

        Raises:
            RetriesExhaustedError: It kept failing.
        """
        failures = _Failures(self, clock)

        def warn(details: Any) -> None:
            logger.warning(
                "%s failed (attempt %d): %s; next attempt in %.1f s",
                what,
                details["tries"],
                details["exception"],
                failures.next_wait,
            )
            pause(failures.next_wait, details["exception"])

        retrying = backoff.on_exception(
            failures.waits,
            AttemptError,
            giveup=failures.are_enough,
            on_backoff=warn,
            jitter=None,  # the waits have theirs, but never below what the server asked for
            logger=None,
        )
        try:
            return retrying(attempt)()
        except AttemptError as error:
            raise RetriesExhaustedError(f"{what} failed for good: {error}") from error


class _Failures:
    """The failed attempts at one window."""

    def __init__(self, policy: RetryPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._refusals = 0
        self._others = 0
        self._first_refusal = 0.0
        self.next_wait = 0.0

    def are_enough(self, error: Exception) -> bool:
        """Count a failure; returns whether the patience is at its end."""
        asked, patience = getattr(error, "retry_after", None) or 0.0, self._policy.patience
        deadline, most = self._policy.deadline, self._policy.max_refusals
        if deadline is not None and max(asked, self._policy.first_wait) >= deadline.left():
            return True
        if not isinstance(error, RateLimitedError):
            self._others += 1
            return self._others >= self._policy.max_tries or asked > patience
        if self._refusals == 0:
            self._first_refusal = self._clock.now()
        self._refusals += 1
        if most is not None and self._refusals >= most:
            return True
        elapsed = self._clock.now() - self._first_refusal
        return elapsed >= patience or elapsed + asked > patience

    def waits(self) -> Generator[float, Any, None]:
        """Waits for ``backoff``, always none: it sleeps by the machine's clock, the tap by its own.

        What is sent in is the exception; ``next_wait`` is how long to wait after it.
        """
        error = yield 0.0
        while True:
            self.next_wait = self._wait_after(error)
            error = yield 0.0

    def _wait_after(self, error: AttemptError) -> float:
        """Return the seconds to wait: what the server asked for, and at least our own wait.

        At least half of the ceiling: an outage must not outlive all attempts, and a refused
        request may itself use up budget.
        """
        same_kind = self._refusals if isinstance(error, RateLimitedError) else self._others
        growth = 2.0 ** min(same_kind - 1, 30)
        ceiling = min(self._policy.first_wait * growth, self._policy.longest_wait)
        jitter = random.uniform(0.0, ceiling / 2)  # noqa: S311 - no secret rests on it
        return max(error.retry_after or 0.0, ceiling / 2 + jitter)

"""When a failed attempt at a window is repeated, and how long the tap waits before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import backoff

from tap_mixpanel_export.errors import AttemptError, RateLimitedError, RetriesExhaustedError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Generator

_T = TypeVar("_T")


@dataclass(frozen=True)
class RetryPolicy:
    """How patient the tap is with one window.

    Attributes:
        max_tries: Attempts that may fail for other reasons than the rate limit.
        first_wait: Seconds; the longest wait after the first failure, doubled after each.
        longest_wait: Seconds; the limit of that growth.
        rate_limit_patience: Seconds to wait in all for the rate limit. The hourly budget is
            sliding and shared with other users of the project, so a bit over an hour.
        scale: Factor on every wait; 0 waits not at all.
    """

    max_tries: int = 8
    first_wait: float = 2.0
    longest_wait: float = 300.0
    rate_limit_patience: float = 4500.0
    scale: float = 1.0

    def call(self, attempt: Callable[[], _T], what: str, logger: logging.Logger) -> _T:
        """Call ``attempt`` until it succeeds.

        Args:
            attempt: Raises AttemptError if another attempt may succeed.
            what: What is attempted, for the log.
            logger: Gets a warning before each wait.

        Raises:
            RetriesExhaustedError: It kept failing.
        """
        patience = _Patience(self)

        def warn(details: Any) -> None:
            logger.warning(
                "%s failed (attempt %d): %s; next attempt in %.1f s",
                what,
                details["tries"],
                details["exception"],
                details["wait"],
            )

        retrying = backoff.on_exception(
            patience.waits,
            AttemptError,
            giveup=patience.is_exhausted_by,
            on_backoff=warn,
            jitter=None,  # _Patience jitters, but never a wait that the server asked for
            logger=None,
        )
        try:
            return retrying(attempt)()
        except AttemptError as error:
            raise RetriesExhaustedError(f"{what} failed for good: {error}") from error


class _Patience:
    """What one window may still spend on failed attempts."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._refusals = 0
        self._waited_for_rate_limit = 0.0

    def is_exhausted_by(self, error: Exception) -> bool:
        if isinstance(error, RateLimitedError):
            self._refusals += 1
            patience = self._policy.rate_limit_patience
            return self._waited_for_rate_limit >= patience or (error.retry_after or 0) > patience
        self._failures += 1
        return self._failures >= self._policy.max_tries

    def waits(self) -> Generator[float, Any, None]:
        error = yield 0.0
        while True:
            error = yield self._wait_after(error) * self._policy.scale

    def _wait_after(self, error: Exception) -> float:
        if not isinstance(error, RateLimitedError):
            return backoff.full_jitter(self._ceiling(self._failures))
        seconds = error.retry_after
        if seconds is None:
            # At least half of the ceiling: a refused request may itself use up budget.
            ceiling = self._ceiling(self._refusals)
            seconds = ceiling / 2 + backoff.full_jitter(ceiling / 2)
        self._waited_for_rate_limit += max(seconds, 1.0)
        return seconds

    def _ceiling(self, failures: int) -> float:
        growth = 2.0 ** min(failures - 1, 30)
        return min(self._policy.first_wait * growth, self._policy.longest_wait)

"""When a call is worth repeating, and how long to wait before."""

from __future__ import annotations

import logging
import random
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import backoff

from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import requests

logger = logging.getLogger("target-aep")

_T = t.TypeVar("_T")


class RetriableError(Exception):
    """A call failed in a way that may pass; `retry_after` is the server's wish in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential waits with full jitter, at most `cap` seconds; the server's wish goes first.

    Experience Platform documents `Retry-After` on streaming and data-lifecycle answers only, so
    it is honoured wherever it comes (help/hygiene/best-practices.md in
    AdobeDocs/experience-platform.en).
    """

    tries: int = 8
    base: float = 1.0
    cap: float = 60.0
    longest_wish: float = 900.0

    def run(self, call: Callable[[], _T], what: str) -> _T:
        """Call until it succeeds.

        Args:
            call: Raises RetriableError where another try may help.
            what: What is being asked for, for messages.

        Returns:
            What the call returns.

        Raises:
            PlatformError: The last try failed too.
        """

        def announce(details: t.Any) -> None:
            logger.warning(
                "%s: %s; trying again in %.1f s (try %d of %d)",
                what,
                details["exception"],
                details["wait"],
                details["tries"] + 1,
                self.tries,
            )

        retried = backoff.on_exception(
            self._waits,
            RetriableError,
            max_tries=self.tries,
            jitter=None,
            on_backoff=announce,
            logger=None,
        )(call)
        try:
            return retried()
        except RetriableError as error:
            raise PlatformError(
                f"{what}: {error}; gave up after {self.tries} tries. Nothing was lost: run again "
                "later"
            ) from error

    def _waits(self) -> Generator[float, t.Any, None]:
        """Waits for `backoff`, which sends in the exception before each."""
        error = yield 0.0
        longest = self.base
        while True:
            wish = getattr(error, "retry_after", None)
            wait = random.uniform(0, longest) if wish is None else min(wish, self.longest_wish)  # noqa: S311
            longest = min(longest * 2, self.cap)
            error = yield wait


def retry_after(response: requests.Response) -> float | None:
    """The `Retry-After` header in seconds, whether it is written as seconds or as a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())

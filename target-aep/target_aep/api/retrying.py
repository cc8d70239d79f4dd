"""When a call is worth repeating, and how long to wait before."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import backoff

from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    import threading
    from collections.abc import Callable

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
    """Exponential waits with full jitter, at most `cap` seconds, and never less than wished.

    Experience Platform documents `Retry-After` on streaming and data-lifecycle answers only, so
    it is honoured wherever it comes (help/hygiene/best-practices.md in
    AdobeDocs/experience-platform.en), up to `longest_wish` seconds.
    """

    tries: int = 8
    base: float = 1.0
    cap: float = 60.0
    longest_wish: float = 900.0

    def run(self, call: Callable[[], _T], what: str, stopped: threading.Event) -> _T:
        """Call until it succeeds.

        Args:
            call: Raises RetriableError where another try may help.
            what: What is being asked for, for messages.
            stopped: Set when the run ends: nothing is waited for any more.

        Returns:
            What the call returns.

        Raises:
            PlatformError: The last try failed too, or the run ended.
        """

        def attempt() -> _T:
            if stopped.is_set():
                raise PlatformError(f"{what}: not asked for, the run is ending")
            return call()

        def wait(details: t.Any) -> None:
            error, number = details["exception"], details["tries"]
            seconds = self.wait_after(error, number)
            logger.warning(
                "%s: %s; trying again in %.1f s (try %d of %d)",
                what,
                error,
                seconds,
                number + 1,
                self.tries,
            )
            stopped.wait(seconds)

        retrying = backoff.on_exception(
            backoff.constant,
            RetriableError,
            interval=0,  # `wait` has waited; backoff's own sleep would outlast the end of the run
            max_tries=self.tries,
            jitter=None,
            on_backoff=wait,
            logger=None,
        )
        try:
            return retrying(attempt)()
        except RetriableError as error:
            raise PlatformError(
                f"{what}: {error}; gave up after {self.tries} tries: see whether the service is up "
                "(status.adobe.com) and can be reached from here"
            ) from error

    def wait_after(self, error: Exception, number: int) -> float:
        """Seconds to wait after the `number`th try: our own wait, and at least what is wished."""
        longest = min(self.cap, self.base * 2.0 ** min(number - 1, 60))
        wish = getattr(error, "retry_after", None) or 0.0
        return max(backoff.full_jitter(longest), min(wish, self.longest_wish))


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

"""The clock the tap reads and waits by; tests hand in another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from tap_mixpanel_export.errors import RunEndedError

if TYPE_CHECKING:
    from threading import Event


class Clock(Protocol):
    """Wall clock and waiting."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""

    def wait(self, seconds: float, ended: Event) -> None:
        """Wait for ``seconds``, or until the event is set."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def wait(self, seconds: float, ended: Event) -> None:
        """Wait for ``seconds``, or until the event is set."""
        ended.wait(seconds)


def wait(clock: Clock, seconds: float, ended: Event) -> None:
    """Wait for ``seconds``.

    Raises:
        RunEndedError: Nobody needs what comes after the wait any more.
    """
    clock.wait(seconds, ended)
    if ended.is_set():
        raise RunEndedError

"""Limits of Experience Platform that a run keeps to by itself, instead of being refused.

help/ingestion/guardrails.md in AdobeDocs/experience-platform.en: 2,000 batches a minute for a user,
20 GB an hour through the batch API, 25,000 files in a batch.
"""

from __future__ import annotations

import logging
import threading
import time
import typing as t
from collections import deque
from dataclasses import dataclass, field

from target_aep.errors import PlatformError, TargetError

if t.TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("target-aep")

MINUTE: t.Final = 60.0
HOUR: t.Final = 3600.0

_SLICES = 600
"""A window is kept in so many slices at the most, however many amounts it holds."""


@dataclass
class _Slice:
    """What was taken between two moments."""

    first: float
    last: float
    amount: int


class SlidingLimit:
    """So much in any window of time; safe across threads, which come in one after the other."""

    def __init__(
        self,
        most: int,
        seconds: float,
        what: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with an empty window.

        Args:
            most: The amount that a window may hold.
            seconds: Length of the window.
            what: What is limited and by whom, for the line about a wait.
            clock: Seconds that only go forward.
        """
        self._most = most
        self._seconds = seconds
        self._what = what
        self._clock = clock
        self._slices: deque[_Slice] = deque()
        self._used = 0
        self._lock = threading.Lock()

    def take(self, amount: int, wait: Callable[[float], bool]) -> None:
        """Take a part of the limit, and wait for it where it is used up.

        Args:
            amount: How much; more than the whole limit waits for an empty window.
            wait: Waits so many seconds; true if the run is ending.

        Raises:
            PlatformError: The run is ending.
        """
        with self._lock:
            seconds = self._wait_for(amount)
            if seconds:
                logger.warning("Waiting %.0f s: %s", max(1.0, seconds), self._what)
            while seconds:
                if wait(seconds):
                    raise PlatformError(f"{self._what}: not waited for, the run is ending")
                seconds = self._wait_for(amount)
            self._note(amount)

    def _wait_for(self, amount: int) -> float:
        """Seconds until the window has room for this amount; 0 if it has now."""
        now = self._clock()
        while self._slices and self._slices[0].last <= now - self._seconds:
            self._used -= self._slices.popleft().amount
        excess = min(self._used, self._used + amount - self._most)
        leaves_at = now
        for part in self._slices:
            if excess <= 0:
                break
            excess -= part.amount
            leaves_at = part.last + self._seconds
        return leaves_at - now

    def _note(self, amount: int) -> None:
        now = self._clock()
        self._used += amount
        latest = self._slices[-1] if self._slices else None
        if latest and now - latest.first < self._seconds / _SLICES:
            latest.last = now  # a slice leaves the window as a whole, with its last amount
            latest.amount += amount
        else:
            self._slices.append(_Slice(now, now, amount))


@dataclass(frozen=True)
class Pacing:
    """The limits of one run.

    Attributes:
        batches: Batches created.
        upload: Bytes uploaded.
    """

    batches: SlidingLimit = field(
        default_factory=lambda: SlidingLimit(
            2_000, MINUTE, "Experience Platform lets a user create 2,000 batches a minute"
        )
    )
    upload: SlidingLimit = field(
        default_factory=lambda: SlidingLimit(
            20 * 10**9, HOUR, "Experience Platform takes 20 GB an hour through its batch API"
        )
    )


@dataclass(frozen=True)
class FileLimits:
    """How many files a batch gets.

    Attributes:
        close_after: From so many on, it closes at the first STATE.
        most: Experience Platform takes no more.
    """

    close_after: int = 20_000
    most: int = 25_000

    def check(self, count: int) -> None:
        """See that a batch can still be loaded.

        Args:
            count: Its files.

        Raises:
            TargetError: It has too many.
        """
        if count > self.most:
            raise TargetError(
                f"file_max_bytes: the batch would get more than {self.most:,} files, which "
                "Experience Platform does not take, before the tap sends a STATE at which it could "
                "end: raise file_max_bytes"
            )

"""Which of the blocks that wait for a helper is framed next.

A window comes out once it is whole, and the windows come out in order. So the blocks of the
earliest one go first: while it comes out, the next ones are framed.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_mixpanel_export.framing.helper_process import Request
    from tap_mixpanel_export.framing.messages import Framed
    from tap_mixpanel_export.window_plan import Place

LONGEST_WAIT = 2.0
"""Seconds after which a block goes first, so that no server takes its reader for gone."""


class WaitingBlock(NamedTuple):
    """A block that waits.

    Attributes:
        place: Its window's place in the sweep.
        since: Since when, in seconds of a monotonic clock.
        request: What is asked for.
        pieces: The block.
        future: Gets what comes of it.
    """

    place: Place
    since: float
    request: Request
    pieces: Sequence[bytes | memoryview]
    future: Future[Framed]


class WaitingBlocks:
    """The blocks of all bodies that no helper has begun with; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none.

        Args:
            clock: Tells the time, in seconds.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._blocks: list[WaitingBlock] = []  # the longest waiting first

    def put(
        self, place: Place, request: Request, pieces: Sequence[bytes | memoryview]
    ) -> Future[Framed]:
        """Have a block wait; the result comes once somebody has taken and framed it."""
        future: Future[Framed] = Future()
        with self._lock:
            self._blocks.append(WaitingBlock(place, self._clock(), request, pieces, future))
        return future

    def take(self) -> WaitingBlock | None:
        """Take the block that is next, or None if all that wait were cancelled."""
        with self._lock:
            while self._blocks:
                block = self._blocks.pop(self._next())
                if block.future.set_running_or_notify_cancel():
                    return block
        return None

    def cancel(self) -> None:
        """Cancel all that wait."""
        with self._lock:
            blocks, self._blocks = self._blocks, []
        for block in blocks:
            block.future.cancel()

    def _next(self) -> int:
        """Return where the block is that goes first."""
        if self._clock() - self._blocks[0].since > LONGEST_WAIT:
            return 0
        places = [block.place for block in self._blocks]
        return places.index(min(places))

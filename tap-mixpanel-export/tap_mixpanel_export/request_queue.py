"""The order in which a run's requests begin.

The request of the earliest window comes first, because everything else waits for it: when the
hour is used up, what is left of it is not spent on windows that are only wanted ahead.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_mixpanel_export.clock import wait
from tap_mixpanel_export.errors import RunEndedError
from tap_mixpanel_export.request_ledger import Lease, Refusal

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.request_ledger import RequestLedger
    from tap_mixpanel_export.window_plan import Place

_POLL = 0.2
_SAME_MOMENT = 1.0


class RequestQueue:
    """Lets the threads of one run begin requests in turn.

    Attributes:
        waited: Seconds that the run has waited, or waits, for its budget.
    """

    def __init__(
        self, ledger: RequestLedger, *, at_once: int, clock: Clock, logger: logging.Logger
    ) -> None:
        """Create the queue.

        Args:
            ledger: The budget, which other runs share.
            at_once: Most requests of this run under way.
            clock: Waits for the budget.
            logger: Gets a line for each wait of a second or more.
        """
        self._ledger = ledger
        self._at_once = at_once
        self._clock = clock
        self._logger = logger
        self._changed = threading.Condition()
        self._waiting: list[Place] = []
        self._reserved: set[Place] = set()
        self._under_way = 0
        self._pauses = 0
        self._told = ("", 0.0)
        self.waited = 0.0

    @contextmanager
    def turn(self, place: Place, ended: threading.Event) -> Iterator[int]:
        """Wait until a request may begin, and count it as under way.

        Args:
            place: Its window's place in the sweep.
            ended: Set when nobody needs the request any more.

        Yields:
            How many requests are left in the sliding hour after this one.

        Raises:
            RunEndedError: Nobody needs the request any more.
            StorageError: The ledger cannot be written.
        """
        lease = self._lease(place, ended)
        try:
            yield lease.requests_left
        finally:
            lease.release()
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Let no request begin meanwhile: Mixpanel has refused one for the budget's sake."""
        with self._changed:
            self._pauses += 1
        try:
            yield
        finally:
            with self._changed:
                self._pauses -= 1
                self._changed.notify_all()

    def reserve(self, place: Place) -> None:
        """Let no later window's request begin before this one's, until its turn or `cancel`."""
        with self._changed:
            self._reserved.add(place)

    def cancel(self, place: Place) -> None:
        """Take a reservation back, if there is one."""
        with self._changed:
            self._reserved.discard(place)
            self._changed.notify_all()

    def _lease(self, place: Place, ended: threading.Event) -> Lease:
        with self._changed:
            self._waiting.append(place)
        try:
            told: set[str] = set()
            while isinstance(answer := self._ask(place, ended), Refusal):
                self._tell(answer, told)
                wait(self._clock, answer.seconds, ended)
            return answer
        finally:
            with self._changed:
                self._waiting.remove(place)
                self._reserved.discard(place)
                self._changed.notify_all()

    def _ask(self, place: Place, ended: threading.Event) -> Lease | Refusal:
        with self._changed:
            while not ended.is_set() and not self._is_next(place):
                self._changed.wait(_POLL)
            if ended.is_set():
                raise RunEndedError
            answer = self._ledger.try_begin()
            if isinstance(answer, Lease):
                self._under_way += 1
            return answer

    def _is_next(self, place: Place) -> bool:
        is_free = self._under_way < self._at_once and not self._pauses
        return is_free and place == min({*self._waiting, *self._reserved})

    def _tell(self, refusal: Refusal, told: set[str]) -> None:
        """Log a wait, once for all the requests that wait for the same moment."""
        until = self._clock.now() + refusal.seconds
        last_reason, last_until = self._told
        is_same = refusal.reason == last_reason and until <= last_until + _SAME_MOMENT
        is_news = refusal.reason not in told and not is_same
        told.add(refusal.reason)
        if refusal.is_brief or not is_news:
            return
        self._told = (refusal.reason, until)
        if refusal.seconds < _SAME_MOMENT:
            self._logger.info("waiting: %s", refusal.reason)
            return
        self.waited += refusal.seconds
        self._logger.info(
            "waiting %s, until %s UTC: %s",
            timedelta(seconds=round(refusal.seconds)),
            datetime.fromtimestamp(until, timezone.utc).strftime("%H:%M:%S"),
            refusal.reason,
        )

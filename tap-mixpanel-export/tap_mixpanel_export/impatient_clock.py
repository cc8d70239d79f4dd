"""A clock for requests that are not worth a long wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_mixpanel_export.errors import TapError

if TYPE_CHECKING:
    from threading import Event

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.deadline import Deadline

_BRIEF = 1.0


class BudgetUsedUpError(TapError):
    """No request may begin soon; the text says why.

    Attributes:
        until: Seconds since the epoch when one may.
    """

    def __init__(self, message: str, until: float) -> None:
        super().__init__(message)
        self.until = until


class ImpatientClock:
    """Waits for the budget for some seconds in all, and refuses every wait that takes longer."""

    def __init__(self, clock: Clock, patience: float, deadline: Deadline | None = None) -> None:
        """Create the clock.

        Args:
            clock: Tells the time and does the waiting.
            patience: Seconds of all waits together.
            deadline: No wait passes it.
        """
        self._clock = clock
        self._left = patience
        self._deadline = deadline

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return self._clock.now()

    def wait(self, seconds: float, ended: Event) -> None:
        """Wait for ``seconds``, or until the event is set.

        Raises:
            BudgetUsedUpError: That would take longer than the patience lasts.
        """
        left = self._left if self._deadline is None else min(self._left, self._deadline.left())
        if seconds > left:
            reason = "requests of other runs are under way (max_concurrent_requests)"
            if seconds > _BRIEF:
                reason = "all requests of this hour are used up on this machine"
            raise BudgetUsedUpError(reason, self.now() + seconds)
        self._left -= seconds
        self._clock.wait(seconds, ended)

"""How much one request asks for: it learns from the answers.

Mixpanel's own sample script aims at one to two million events a request
(``exporting_varied_length_date_ranges`` in https://github.com/mixpanel/mixpanel-utils).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_mixpanel_export.sweep import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable

AIMED_EVENTS = 1_000_000
TOO_MANY_EVENTS = 2 * AIMED_EVENTS
TOO_MANY_BYTES = 1 << 30

_LARGEST_SHRINK = 20
_MOST_SLICES = 64
_LARGEST_GROWTH = 4


class WindowSize:
    """How much the next request asks for: what brings about ``AIMED_EVENTS``, or fewer.

    Attributes:
        days: Days of a window.
        slices: Parts of a day, if a day alone is too large.
        is_settled: Whether the size has stopped growing fast.
    """

    def __init__(self, days: int, most_days: int) -> None:
        self._most_days = most_days
        self._cap = most_days
        self._aim = AIMED_EVENTS
        self.days = min(days, most_days)
        self.slices = 1
        self.is_settled = False

    def resume(self, pace: Pace) -> None:
        """Go on as an earlier run would have."""
        self._aim = self._bounded(pace.aim)
        self._cap = min(pace.most_days, self._most_days)
        self.days = min(pace.days, self._most_days)
        self.slices = min(pace.slices, _MOST_SLICES)
        self.is_settled = pace.is_settled

    def pace(self, ahead: Iterable[int]) -> Pace:
        """Write down how to go on after windows of so many days that are planned already."""
        return Pace(
            tuple(ahead), self.days, self._cap, self._aim, self.slices, is_settled=self.is_settled
        )

    def observe(self, days: int, answers: list[int], *, was_cut: bool) -> None:
        """Learn from the answers to a window.

        Args:
            days: How many days it was about.
            answers: How many events each of its answers had, of all arrivals.
            was_cut: Whether they came in parts because an answer with events in it was too large.
        """
        events, largest = max(sum(answers), 1), max(answers)
        # Where Mixpanel ends answers earlier, what it did answer is what to aim at.
        grown = max(self._aim + self._aim // 4, largest)
        self._aim = self._bounded(largest if was_cut else grown)
        if days >= self._cap:
            self._cap = min(self._cap + 1, self._most_days)
        wanted = self._aim * days // events
        self.days = max(1, min(wanted, days * _LARGEST_GROWTH, self._cap))
        most = TOO_MANY_EVENTS if self._aim == AIMED_EVENTS else self._aim
        is_too_large = days == 1 and events > most
        self.slices = min(-(-events // self._aim), _MOST_SLICES) if is_too_large else 1
        self.is_settled = self.days < 2 * days or self.days == self._cap

    def shrink(self, days: int) -> None:
        """Learn from a window of so many days that had to be cut; from there it grows slowly."""
        self._cap = max(1, min(self._cap, days // 2))
        self.days = min(self.days, self._cap)
        self.is_settled = True

    def _bounded(self, aim: int) -> int:
        return min(max(aim, AIMED_EVENTS // _LARGEST_SHRINK, 1), AIMED_EVENTS)

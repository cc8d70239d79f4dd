"""Which windows a sweep asks for, in order, and how a window is cut smaller."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_mixpanel_export import sweep
from tap_mixpanel_export.instants import day_of, end_of, instant_text, start_of
from tap_mixpanel_export.windows import DAY, Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from zoneinfo import ZoneInfo

    from tap_mixpanel_export.sweep import ArrivalFilter, Bookmark
    from tap_mixpanel_export.window_size import WindowSize

MOST_CUTS = 20
"""By time alone from two years to a minute; what fails then has other reasons, and is tried again
with patience."""

Place = tuple["date", int]

_SHORTEST_SLICE_MS = 60_000
_HOUR_MS = 3_600_000
_ZONES_APART_MS = 26 * _HOUR_MS
_ARRIVAL = 'properties["mp_processing_time_ms"]'


@dataclass(frozen=True)
class PlannedWindow:
    """One request of a sweep.

    Attributes:
        days: The project days asked for.
        arrivals: What the sweep takes of them; checked again on each event.
        was_exported: Whether the days were exported before, so that only late arrivals are due.
        by_arrival: Whether Mixpanel is asked to answer with these arrivals only.
        is_slice: Whether it is a part of a single day.
        completes: Whether nothing more of its days follows.
        cuts: How often its day was cut to become what it is.
        limit: Most events that Mixpanel is to answer with, for a sample; it chooses which.
    """

    days: Window
    arrivals: ArrivalFilter
    was_exported: bool
    by_arrival: bool = False
    is_slice: bool = False
    completes: bool = True
    cuts: int = 0
    limit: int | None = None

    def __str__(self) -> str:
        if self.is_slice:
            return f"{self.days} (arrivals until {instant_text(self.arrivals.arrived_until)})"
        return f"{self.days} (new arrivals)" if self.was_exported else str(self.days)

    @property
    def place(self) -> Place:
        """Its place in the sweep: comparable, smaller for what comes out earlier."""
        return self.days.first_day, self.arrivals.arrived_after or 0

    @property
    def is_one_day(self) -> bool:
        """Whether it cannot be cut by days."""
        return self.days.first_day == self.days.last_day

    @property
    def follows_a_slice(self) -> bool:
        """Whether another part of its day comes out before it."""
        return self.is_slice and self.arrivals.arrived_after is not None

    def expression(self) -> str:
        """Its arrivals as a segmentation expression.

        A comparison with a property that an event lacks does not hold
        (https://developer.mixpanel.com/reference/segmentation-expressions), so events without an
        arrival stamp are asked for by name.
        """
        until = f"{_ARRIVAL} <= {self.arrivals.arrived_until}"
        if self.arrivals.arrived_after is None:
            return f"(not defined({_ARRIVAL})) or {until}"
        return f"{_ARRIVAL} > {self.arrivals.arrived_after} and {until}"

    def halves(
        self, zone: ZoneInfo, cut_after: int | None = None
    ) -> tuple[PlannedWindow, ...] | None:
        """Cut it in two, by days or, a single day, by arrival.

        Args:
            zone: Zone of the project's days.
            cut_after: An arrival (UTC milliseconds) that would make good parts of a day.

        Returns:
            The two parts in order, or None if it cannot be cut, as a sample.
        """
        if self.limit is not None:
            return None
        if not self.is_one_day:
            first_day, last_day = self.days.first_day, self.days.last_day
            middle = first_day + (last_day - first_day) // 2
            return (
                replace(self, days=Window(first_day, middle)),
                replace(self, days=Window(middle + DAY, last_day)),
            )
        moment = self._middle(zone, cut_after)
        if moment is None:
            return None
        first, second = self._cut_at(moment)
        # Known arrivals promise that the first part is smaller, so that no end of cuts is near.
        return (first, replace(second, cuts=self.cuts)) if cut_after else (first, second)

    def slices(self, count: int, zone: ZoneInfo) -> tuple[PlannedWindow, ...]:
        """Cut a single day into so many parts by arrival, fewer if they would be too short.

        Most events arrive while their day lasts, so that is what is cut into equal parts.
        """
        lower, upper = self._day_of_arrivals(zone)
        count = min(count, (upper - lower) // _SHORTEST_SLICE_MS)
        if count <= 1:
            return (self,)
        return self._cut_at(*(lower + (upper - lower) * n // count for n in range(1, count)))

    def _cut_at(self, *moments: int) -> tuple[PlannedWindow, ...]:
        """Cut it after some arrivals; events without a stamp stay in the first part."""
        bounds = (self.arrivals.arrived_after, *moments, self.arrivals.arrived_until)
        parts = [
            replace(
                self,
                arrivals=replace(self.arrivals, arrived_after=after, arrived_until=until),
                by_arrival=True,
                is_slice=True,
                completes=False,
                cuts=self.cuts + 1,
            )
            for after, until in pairwise(bounds)
            if until is not None
        ]
        return (*parts[:-1], replace(parts[-1], completes=self.completes))

    def _middle(self, zone: ZoneInfo, known: int | None) -> int | None:
        after, until = self.arrivals.arrived_after, self.arrivals.arrived_until
        # project_timezone may not be the project's zone, where the day began earlier then.
        began = start_of(self.days.first_day, zone) - _ZONES_APART_MS
        lower = began if after is None else after
        if until - lower < 2 * _SHORTEST_SLICE_MS or self.cuts >= MOST_CUTS:
            return None
        if known is not None and (after is None or after < known) and known <= until:
            # Imported events arrive in bursts, which no cut by time alone would find soon.
            return min(known, until - 1)
        _, upper = self._day_of_arrivals(zone)
        is_followed_by_more = after is not None and upper < until
        return upper if is_followed_by_more else (lower + upper) // 2

    def _day_of_arrivals(self, zone: ZoneInfo) -> tuple[int, int]:
        """When most of its events arrive: while the day lasts, or after that at any time."""
        after, until = self.arrivals.arrived_after, self.arrivals.arrived_until
        lower = start_of(self.days.first_day, zone) if after is None else after
        ends = end_of(self.days.last_day, zone) + _HOUR_MS
        return min(lower, until), min(until, ends) if lower < ends else until


class SweepPlan:
    """The windows of an open sweep, planned ahead of what is done."""

    def __init__(
        self, bookmark: Bookmark, size: WindowSize, *, late_days: int | None, zone: ZoneInfo
    ) -> None:
        """Begin where the bookmark is.

        Args:
            bookmark: What is done; a sweep is open.
            size: How much one window asks for.
            late_days: Most days of a window of late arrivals that Mixpanel selects; None if it
                is not to select them.
            zone: Zone of the project's days.
        """
        self._planned = bookmark
        self._size = size
        self._late_days = late_days
        self._zone = zone
        self._slices: deque[PlannedWindow] = deque()
        self._ahead = deque(bookmark.pace.ahead if bookmark.pace else ())

    def next(self) -> PlannedWindow | None:
        """Return the next window, or None if the sweep is planned to its end."""
        if not self._slices:
            self._slices.extend(self._windows())
        return self._slices.popleft() if self._slices else None

    def _windows(self) -> Iterator[PlannedWindow]:
        days = self._next_days()
        if days is None:
            return
        bookmark, size = self._planned, self._size
        was_exported = sweep.was_exported(bookmark, days)
        window = PlannedWindow(
            days,
            sweep.arrival_filter(bookmark, days),
            was_exported=was_exported,
            by_arrival=was_exported and self._late_days is not None,
        )
        recent_day = self._recent_day()
        self._planned = sweep.complete_window(bookmark, days, self._zone)
        is_full_day = not was_exported or (recent_day is not None and days.first_day >= recent_day)
        if size.slices > 1 and window.is_one_day and is_full_day:
            yield from window.slices(size.slices, self._zone)
        else:
            yield window

    def _next_days(self) -> Window | None:
        size = late_size = self._ahead.popleft() if self._ahead else 0
        if not size:
            size, late_size = self._size.days, self._late_days or self._size.days
        return sweep.next_window(
            self._planned, size=size, late_size=late_size, apart_from=self._recent_day()
        )

    def _recent_day(self) -> date | None:
        """The first day that may bring more than late arrivals, if a day is too much at once."""
        open_sweep = self._planned.sweep
        if open_sweep is None or open_sweep.arrived_after is None or self._size.slices == 1:
            return None
        return day_of(open_sweep.arrived_after, self._zone)

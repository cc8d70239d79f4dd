"""Sweeps: which days a run asks for, and which arrivals it takes. Pure state, no I/O.

A sweep is one pass over project days for one arrival interval (W, T]. A day that was never
exported gives every event that arrived up to T, and those without an arrival stamp; a day that
was exported gives only what arrived in (W, T]. So each arrival comes out once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tap_mixpanel_export.instants import day_of, end_of, start_of
from tap_mixpanel_export.windows import DAY, Window, first_window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class OpenSweep:
    """A sweep that has begun and not ended.

    Attributes:
        arrived_after: W in UTC milliseconds, None if no sweep ended before.
        arrived_until: T in UTC milliseconds.
        days: All its project days.
        next_day: The first of them that is not finished.
    """

    arrived_after: int | None
    arrived_until: int
    days: Window
    next_day: date


@dataclass(frozen=True)
class Bookmark:
    """What all runs so far have done.

    Attributes:
        value: The stream's bookmark in UTC milliseconds; never past the end of the last
            complete window, never past T, never going back.
        arrived_until: T of the last sweep that ended, None before the first.
        exported: Days whose first export is complete.
        sweep: The sweep under way.
    """

    value: int | None = None
    arrived_until: int | None = None
    exported: Window | None = None
    sweep: OpenSweep | None = None


@dataclass(frozen=True)
class SweepRules:
    """What the settings say about sweeps.

    Attributes:
        zone: Zone of the project's days.
        start_day: First day to export.
        end_day: Last day to export, None for today.
        lookback_days: Days before the bookmark that are searched for late arrivals.
        settle_ms: Arrivals younger than this stay for the next sweep.
    """

    zone: ZoneInfo
    start_day: date
    end_day: date | None
    lookback_days: int
    settle_ms: int


@dataclass(frozen=True)
class ArrivalFilter:
    """Which events of a window belong to the sweep."""

    arrived_after: int | None
    arrived_until: int

    def takes(self, arrival_ms: int | None) -> bool:
        """Whether an event with this arrival (UTC milliseconds or None) comes out now."""
        if arrival_ms is None:
            return self.arrived_after is None
        after = self.arrived_after
        return arrival_ms <= self.arrived_until and (after is None or arrival_ms > after)

    def defers(self, arrival_ms: int | None) -> bool:
        """Whether an event stays for the next sweep."""
        return arrival_ms is not None and arrival_ms > self.arrived_until


def open_sweep(bookmark: Bookmark, rules: SweepRules, now_ms: int) -> Bookmark | None:
    """Begin the next sweep.

    Returns:
        The bookmark with the sweep in it, or None if there is nothing to ask for yet: no new
        arrival can have settled, or no day lies between the first and the last to export.
    """
    until = now_ms - rules.settle_ms
    if bookmark.arrived_until is not None and until <= bookmark.arrived_until:
        return None
    first_day = _first_day(bookmark, rules)
    last_day = day_of(now_ms, rules.zone)
    if rules.end_day is not None:
        last_day = min(last_day, rules.end_day)
    if last_day < first_day:
        return None
    value = bookmark.value
    if value is None:
        value = min(start_of(first_day, rules.zone), until)
    days = Window(first_day, last_day)
    sweep = OpenSweep(bookmark.arrived_until, until, days, next_day=first_day)
    return replace(bookmark, value=value, sweep=sweep)


def _first_day(bookmark: Bookmark, rules: SweepRules) -> date:
    exported = bookmark.exported
    if exported is None or bookmark.value is None:
        return rules.start_day
    looking_back = day_of(bookmark.value, rules.zone) - timedelta(days=rules.lookback_days)
    first_day = max(looking_back, exported.first_day)
    return max(rules.start_day, min(first_day, exported.last_day + DAY))


def days_left_out(bookmark: Bookmark, rules: SweepRules) -> Window | None:
    """Return the days that an earlier ``start_date`` asks for and no sweep will bring."""
    exported = bookmark.exported
    if exported is None or rules.start_day >= exported.first_day:
        return None
    return Window(rules.start_day, exported.first_day - DAY)


def next_window(bookmark: Bookmark, *, size: int) -> Window | None:
    """Return the next days of the open sweep, up to ``size`` of them.

    A window never mixes days that were exported before with days that were not.
    """
    sweep = bookmark.sweep
    if sweep is None:
        return None
    window = first_window(Window(sweep.next_day, sweep.days.last_day), size=size)
    exported = bookmark.exported
    if exported is not None and sweep.next_day <= exported.last_day:
        return Window(window.first_day, min(window.last_day, exported.last_day))
    return window


def was_exported(bookmark: Bookmark, window: Window) -> bool:
    """Whether the days of a window that ``next_window`` gave were exported before."""
    return bookmark.exported is not None and window.first_day in bookmark.exported


def arrival_filter(bookmark: Bookmark, window: Window) -> ArrivalFilter:
    """Return what the open sweep takes of a window that ``next_window`` gave."""
    sweep = _open(bookmark)
    after = sweep.arrived_after if was_exported(bookmark, window) else None
    return ArrivalFilter(after, sweep.arrived_until)


def complete_window(bookmark: Bookmark, window: Window, zone: ZoneInfo) -> Bookmark:
    """Record that a window came out whole; the last one closes the sweep."""
    sweep = _open(bookmark)
    exported = _with_window(bookmark.exported, window)
    reached = min(end_of(window.last_day, zone), sweep.arrived_until)
    value = reached if bookmark.value is None else max(bookmark.value, reached)
    moved = replace(bookmark, value=value, exported=exported)
    return _with_next_day(moved, sweep, window.last_day + DAY)


def drop_last_day(bookmark: Bookmark) -> Bookmark:
    """Take the last day out of the open sweep; it closes if no day is left.

    The day must not have been exported before: what arrived on it would never come out.
    """
    sweep = _open(bookmark)
    last_day = sweep.days.last_day - DAY
    if last_day < sweep.next_day:
        return _closed(bookmark, sweep)
    days = replace(sweep.days, last_day=last_day)
    return replace(bookmark, sweep=replace(sweep, days=days))


def _with_window(exported: Window | None, window: Window) -> Window:
    if exported is None or window.first_day > exported.last_day + DAY:
        return window  # a later start_date left a gap; the days before it are given up
    return replace(exported, last_day=max(exported.last_day, window.last_day))


def _open(bookmark: Bookmark) -> OpenSweep:
    if bookmark.sweep is None:
        raise ValueError("no sweep is open")
    return bookmark.sweep


def _with_next_day(bookmark: Bookmark, sweep: OpenSweep, next_day: date) -> Bookmark:
    if next_day > sweep.days.last_day:
        return _closed(bookmark, sweep)
    return replace(bookmark, sweep=replace(sweep, next_day=next_day))


def _closed(bookmark: Bookmark, sweep: OpenSweep) -> Bookmark:
    return replace(bookmark, arrived_until=sweep.arrived_until, sweep=None)

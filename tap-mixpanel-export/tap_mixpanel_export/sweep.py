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
class Pace:
    """How a run goes on asking, so that one that resumes it asks for the same windows.

    Who loads the records up to a STATE, and is killed before it could pass that STATE on, finds
    them loaded only if the next run comes to the same STATE again.

    Attributes:
        ahead: Days of each of the next windows, as far as they are planned already.
        days: Days of a window after these.
        most_days: More days at once have failed.
        aim: Events that a window should have.
        slices: Parts that a single day is asked for in.
        is_settled: Whether the size has stopped growing.
    """

    ahead: tuple[int, ...]
    days: int
    most_days: int
    aim: int
    slices: int
    is_settled: bool


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
        selection: What tells the settings ``events`` and ``where`` of the last run from others.
        project_id: The project, None if it was not told.
        pace: What was learned about windows, and which ones follow.
    """

    value: int | None = None
    arrived_until: int | None = None
    exported: Window | None = None
    sweep: OpenSweep | None = None
    selection: str | None = None
    project_id: str | None = None
    pace: Pace | None = None


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
    end = _last_day(bookmark, rules, now_ms)
    if end < first_day:
        return None
    value = bookmark.value
    if value is None:
        value = min(start_of(first_day, rules.zone), until)
    days = Window(first_day, end)
    sweep = OpenSweep(bookmark.arrived_until, until, days, next_day=first_day)
    return replace(bookmark, value=value, sweep=sweep)


def _first_day(bookmark: Bookmark, rules: SweepRules) -> date:
    exported = bookmark.exported
    if exported is None or bookmark.value is None:
        return rules.start_day
    first_day = max(_looking_back(bookmark.value, rules), exported.first_day)
    return max(rules.start_day, min(first_day, exported.last_day + DAY))


def _looking_back(value_ms: int, rules: SweepRules) -> date:
    return day_of(value_ms, rules.zone) - timedelta(days=rules.lookback_days)


def _last_day(bookmark: Bookmark, rules: SweepRules, now_ms: int) -> date:
    """Return the last day of a sweep, which reaches all days that were exported before.

    Once it is closed, the late arrivals of a day it did not reach would never come out.
    """
    end = day_of(now_ms, rules.zone)
    if rules.end_day is not None:
        end = min(end, rules.end_day)
    return end if bookmark.exported is None else max(end, bookmark.exported.last_day)


def days_after_end(bookmark: Bookmark, rules: SweepRules) -> Window | None:
    """Return the days after ``end_date`` whose late arrivals come out all the same."""
    exported, end_day = bookmark.exported, rules.end_day
    if exported is None or end_day is None or exported.last_day <= end_day:
        return None
    return Window(end_day + DAY, exported.last_day)


def days_of_other_settings(bookmark: Bookmark, rules: SweepRules) -> Window | None:
    """Return the days of an open sweep that ``start_date`` or ``end_date`` leave out by now."""
    if bookmark.sweep is None:
        return None
    rest = Window(bookmark.sweep.next_day, bookmark.sweep.days.last_day)
    is_cut = rules.end_day is not None and rules.end_day < rest.last_day
    return rest if is_cut or rules.start_day > rest.first_day else None


def days_not_searched(bookmark: Bookmark, rules: SweepRules) -> Window | None:
    """Return the days within the lookback that a later ``start_date`` keeps from being searched."""
    exported, sweep = bookmark.exported, bookmark.sweep
    if exported is None or bookmark.value is None or sweep is not None:
        return None
    first_day = max(_looking_back(bookmark.value, rules), exported.first_day)
    last_day = min(rules.start_day - DAY, exported.last_day)
    return Window(first_day, last_day) if first_day <= last_day else None


def days_left_out(bookmark: Bookmark, rules: SweepRules) -> Window | None:
    """Return the days that an earlier ``start_date`` asks for and no sweep will bring.

    Before any day was exported, the open sweep says which will be the first.
    """
    begun = bookmark.exported
    if begun is None and bookmark.sweep is not None:
        begun = bookmark.sweep.days
    if begun is None or rules.start_day >= begun.first_day:
        return None
    return Window(rules.start_day, begun.first_day - DAY)


def next_window(
    bookmark: Bookmark, *, size: int, late_size: int, apart_from: date | None = None
) -> Window | None:
    """Return the next days of the open sweep.

    A window never mixes days that were exported before with days that were not.

    Args:
        bookmark: What is done.
        size: Most days of a window, where they were never exported.
        late_size: Most days, where they were, and only late arrivals are due.
        apart_from: An exported day that no window mixes with days before it.
    """
    sweep = bookmark.sweep
    if sweep is None:
        return None
    days = Window(sweep.next_day, sweep.days.last_day)
    exported = bookmark.exported
    if exported is None or days.first_day > exported.last_day:
        return first_window(days, size=size)
    last_day = min(days.last_day, exported.last_day)
    if apart_from is not None and days.first_day < apart_from <= last_day:
        last_day = apart_from - DAY
    return first_window(Window(days.first_day, last_day), size=late_size)


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


def last_day(bookmark: Bookmark) -> date:
    """Return the last day of the open sweep."""
    return _open(bookmark).days.last_day


def drop_last_day(bookmark: Bookmark) -> Bookmark:
    """Take the last day out of the open sweep; it closes if no day is left.

    The day must not have been exported before: what arrived on it would never come out.
    """
    sweep = _open(bookmark)
    new_last_day = sweep.days.last_day - DAY
    if new_last_day < sweep.next_day:
        return _closed(bookmark, sweep)
    days = replace(sweep.days, last_day=new_last_day)
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

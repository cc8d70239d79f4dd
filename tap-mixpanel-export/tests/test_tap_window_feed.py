"""Downloads ahead of the window that is being emitted: order, bounds, cuts and ends."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from tap_mixpanel_export.errors import (
    ExportRefusedError,
    RetriesExhaustedError,
    RunEndedError,
    WindowTooLargeError,
)
from tap_mixpanel_export.instants import end_of, start_of
from tap_mixpanel_export.sweep import Bookmark, OpenSweep
from tap_mixpanel_export.window_download import SpooledWindow
from tap_mixpanel_export.window_feed import WindowFeed
from tap_mixpanel_export.window_plan import MOST_CUTS, SweepPlan
from tap_mixpanel_export.window_size import WindowSize
from tap_mixpanel_export.windows import Window

UTC = ZoneInfo("UTC")
FIRST = date(2024, 3, 1)
PATIENCE = 30  # seconds, for what is bound to happen


class Downloads:
    """Stands for the downloader: makes a file for each window, or does what it is told.

    Attributes:
        asked: The windows in the order in which they were begun.
        peak: Most files and downloads at the same time.
    """

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        self.peak = 0
        self.before = lambda _window, _ended: None
        self._under_way = 0
        self._lock = threading.Lock()

    def __call__(self, window, ended):
        with self._lock:
            self.asked.append(window)
            self._under_way += 1
            self.peak = max(self.peak, self._under_way + len(self.files()))
        try:
            self.before(window, ended)
        except BaseException:
            with self._lock:
                self._under_way -= 1
            raise
        with self._lock:
            self._under_way -= 1
            path = self.folder / f"{len(self.asked)}-{window.place}.spool"
            path.touch(exist_ok=False)
        return SpooledWindow(path, events=10, invalid_lines=0, received_bytes=1, seconds=0.0)

    def files(self):
        return list(self.folder.iterdir())

    def join(self):
        for thread in threading.enumerate():
            if thread.name.startswith("window "):
                thread.join(PATIENCE)


@pytest.fixture
def downloads(tmp_path):
    return Downloads(tmp_path)


@pytest.fixture
def feed_of(downloads, logger):
    """A function that makes a feed of a sweep of so many days."""

    def feed_of(days, *, at_once=3, window_days=1, most_days=1, until=None):
        window = Window(FIRST, FIRST + timedelta(days=days - 1))
        until = until or end_of(window.last_day, UTC)
        opened = OpenSweep(None, until, window, FIRST)
        size = WindowSize(window_days, most_days)
        size.is_settled = window_days == most_days
        plan = SweepPlan(Bookmark(start_of(FIRST, UTC), sweep=opened), size, late_days=1, zone=UTC)
        return WindowFeed(plan, size, downloads, at_once=at_once, zone=UTC, logger=logger)

    return feed_of


def emitted(feed, downloads=None):
    """All windows of the feed; each file is there until the next one is asked for."""
    windows = []
    while answer := feed.next():
        window, spooled = answer
        with spooled:
            assert spooled.path.exists()
            windows.append(window)
            if downloads is not None:
                downloads.peak = max(downloads.peak, len(downloads.files()))
    return windows


def days_of(windows):
    return [
        window.days.first_day + timedelta(days=n)
        for window in windows
        for n in range(window.days.count)
    ]


def days_from_first(count):
    return [FIRST + timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 10])
def test_windows_come_in_order_and_within_the_bound(feed_of, downloads, at_once):
    with feed_of(8, at_once=at_once) as feed:
        windows = emitted(feed, downloads)
        assert feed.next() is None
    assert days_of(windows) == days_from_first(8)
    assert len(downloads.asked) == 8
    assert downloads.peak <= at_once + 1  # the one that is being emitted
    assert downloads.files() == []


def test_windows_come_in_order_though_they_end_the_other_way_round(feed_of, downloads):
    ends = {day: threading.Event() for day in days_from_first(6)}
    finished = []

    def wait_for_the_next(window, _ended):
        day = window.days.first_day
        if day.day % 3:  # the third of each three waits for none
            assert ends[day + timedelta(days=1)].wait(PATIENCE)
        finished.append(day.day)
        ends[day].set()

    downloads.before = wait_for_the_next
    with feed_of(6, at_once=3) as feed:
        windows = emitted(feed)
    assert days_of(windows) == days_from_first(6)
    assert finished[:3] == [3, 2, 1]


def test_while_windows_grow_only_one_is_asked_for_ahead(feed_of, downloads):
    with feed_of(60, at_once=4, window_days=1, most_days=30) as feed:
        ahead = []
        for _ in range(3):
            window, spooled = feed.next()
            with spooled:
                ahead.append((window.days.count, len(feed._ahead)))
        rest = emitted(feed, downloads)
    assert ahead[:2] == [(1, 1), (4, 1)]
    assert ahead[2] == (16, 2)  # as large as allowed from now on
    assert [window.days.count for window in rest] == [30, 9]


def too_large(most_days, shortest_ms=0):
    """Refuse windows of more days, and parts of a day that are longer."""

    def judge(window, _ended):
        after = window.arrivals.arrived_after
        length = window.arrivals.arrived_until - (start_of(FIRST, UTC) if after is None else after)
        if window.days.count > most_days or (shortest_ms and length > shortest_ms):
            raise WindowTooLargeError(f"{window} is too large")

    return judge


@pytest.mark.parametrize("at_once", [1, 2, 4])
@pytest.mark.parametrize("most_days", [1, 2, 3])
def test_cut_windows_come_in_order_and_within_the_bound(feed_of, downloads, at_once, most_days):
    downloads.before = too_large(most_days)
    with feed_of(40, at_once=at_once, window_days=16, most_days=16) as feed:
        windows = emitted(feed, downloads)
    assert days_of(windows) == days_from_first(40)
    assert max(window.days.count for window in windows) <= most_days
    assert all(window.completes for window in windows)
    assert downloads.peak <= at_once + 1
    assert downloads.files() == []


@pytest.mark.parametrize("at_once", [1, 4])
def test_the_slices_of_a_day_come_in_order_and_the_last_one_completes_it(
    feed_of, downloads, at_once
):
    hours = 3 * 3_600_000
    downloads.before = too_large(1, shortest_ms=hours)
    with feed_of(1, at_once=at_once) as feed:
        windows = emitted(feed, downloads)
    bounds = [window.arrivals for window in windows]
    assert bounds[0].arrived_after is None
    assert bounds[-1].arrived_until == end_of(FIRST, UTC)
    for before, after in pairwise(bounds):
        assert before.arrived_until == after.arrived_after
    assert [window.completes for window in windows] == [False] * (len(windows) - 1) + [True]
    assert downloads.peak <= at_once + 1


def test_a_failing_window_takes_none_before_it_away(feed_of, downloads):
    failed = threading.Event()

    def fail_third(window, _ended):
        if window.days.first_day.day == 3:
            failed.set()
            raise ExportRefusedError("no")
        assert failed.wait(PATIENCE)

    downloads.before = fail_third
    with feed_of(9, at_once=3) as feed:
        for number in (1, 2):
            window, spooled = feed.next()
            with spooled:
                assert window.days.first_day.day == number
        with pytest.raises(ExportRefusedError, match="no"):
            feed.next()
    downloads.join()
    assert downloads.files() == []


def test_closing_ends_what_is_on_its_way_and_discards_what_has_come(feed_of, downloads):
    second_came, third_began = threading.Event(), threading.Event()
    outcomes = []

    def work(window, ended):
        if window.days.first_day.day == 3:
            third_began.set()
            outcomes.append(ended.wait(PATIENCE))
            raise RunEndedError
        if window.days.first_day.day == 2:
            second_came.set()

    downloads.before = work
    with feed_of(9, at_once=3) as feed:
        _, spooled = feed.next()
        with spooled:
            assert second_came.wait(PATIENCE)
            assert third_began.wait(PATIENCE)
    downloads.join()
    assert outcomes == [True]
    assert downloads.files() == []
    assert len(downloads.asked) == 4


def test_what_comes_after_closing_is_discarded(feed_of, downloads):
    closed = threading.Event()

    def come_late(window, _ended):
        if window.days.first_day.day == 2:
            assert closed.wait(PATIENCE)

    downloads.before = come_late
    with feed_of(2, at_once=2) as feed, feed.next()[1]:
        pass
    closed.set()
    downloads.join()
    assert len(downloads.asked) == 2
    assert downloads.files() == []


def test_cutting_without_end_ends_the_run(feed_of, downloads):
    downloads.before = too_large(0)
    words = "is too large; .* smaller requests did not help"
    with (
        feed_of(30, at_once=1, window_days=30, most_days=30) as feed,
        pytest.raises(RetriesExhaustedError, match=words),
    ):
        feed.next()
    assert len(downloads.asked) <= MOST_CUTS + 1
    assert downloads.files() == []


def test_what_cannot_be_cut_ends_the_run(feed_of, downloads):
    downloads.before = too_large(0)
    earliest = start_of(FIRST, UTC) - 48 * 3_600_000
    with feed_of(1, until=earliest) as feed, pytest.raises(RetriesExhaustedError):
        feed.next()
    assert len(downloads.asked) == 1


def test_cuts_between_windows_that_come_are_not_counted_together(feed_of, downloads):
    downloads.before = too_large(1)
    with feed_of(64, at_once=1, window_days=32, most_days=32) as feed:
        windows = emitted(feed)
    assert len(windows) == 64
    assert len(downloads.asked) - 64 > MOST_CUTS


def test_windows_after_a_cut_are_smaller(feed_of, downloads):
    downloads.before = too_large(8)
    with feed_of(64, at_once=1, window_days=16, most_days=16) as feed:
        window, spooled = feed.next()
        with spooled:
            assert window.days.count == 8
            assert feed._size.days < 16
        emitted(feed)
    assert len(downloads.asked) <= 2 * 8

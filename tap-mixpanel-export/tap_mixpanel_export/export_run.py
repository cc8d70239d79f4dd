"""One run: sweep after sweep, window after window, with a checkpoint after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import Self

from tap_mixpanel_export import changed_settings, sweep
from tap_mixpanel_export.client import ExportClient
from tap_mixpanel_export.duplicates import SeenKeys
from tap_mixpanel_export.errors import DayNotStartedError, ExportRefusedError
from tap_mixpanel_export.framing.helper_pool import FramingHelpers
from tap_mixpanel_export.instants import day_of, instant_text
from tap_mixpanel_export.quarantine import Quarantine, WindowQuarantine
from tap_mixpanel_export.record_spool import RecordBlock, SpooledBlock
from tap_mixpanel_export.request_ledger import BudgetLimits, RequestLedger
from tap_mixpanel_export.request_queue import RequestQueue
from tap_mixpanel_export.run_report import Counts, RunReport
from tap_mixpanel_export.skew_check import SkewCheck
from tap_mixpanel_export.spool import SpoolDirectory
from tap_mixpanel_export.sweep import Bookmark
from tap_mixpanel_export.window_download import SpooledWindow, WindowDownloader
from tap_mixpanel_export.window_feed import WindowFeed
from tap_mixpanel_export.window_plan import PlannedWindow, SweepPlan
from tap_mixpanel_export.window_size import TOO_MANY_BYTES, TOO_MANY_EVENTS, WindowSize
from tap_mixpanel_export.windows import DAY

if TYPE_CHECKING:
    import logging
    from types import TracebackType

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.settings import Settings
    from tap_mixpanel_export.sweep import OpenSweep, Pace

Checkpoint = Callable[[Bookmark], None]


class ExportRun:
    """Exports everything that is due; use as a context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        policy: RetryPolicy,
        clock: Clock,
        logger: logging.Logger,
        makes_dicts: bool = True,
    ) -> None:
        """Prepare a run; nothing is asked for yet.

        Args:
            settings: The tap's settings.
            policy: How patient to be.
            clock: What is taken for now.
            logger: Gets the run's lines.
            makes_dicts: Whether records are read from what comes out, and not only written.
        """
        self._settings = settings
        self._clock = clock
        self._logger = logger
        self._stack = ExitStack()
        at_once = settings.max_concurrent_requests
        ledger = RequestLedger(
            settings.state_dir,
            settings.budget_owner,
            BudgetLimits(settings.max_requests_per_hour, at_once),
            clock=clock,
            logger=logger,
        )
        self._queue = RequestQueue(ledger, at_once=at_once, clock=clock, logger=logger)
        self._client = ExportClient(settings, self._queue, clock)
        self._spool = self._stack.enter_context(SpoolDirectory(settings.state_dir, logger))
        self._downloader = WindowDownloader(
            self._client,
            self._queue,
            self._spool,
            policy,
            zone=settings.rules.zone,
            clock=clock,
            logger=logger,
            tolerate_invalid_lines=settings.quarantine_invalid_lines,
            event_time=settings.event_time,
            makes_dicts=makes_dicts,
            helpers=self._helpers(settings.workers),
        )
        self._size = WindowSize(settings.window_days, settings.max_window_days)
        self._quarantine = Quarantine(settings.state_dir)
        self._skew_check = SkewCheck(settings.event_time, logger)
        self._report = RunReport(clock, logger)
        logger.info(
            "state_dir is %s; at most %d windows of up to %s events or %d GiB wait there",
            settings.state_dir,
            at_once + 1,
            f"{TOO_MANY_EVENTS:,}",
            TOO_MANY_BYTES >> 30,
        )

    def _helpers(self, workers: int) -> FramingHelpers | None:
        if workers == 1:
            return None
        bodies = self._settings.max_concurrent_requests
        return self._stack.enter_context(FramingHelpers(workers, self._logger, bodies=bodies))

    def __enter__(self) -> Self:
        self._stack.enter_context(self._client)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def blocks(self, bookmark: Bookmark, checkpoint: Checkpoint) -> Iterator[RecordBlock]:
        """Yield the records that are due, many at once.

        Args:
            bookmark: What earlier runs have done.
            checkpoint: Called with the bookmark that is true once everything yielded so far has
                been written: when a sweep opens, before its first record, and after each window.

        Raises:
            TapError: The run cannot go on; the last checkpoint stays true.
        """
        settings = self._settings
        for line in changed_settings.warnings(bookmark, settings):
            self._logger.warning("%s", line)
        bookmark = replace(
            bookmark,
            selection=settings.selection,
            project_id=settings.project_id or bookmark.project_id,
            pace=self._resumed_pace(bookmark),
        )
        if bookmark.sweep is not None:
            self._logger.info("continuing the sweep that an earlier run left open")
            bookmark = yield from self._sweep(bookmark, checkpoint)
        opened = sweep.open_sweep(bookmark, settings.rules, self._now_ms())
        if opened is None:
            self._logger.info("no new arrivals can have settled yet, or no day is left to export")
        else:
            yield from self._sweep(replace(opened, pace=self._size.pace(())), checkpoint)
            self._warn_of_nothing(bookmark)
        self._report.summary(self._client.requests)

    def _resumed_pace(self, bookmark: Bookmark) -> Pace:
        if bookmark.pace is None:
            return self._size.pace(())
        self._size.resume(bookmark.pace)
        most_days = self._settings.max_window_days
        return self._size.pace(min(days, most_days) for days in bookmark.pace.ahead)

    def _sweep(
        self, bookmark: Bookmark, checkpoint: Checkpoint
    ) -> Generator[RecordBlock, None, Bookmark]:
        if bookmark.sweep is not None:
            self._report.sweep(bookmark.sweep)
        checkpoint(bookmark)
        while bookmark.sweep is not None:
            with self._feed(bookmark) as feed:
                bookmark = yield from self._windows(feed, bookmark, checkpoint)
        return bookmark

    def _feed(self, bookmark: Bookmark) -> WindowFeed:
        settings = self._settings
        plan = SweepPlan(
            bookmark,
            self._size,
            late_days=settings.max_window_days if settings.server_selects_late_events else None,
            zone=settings.rules.zone,
        )
        return WindowFeed(
            plan,
            self._size,
            self._downloader.download,
            at_once=settings.max_concurrent_requests,
            zone=settings.rules.zone,
            logger=self._logger,
        )

    def _windows(
        self, feed: WindowFeed, bookmark: Bookmark, checkpoint: Checkpoint
    ) -> Generator[RecordBlock, None, Bookmark]:
        with SeenKeys(self._spool.path) as seen:
            while True:
                try:
                    answer = feed.next()
                except DayNotStartedError as error:
                    bookmark = self._without_last_day(bookmark, error)
                    checkpoint(bookmark)
                    return bookmark
                if answer is None:
                    return bookmark
                window, spooled = answer
                with spooled:
                    after = None if bookmark.sweep is None else bookmark.sweep.arrived_after
                    yield from self._emit(window, spooled, seen, late_until=after)
                if window.completes:
                    seen.clear()
                    bookmark = replace(self._complete(window, bookmark), pace=feed.pace())
                    checkpoint(bookmark)

    def _complete(self, window: PlannedWindow, bookmark: Bookmark) -> Bookmark:
        bookmark = sweep.complete_window(bookmark, window.days, self._settings.rules.zone)
        if bookmark.sweep is not None:
            waits = self._budget_waits(bookmark.sweep)
            self._report.progress(bookmark.sweep, self._queue.waited, waits)
        return bookmark

    def _budget_waits(self, open_sweep: OpenSweep) -> int:
        """How many hours the rest of a sweep has to wait for its budget."""
        days_left = (open_sweep.days.last_day - open_sweep.next_day).days + 1
        requests = -(-days_left * self._size.slices // self._size.days)
        missing = max(0, requests - self._client.requests_left)
        return -(-missing // self._settings.max_requests_per_hour)

    def _emit(
        self,
        window: PlannedWindow,
        spooled: SpooledWindow,
        seen: SeenKeys,
        *,
        late_until: int | None,
    ) -> Iterator[RecordBlock]:
        started = time.monotonic()
        late = instant_text(late_until) if window.was_exported and late_until is not None else ""
        counts = Counts(malformed=spooled.invalid_lines, received_bytes=spooled.received_bytes)
        counts.deferred = spooled.deferred if window.completes else 0
        self._skew_check.take(spooled.distances)
        with self._quarantine.of(window.days) as quarantine:
            for block in spooled.blocks():
                if isinstance(block, SpooledBlock):
                    fresh = block.without(seen)
                    counts.events += fresh.count
                    counts.duplicates += block.count - fresh.count
                    counts.late += fresh.count_until(late) if late else 0
                    yield fresh
                else:
                    for line in block:
                        quarantine.add(line.index, line.reason, line.line)
        self._skew_check.end_window()
        self._report.window(
            window,
            spooled,
            counts,
            seconds=time.monotonic() - started,
            requests_left=self._client.requests_left,
        )
        self._log_quarantine(window, spooled, quarantine)

    def _without_last_day(self, bookmark: Bookmark, error: DayNotStartedError) -> Bookmark:
        """Leave the day that has not begun at Mixpanel to a later sweep.

        Raises:
            ExportRefusedError: The day is too long past for the zones to explain it.
        """
        zone = self._settings.rules.zone
        today = day_of(self._now_ms(), zone)
        last_day = sweep.last_day(bookmark)
        # Zones differ by up to 26 hours, so "today" here may be two days ahead of the project's.
        if last_day < today - DAY:
            raise ExportRefusedError(
                f"{error}, though it is {today} in {zone.key}; check project_timezone and this "
                "machine's clock"
            )
        self._logger.info(
            "%s has not begun in the project's zone (project_timezone is %s): the sweep ends "
            "with the day before",
            last_day,
            zone.key,
        )
        return sweep.drop_last_day(bookmark)

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)

    def _warn_of_nothing(self, before: Bookmark) -> None:
        """Tell what to look at if a whole first sweep has brought nothing."""
        counts = self._report.counts
        if before.exported is None and not counts.events and not counts.deferred:
            self._logger.warning(
                "not a single event came out of any day: if the project has some, check "
                "project_id, region, events, where and start_date"
            )

    def _log_quarantine(
        self, window: PlannedWindow, spooled: SpooledWindow, quarantine: WindowQuarantine
    ) -> None:
        if spooled.invalid_lines:
            self._logger.warning(
                "window %s: %d malformed lines, %d of them added to %s (the others are equal to "
                "lines it holds)",
                window,
                spooled.invalid_lines,
                quarantine.added,
                quarantine.path,
            )

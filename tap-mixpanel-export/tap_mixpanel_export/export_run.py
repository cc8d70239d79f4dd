"""One run: sweep after sweep, window after window, with a checkpoint after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import Self

from tap_mixpanel_export import sweep
from tap_mixpanel_export.client import ExportClient
from tap_mixpanel_export.errors import DayNotStartedError, ExportRefusedError
from tap_mixpanel_export.event import Event, InvalidLineError, Record, build_record, parse_event
from tap_mixpanel_export.instants import day_of, instant_text
from tap_mixpanel_export.quarantine import Quarantine, WindowQuarantine
from tap_mixpanel_export.request_budget import InProcessBudget
from tap_mixpanel_export.skew_check import SkewCheck
from tap_mixpanel_export.spool import SpoolDirectory
from tap_mixpanel_export.sweep import ArrivalFilter, Bookmark
from tap_mixpanel_export.window_download import SpooledWindow, WindowDownloader
from tap_mixpanel_export.windows import DAY, Window

if TYPE_CHECKING:
    import logging
    from types import TracebackType

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.settings import Settings

Checkpoint = Callable[[Bookmark], None]


@dataclass
class RunCounts:
    """What a run has done so far.

    Attributes:
        events: Events that came out.
        windows: Windows that were finished.
        malformed: Malformed lines found in them.
        deferred: Events that arrived too late for the sweep and stay for the next.
    """

    events: int = 0
    windows: int = 0
    malformed: int = 0
    deferred: int = 0


class ExportRun:
    """Exports everything that is due; use as a context manager."""

    def __init__(
        self, settings: Settings, *, policy: RetryPolicy, clock: Clock, logger: logging.Logger
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._logger = logger
        self._stack = ExitStack()
        budget = InProcessBudget(
            per_hour=settings.max_requests_per_hour, clock=clock, logger=logger
        )
        self._client = ExportClient(settings, budget, clock)
        spool = self._stack.enter_context(SpoolDirectory(settings.state_dir, logger))
        self._downloader = WindowDownloader(
            self._client,
            spool,
            policy,
            clock=clock,
            logger=logger,
            tolerate_invalid_lines=settings.quarantine_invalid_lines,
        )
        self._quarantine = Quarantine(settings.state_dir)
        self._skew_check = SkewCheck(settings.event_time, logger)
        self._counts = RunCounts()

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

    def records(self, bookmark: Bookmark, checkpoint: Checkpoint) -> Iterator[Record]:
        """Yield the records that are due.

        Args:
            bookmark: What earlier runs have done.
            checkpoint: Called with the bookmark that is true once everything yielded so far has
                been written: when a sweep opens, before its first record, and after each window.

        Raises:
            TapError: The run cannot go on; the last checkpoint stays true.
        """
        self._warn_of_days_left_out(bookmark)
        if bookmark.sweep is not None:
            self._logger.info("continuing the sweep that an earlier run left open")
            bookmark = yield from self._sweep(bookmark, checkpoint)
        opened = sweep.open_sweep(bookmark, self._settings.rules, self._now_ms())
        if opened is None:
            self._logger.info("no new arrivals can have settled yet, or no day is left to export")
        else:
            yield from self._sweep(opened, checkpoint)
        self._log_summary()

    def _sweep(
        self, bookmark: Bookmark, checkpoint: Checkpoint
    ) -> Generator[Record, None, Bookmark]:
        self._log_sweep(bookmark)
        checkpoint(bookmark)
        while window := sweep.next_window(bookmark, size=self._settings.window_days):
            try:
                known = sweep.was_exported(bookmark, window)
                spooled = self._downloader.download(window, has_begun=known)
            except DayNotStartedError as error:
                bookmark = self._without_last_day(bookmark, window, error)
            else:
                with spooled:
                    yield from self._emit(window, spooled, sweep.arrival_filter(bookmark, window))
                bookmark = sweep.complete_window(bookmark, window, self._settings.rules.zone)
            checkpoint(bookmark)
        return bookmark

    def _emit(
        self, window: Window, spooled: SpooledWindow, arrivals: ArrivalFilter
    ) -> Iterator[Record]:
        started = time.monotonic()
        emitted = 0
        with self._quarantine.of(window) as quarantine:
            for event in self._events(spooled, quarantine):
                if arrivals.takes(event.arrival_ms):
                    emitted += 1
                    yield build_record(event, self._settings.event_time)
                elif arrivals.defers(event.arrival_ms):
                    self._counts.deferred += 1
        self._skew_check.end_window()
        self._counts.events += emitted
        self._counts.windows += 1
        self._counts.malformed += spooled.invalid_lines
        self._log_window(window, spooled, emitted, time.monotonic() - started)
        self._log_quarantine(window, spooled, quarantine)

    def _events(self, spooled: SpooledWindow, quarantine: WindowQuarantine) -> Iterator[Event]:
        for number, line in spooled.lines():
            try:
                event = parse_event(line)
            except InvalidLineError as error:
                quarantine.add(number, str(error), line)
            else:
                self._skew_check.look_at(event)
                yield event

    def _without_last_day(
        self, bookmark: Bookmark, window: Window, error: DayNotStartedError
    ) -> Bookmark:
        """Leave the day that has not begun at Mixpanel to a later sweep.

        Raises:
            ExportRefusedError: The day is too long past for the zones to explain it.
        """
        zone = self._settings.rules.zone
        today = day_of(self._now_ms(), zone)
        # Zones differ by up to 26 hours, so "today" here may be two days ahead of the project's.
        if window.last_day < today - DAY:
            raise ExportRefusedError(
                f"{error}, though it is {today} in {zone.key}; check project_timezone and this "
                "machine's clock"
            )
        self._logger.info(
            "%s has not begun in the project's zone (project_timezone is %s): the sweep ends "
            "with the day before",
            window.last_day,
            zone.key,
        )
        return sweep.drop_last_day(bookmark)

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)

    def _warn_of_days_left_out(self, bookmark: Bookmark) -> None:
        days = sweep.days_left_out(bookmark, self._settings.rules)
        if days is not None:
            self._logger.warning(
                "start_date lies before the first day that was exported: %s will not come out; "
                "a full refresh (a run without state) exports everything from start_date on",
                days,
            )

    def _log_sweep(self, bookmark: Bookmark) -> None:
        if bookmark.sweep is None:
            return
        after = bookmark.sweep.arrived_after
        self._logger.info(
            "sweep of %s from %s on: arrivals %s until %s",
            bookmark.sweep.days,
            bookmark.sweep.next_day,
            "of all time" if after is None else f"after {instant_text(after)}",
            instant_text(bookmark.sweep.arrived_until),
        )

    def _log_window(
        self, window: Window, spooled: SpooledWindow, emitted: int, seconds: float
    ) -> None:
        self._logger.info(
            "window %s: %d of %d events, %d bytes, %.1f s to download, %.1f s to write",
            window,
            emitted,
            spooled.events,
            spooled.received_bytes,
            spooled.seconds,
            seconds,
        )

    def _log_quarantine(
        self, window: Window, spooled: SpooledWindow, quarantine: WindowQuarantine
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

    def _log_summary(self) -> None:
        counts = self._counts
        self._logger.info(
            "done: %d events from %d windows by %d requests; %d malformed lines; "
            "%d events deferred to the next run",
            counts.events,
            counts.windows,
            self._client.requests,
            counts.malformed,
            counts.deferred,
        )

"""What a run tells about itself: lines, metrics, and how long it still takes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from singer_sdk import metrics

from tap_mixpanel_export.bookmark_json import STREAM
from tap_mixpanel_export.instants import instant_text

if TYPE_CHECKING:
    import logging

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.sweep import OpenSweep
    from tap_mixpanel_export.window_download import SpooledWindow
    from tap_mixpanel_export.window_plan import PlannedWindow


class ExportMetric(str, enum.Enum):
    """The tap's own metrics, beside the SDK's."""

    WINDOW_EVENTS = "window_events"
    WINDOW_BYTES = "window_bytes"
    LATE_EVENTS = "late_events"
    DUPLICATES_DROPPED = "duplicates_dropped"
    REQUESTS_LEFT = "requests_left"


@dataclass
class Counts:
    """What came out of a window, or of all windows.

    Attributes:
        events: Events that came out.
        late: Of these, events that happened before the last sweep's end and arrived after it.
        duplicates: Events that Mixpanel exported more than once, dropped.
        malformed: Malformed lines.
        deferred: Events seen that arrived too late for the sweep and stay for the next.
        received_bytes: Bytes as received.
    """

    events: int = 0
    late: int = 0
    duplicates: int = 0
    malformed: int = 0
    deferred: int = 0
    received_bytes: int = 0

    def add(self, other: Counts) -> None:
        """Add another's counts to these."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class RunReport:
    """Counts over a run, and writes the log's lines."""

    def __init__(self, clock: Clock, logger: logging.Logger) -> None:
        self._clock = clock
        self._logger = logger
        self._metrics = metrics.get_metrics_logger()
        self._sweep_began = 0.0
        self._days_before = 0
        self._waited_before = 0.0
        self._waited = 0.0
        self._windows_of_sweep = 0
        self._windows = 0
        self.counts = Counts()

    def sweep(self, sweep: OpenSweep) -> None:
        """Tell what a sweep is going to do."""
        self._sweep_began = self._clock.now()
        self._days_before = _days_done(sweep)
        self._waited_before = self._waited
        self._windows_of_sweep = 0
        after = sweep.arrived_after
        self._logger.info(
            "sweep of %s from %s on: arrivals %s until %s",
            sweep.days,
            sweep.next_day,
            "of all time" if after is None else f"after {instant_text(after)}",
            instant_text(sweep.arrived_until),
        )

    def window(
        self,
        window: PlannedWindow,
        spooled: SpooledWindow,
        counts: Counts,
        *,
        seconds: float,
        requests_left: int,
    ) -> None:
        """Tell what came out of a window.

        Args:
            window: The window.
            spooled: Its body.
            counts: What came out of it.
            seconds: What it took to write.
            requests_left: Requests left in this hour.
        """
        self.counts.add(counts)
        self._windows += 1
        self._logger.info(
            "window %s: %d of %d events, %d late, %d duplicates dropped, %d bytes, "
            "%.1f s to download, %.1f s to write, %d requests left in this hour",
            window,
            counts.events,
            spooled.events,
            counts.late,
            counts.duplicates,
            spooled.received_bytes,
            spooled.seconds,
            seconds,
            requests_left,
        )
        self._point("counter", ExportMetric.WINDOW_EVENTS, counts.events, window)
        self._point("counter", ExportMetric.WINDOW_BYTES, spooled.received_bytes, window)
        self._point("counter", ExportMetric.LATE_EVENTS, counts.late, window)
        self._point("counter", ExportMetric.DUPLICATES_DROPPED, counts.duplicates, window)
        self._point("gauge", ExportMetric.REQUESTS_LEFT, requests_left, window)

    def progress(self, sweep: OpenSweep, waited: float, hours_to_wait: int) -> None:
        """Tell how far a sweep is, and how long the rest takes at this pace.

        Args:
            sweep: The sweep.
            waited: Seconds that the run has waited for its budget, which are no pace.
            hours_to_wait: Hours that the rest of it has to wait.
        """
        self._windows_of_sweep += 1
        done = _days_done(sweep)
        worked = max(0.0, self._clock.now() - self._sweep_began - (waited - self._waited_before))
        pace = worked / (done - self._days_before)
        seconds = round(pace * (sweep.days.count - done)) + 3600 * hours_to_wait
        # The first window is small and often of a day before the project began.
        left = f", about {timedelta(seconds=seconds)} left" if self._windows_of_sweep > 1 else ""
        self._waited = waited
        self._logger.info("%d of %d days done%s", done, sweep.days.count, left)

    def summary(self, requests: int) -> None:
        """Tell in one line what the run did."""
        counts = self.counts
        self._logger.info(
            "done: %d events (%d of them late) from %d windows by %d requests, %d bytes; "
            "%d duplicates dropped; %d malformed lines; %d events deferred to the next run",
            counts.events,
            counts.late,
            self._windows,
            requests,
            counts.received_bytes,
            counts.duplicates,
            counts.malformed,
            counts.deferred,
        )

    def _point(self, kind: str, metric: ExportMetric, value: int, window: PlannedWindow) -> None:
        tags = {metrics.Tag.STREAM: STREAM, "window": str(window)}
        point = metrics.Point(kind, cast("metrics.Metric", metric), value, tags)
        metrics.log(self._metrics, point)


def _days_done(sweep: OpenSweep) -> int:
    return (sweep.next_day - sweep.days.first_day).days

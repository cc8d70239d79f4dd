"""Downloads windows ahead of the one that is being emitted, and hands them out in order.

Beside that one, at most ``max_concurrent_requests`` windows are on the disk or on their way at any
time, which bounds the use of the disk.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent import futures
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from typing_extensions import Self

from tap_mixpanel_export.errors import RetriesExhaustedError, WindowTooLargeError

if TYPE_CHECKING:
    import logging
    from types import TracebackType
    from zoneinfo import ZoneInfo

    from tap_mixpanel_export.sweep import Pace
    from tap_mixpanel_export.window_download import SpooledWindow
    from tap_mixpanel_export.window_plan import PlannedWindow, SweepPlan
    from tap_mixpanel_export.window_size import WindowSize

_LONGEST_DEAFNESS = 0.5
_MOST_CUTS_OF_A_WINDOW = 150


class Download(Protocol):
    """Brings one window onto the disk; ends early once the event is set."""

    def __call__(self, window: PlannedWindow, ended: threading.Event) -> SpooledWindow:
        """Return the whole window."""


class WindowFeed:
    """The windows of one sweep, each downloaded; use as a context manager."""

    def __init__(
        self,
        plan: SweepPlan,
        size: WindowSize,
        download: Download,
        *,
        at_once: int,
        zone: ZoneInfo,
        logger: logging.Logger,
    ) -> None:
        """Take over a plan; nothing is downloaded yet.

        Args:
            plan: What comes next.
            size: Learns from each window; while it still grows, nothing is asked for ahead.
            download: Called in threads.
            at_once: Most windows on the disk or on their way.
            zone: Zone of the project's days.
            logger: Gets a line for each window that is cut.
        """
        self._plan = plan
        self._size = size
        self._download = download
        self._at_once = at_once
        self._zone = zone
        self._logger = logger
        self._ahead: deque[_Coming] = deque()
        self._ended = threading.Event()
        self._cuts = 0
        self._was_cut = False
        self._answers: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        for coming in self._ahead:
            coming.discard()
        self._ahead.clear()

    def next(self) -> tuple[PlannedWindow, SpooledWindow] | None:
        """Return the next window, whole, or None at the end of the sweep.

        Raises:
            TapError: It cannot be had; what came before stays true.
        """
        while True:
            self._fill()
            if not self._ahead:
                return None
            window, spool = self._ahead[0].window, self._ahead[0].spool
            # Python may miss a signal on the brink of an endless wait, so no wait is endless.
            while not futures.wait([spool], timeout=_LONGEST_DEAFNESS).done:
                pass
            try:
                spooled = spool.result()
            except WindowTooLargeError as error:
                self._cut(window, error)
            else:
                self._ahead.popleft()
                self._learn(window, spooled.events)
                self._fill()  # so that others come while the caller is at work on this one
                return window, spooled

    def pace(self) -> Pace:
        """How to go on after the window that was handed out last."""
        return self._size.pace(
            coming.window.days.count for coming in self._ahead if coming.window.completes
        )

    def _fill(self) -> None:
        wanted = self._at_once if self._size.is_settled else 1
        while len(self._ahead) < wanted and (window := self._plan.next()):
            self._ahead.append(_Coming(window))
        free = self._at_once - sum(coming.is_started for coming in self._ahead)
        for coming in islice((one for one in self._ahead if not one.is_started), free):
            coming.start(self._download, self._ended)

    def _cut(self, window: PlannedWindow, error: WindowTooLargeError) -> None:
        halves = window.halves(self._zone, error.cut_after)
        self._cuts += 1
        if halves is None or self._cuts > _MOST_CUTS_OF_A_WINDOW:
            raise RetriesExhaustedError(
                f"{error}; {self._cuts} smaller requests did not help. Is there more than this "
                "in one day? Then select less of it by events or where"
            ) from error
        self._logger.info("%s; asking for it in two parts", error)
        self._was_cut = self._was_cut or error.cut_after is not None
        self._size.shrink(window.days.count)
        self._ahead.popleft()
        self._ahead.extendleft(_Coming(half) for half in reversed(halves))

    def _learn(self, window: PlannedWindow, events: int) -> None:
        """Let the size learn from days of which all arrivals were asked for."""
        if not (window.was_exported and window.by_arrival):
            self._answers.append(events)
        if not window.completes:
            return
        if self._answers:
            self._size.observe(window.days.count, self._answers, was_cut=self._was_cut)
        self._answers = []
        self._was_cut = False
        self._cuts = 0


class _Coming:
    """A window that is to be downloaded, or is being, or has been."""

    def __init__(self, window: PlannedWindow) -> None:
        self.window = window
        self.spool: Future[SpooledWindow] = Future()
        self.is_started = False

    def start(self, download: Download, ended: threading.Event) -> None:
        self.is_started = True
        # A daemon: a download under way must not hold up the end of the process.
        threading.Thread(
            target=_settle,
            args=(self.spool, download, self.window, ended),
            name=f"window {self.window}",
            daemon=True,
        ).start()

    def discard(self) -> None:
        if self.is_started:
            self.spool.add_done_callback(_remove)


def _settle(
    spool: Future[SpooledWindow],
    download: Download,
    window: PlannedWindow,
    ended: threading.Event,
) -> None:
    try:
        spool.set_result(download(window, ended))
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
        spool.set_exception(error)


def _remove(spool: Future[SpooledWindow]) -> None:
    """Remove the file of a window that nobody waits for any more."""
    if spool.exception() is None:
        with spool.result():
            pass

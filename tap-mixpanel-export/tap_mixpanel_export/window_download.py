"""Downloads one window to spool files and vouches that it is whole."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Self

from tap_mixpanel_export.clock import wait
from tap_mixpanel_export.errors import (
    AttemptError,
    CutOffError,
    DayNotStartedError,
    RateLimitedError,
    RetriesExhaustedError,
    RunEndedError,
)
from tap_mixpanel_export.export_body import BodyChecker, decoder_for
from tap_mixpanel_export.framing.messages import BlockPlace, Framing, OddLine
from tap_mixpanel_export.framing.queue import FrameQueue
from tap_mixpanel_export.record_spool import SpooledBlock, SpoolPart, read_blocks, remove_parts
from tap_mixpanel_export.size_limit import SizeLimit
from tap_mixpanel_export.spool import SPOOL_SUFFIX, SpoolDirectory, storage_errors

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from tempfile import _TemporaryFileWrapper
    from threading import Event
    from types import TracebackType
    from zoneinfo import ZoneInfo

    import requests

    from tap_mixpanel_export.client import ExportClient
    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.event_time import EventTime
    from tap_mixpanel_export.framing.helper_pool import FramingHelpers
    from tap_mixpanel_export.request_queue import RequestQueue
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.window_plan import PlannedWindow

_CHUNK = 1 << 16


@dataclass(frozen=True)
class SpooledWindow:
    """A whole window on disk; use as a context manager, which removes its files.

    Attributes:
        path: The first of its files.
        events: How many of its lines are events.
        invalid_lines: How many are not.
        received_bytes: Bytes as received.
        seconds: What the successful attempt took.
        deferred: Events that arrived too late for the sweep.
        distances: Receipt minus time of the first events, in milliseconds.
        places: Where its records and malformed lines are.
    """

    path: Path
    events: int
    invalid_lines: int
    received_bytes: int
    seconds: float
    deferred: int = 0
    distances: tuple[int, ...] = ()
    places: list[BlockPlace] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        remove_parts(self.path)

    def blocks(self) -> Iterator[SpooledBlock | list[OddLine]]:
        """Yield its records and its malformed lines."""
        return read_blocks(self.path, self.places)


class WindowDownloader:
    """Downloads windows, each from scratch as often as it helps; safe to use from any thread."""

    def __init__(
        self,
        client: ExportClient,
        queue: RequestQueue,
        spool: SpoolDirectory,
        policy: RetryPolicy,
        *,
        zone: ZoneInfo,
        clock: Clock,
        logger: logging.Logger,
        tolerate_invalid_lines: bool,
        event_time: EventTime,
        makes_dicts: bool = True,
        helpers: FramingHelpers | None = None,
    ) -> None:
        """Begin without any window.

        Args:
            client: Sends the requests.
            queue: Says when.
            spool: Where windows are kept.
            policy: How patient to be.
            zone: Zone of the project's days.
            clock: Measures waits.
            logger: Gets a line for each failed attempt.
            tolerate_invalid_lines: Whether malformed lines are put aside.
            event_time: How a raw ``time`` is read.
            makes_dicts: Whether records are read from the spool, and not only written out.
            helpers: Processes that share the work on large windows.
        """
        self._client = client
        self._queue = queue
        self._spool = spool
        self._policy = policy
        self._zone = zone
        self._clock = clock
        self._logger = logger
        self._tolerate = tolerate_invalid_lines
        wall_clock_zone = event_time.wall_clock_zone
        self._wall_clock_zone = None if wall_clock_zone is None else wall_clock_zone.key
        self._makes_dicts = makes_dicts
        self._helpers = helpers

    def download(self, window: PlannedWindow, ended: Event) -> SpooledWindow:
        """Bring a window's whole body onto the disk.

        Args:
            window: What to ask for. If some of its days was exported before, Mixpanel's denial
                that they have begun is a failed attempt.
            ended: Set when nobody needs the window any more.

        Raises:
            WindowTooLargeError: It should be asked for in parts.
            DayNotStartedError: The window ends after the project's today.
            ExportRefusedError: Mixpanel refuses the request for good.
            RetriesExhaustedError: The window kept failing.
            RunEndedError: Nobody needs the window any more.
            StorageError: The disk is full or not writable.
        """
        self._queue.reserve(window.place)  # before a later window's thread can be quicker
        limit = SizeLimit(window, self._zone)

        def attempt() -> SpooledWindow:
            try:
                return self._attempt(window, limit, ended)
            except DayNotStartedError as error:
                if not (window.was_exported or window.follows_a_slice):
                    raise
                raise AttemptError(
                    f"{error}, though {window.days.last_day} was exported before; check "
                    "project_timezone and this machine's clock"
                ) from error
            except AttemptError as error:
                limit.weigh(error)
                raise

        def pause(seconds: float, error: AttemptError) -> None:
            if not isinstance(error, RateLimitedError):
                wait(self._clock, seconds, ended)
                return
            with self._queue.pause():
                wait(self._clock, seconds, ended)
                self._queue.reserve(window.place)

        try:
            return self._policy.call(
                attempt, f"window {window}", pause=pause, clock=self._clock, logger=self._logger
            )
        except RetriesExhaustedError as error:
            cause = error.__cause__
            raise RetriesExhaustedError(f"{error}{limit.advice(cause)}") from cause
        finally:
            self._queue.cancel(window.place)

    def _attempt(self, window: PlannedWindow, limit: SizeLimit, ended: Event) -> SpooledWindow:
        with storage_errors(self._spool.path):
            file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - it outlives this function
                suffix=SPOOL_SUFFIX,
                prefix=f"{window.days.first_day}-",
                dir=self._spool.path,
                delete=False,
            )
        try:
            with storage_errors(self._spool.path), file:
                return self._receive(window, limit, ended, file)
        except BaseException:
            remove_parts(Path(file.name))
            raise

    def _receive(
        self,
        window: PlannedWindow,
        limit: SizeLimit,
        ended: Event,
        file: _TemporaryFileWrapper[bytes],
    ) -> SpooledWindow:
        path = Path(file.name)
        part = SpoolPart(file.file)
        framing = self._framing(window)
        pool = self._helpers
        helpers = None if pool is None else pool.of_body(framing, path, window.place)
        with self._client.export(window, ended) as response:
            started = time.monotonic()
            decoder = decoder_for(response.headers.get("Content-Encoding"))
            frames = FrameQueue(framing, part, has_room=self._has_room, helpers=helpers)
            checker = BodyChecker(
                decoder, tolerate_invalid_lines=self._tolerate, frames=frames, part=part
            )
            limit.watch(checker)
            received = 0
            with closing(checker):
                for chunk in response.raw.stream(_CHUNK, decode_content=False):
                    if ended.is_set():
                        raise RunEndedError
                    received += len(chunk)
                    checker.feed(chunk)
                    limit.check(received)
                _check_length(response, received)
                if response.headers.get("Content-Length") != "0":  # else whole, however encoded
                    checker.finish()
        return SpooledWindow(
            path=path,
            events=checker.events,
            invalid_lines=checker.invalid_lines,
            received_bytes=received,
            seconds=response.elapsed.total_seconds() + time.monotonic() - started,
            deferred=checker.deferred,
            distances=tuple(checker.distances),
            places=checker.places,
        )

    def _has_room(self) -> bool:
        return not self._makes_dicts and self._spool.has_room()

    def _framing(self, window: PlannedWindow) -> Framing:
        return Framing(
            arrived_after=window.arrivals.arrived_after,
            arrived_until=window.arrivals.arrived_until,
            wall_clock_zone=self._wall_clock_zone,
            tolerates_malformed=self._tolerate,
        )


def _check_length(response: requests.Response, received: int) -> None:
    """Check that the message ended where it said, as far as the HTTP library does not.

    A missing last chunk has been an error while reading. A message that ends with its connection,
    as HTTP/1.0 has them, says nothing of its end: the gzip trailer or the last newline does.

    Raises:
        CutOffError: It was cut.
    """
    if "chunked" in response.headers.get("Transfer-Encoding", "").lower():
        return
    declared = response.headers.get("Content-Length", "")
    if declared.isdigit() and received != int(declared):
        raise CutOffError(f"{received} of {declared} bytes arrived")

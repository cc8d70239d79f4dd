"""Downloads one window to a compressed spool file and vouches that it is whole."""

from __future__ import annotations

import gzip
import io
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from typing_extensions import Self

from tap_mixpanel_export.clock import wait
from tap_mixpanel_export.errors import (
    AttemptError,
    CutOffError,
    DayNotStartedError,
    RateLimitedError,
    RunEndedError,
)
from tap_mixpanel_export.export_body import (
    BodyChecker,
    Decoder,
    GzipDecoder,
    decoder_for,
    is_blank,
)
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
    from tap_mixpanel_export.request_queue import RequestQueue
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.window_plan import PlannedWindow

_CHUNK = 1 << 16
_READ_BUFFER = 1 << 20
_FAST = 1


class Sink(Protocol):
    """Where a body is written to."""

    def write(self, data: bytes, /) -> int:
        """Write some of it."""


@dataclass(frozen=True)
class SpooledWindow:
    """A whole window on disk; use as a context manager, which removes the file.

    Attributes:
        path: The body, compressed with gzip.
        events: How many of its lines are events.
        invalid_lines: How many are not.
        received_bytes: Bytes as received.
        seconds: What the successful attempt took.
    """

    path: Path
    events: int
    invalid_lines: int
    received_bytes: int
    seconds: float

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.path.unlink(missing_ok=True)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line that is not blank, with its number from 1."""
        # A large buffer in front of GzipFile, whose own line reading is slow.
        inflated = cast("io.RawIOBase", gzip.GzipFile(self.path))
        with io.BufferedReader(inflated, _READ_BUFFER) as body:
            for number, line in enumerate(body, start=1):
                if not is_blank(line):
                    yield number, line


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
    ) -> None:
        self._client = client
        self._queue = queue
        self._spool = spool
        self._policy = policy
        self._zone = zone
        self._clock = clock
        self._logger = logger
        self._tolerate = tolerate_invalid_lines

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
            Path(file.name).unlink(missing_ok=True)
            raise

    def _receive(
        self,
        window: PlannedWindow,
        limit: SizeLimit,
        ended: Event,
        file: _TemporaryFileWrapper[bytes],
    ) -> SpooledWindow:
        with self._client.export(window, ended) as response:
            started = time.monotonic()
            decoder = decoder_for(response.headers.get("Content-Encoding"))
            checker = BodyChecker(decoder, tolerate_invalid_lines=self._tolerate)
            limit.watch(checker)
            received = 0
            with _compressing(decoder, file) as spool:
                for chunk in response.raw.stream(_CHUNK, decode_content=False):
                    if ended.is_set():
                        raise RunEndedError
                    received += len(chunk)
                    checker.feed(chunk)
                    spool.write(chunk)
                    limit.check(received)
            _check_length(response, received)
            if response.headers.get("Content-Length") != "0":  # else whole, whatever its encoding
                checker.finish()
        return SpooledWindow(
            path=Path(file.name),
            events=checker.events,
            invalid_lines=checker.invalid_lines,
            received_bytes=received,
            seconds=response.elapsed.total_seconds() + time.monotonic() - started,
        )


@contextmanager
def _compressing(decoder: Decoder, file: _TemporaryFileWrapper[bytes]) -> Iterator[Sink]:
    """Give a place to write a body to as it comes, so that the file is compressed."""
    if isinstance(decoder, GzipDecoder):
        yield file
        return
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_FAST, mtime=0) as compressed:
        yield compressed


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

"""Downloads one window to a spool file and vouches that it is whole."""

from __future__ import annotations

import gzip
import io
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from typing_extensions import Self

from tap_mixpanel_export.errors import AttemptError, BrokenBodyError, DayNotStartedError
from tap_mixpanel_export.export_body import BodyChecker, GzipDecoder, decoder_for, is_blank
from tap_mixpanel_export.spool import SPOOL_SUFFIX, SpoolDirectory, storage_errors

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    import requests

    from tap_mixpanel_export.client import ExportClient
    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.windows import Window

_CHUNK = 1 << 16
_READ_BUFFER = 1 << 20


@dataclass(frozen=True)
class SpooledWindow:
    """A whole window on disk; use as a context manager, which removes the file.

    Attributes:
        path: The body as it was received.
        is_gzip: Whether it is compressed.
        events: How many of its lines are events.
        invalid_lines: How many are not.
        received_bytes: Bytes as received.
        seconds: What the successful attempt took.
    """

    path: Path
    is_gzip: bool
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
        with self._open() as body:
            for number, line in enumerate(body, start=1):
                if not is_blank(line):
                    yield number, line

    def _open(self) -> IO[bytes]:
        if not self.is_gzip:
            return self.path.open("rb")
        # A large buffer in front of GzipFile, whose own line reading is slow.
        inflated = cast("io.RawIOBase", gzip.GzipFile(self.path))
        return io.BufferedReader(inflated, _READ_BUFFER)


class WindowDownloader:
    """Downloads windows, each from scratch as often as the policy allows."""

    def __init__(
        self,
        client: ExportClient,
        spool: SpoolDirectory,
        policy: RetryPolicy,
        *,
        clock: Clock,
        logger: logging.Logger,
        tolerate_invalid_lines: bool,
    ) -> None:
        self._client = client
        self._spool = spool
        self._policy = policy
        self._clock = clock
        self._logger = logger
        self._tolerate = tolerate_invalid_lines

    def download(self, window: Window, *, has_begun: bool) -> SpooledWindow:
        """Bring a window's whole body onto the disk.

        Args:
            window: Its days.
            has_begun: Whether the last of them is known to have begun at Mixpanel; then its
                denial is a failed attempt.

        Raises:
            DayNotStartedError: The window ends after the project's today.
            ExportRefusedError: Mixpanel refuses the request for good.
            RetriesExhaustedError: The window kept failing.
            StorageError: The disk is full or not writable.
        """

        def attempt() -> SpooledWindow:
            try:
                return self._attempt(window)
            except DayNotStartedError as error:
                if not has_begun:
                    raise
                raise AttemptError(
                    f"{error}, though {window.last_day} was exported before; check "
                    "project_timezone and this machine's clock"
                ) from error

        return self._policy.call(
            attempt, f"window {window}", clock=self._clock, logger=self._logger
        )

    def _attempt(self, window: Window) -> SpooledWindow:
        path = self._spool.path / f"{window.first_day}_{window.last_day}{SPOOL_SUFFIX}"
        try:
            return self._receive(window, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _receive(self, window: Window, path: Path) -> SpooledWindow:
        started = time.monotonic()
        with storage_errors(self._spool.path), self._client.export(window) as response:
            decoder = decoder_for(response.headers.get("Content-Encoding"))
            checker = BodyChecker(decoder, tolerate_invalid_lines=self._tolerate)
            received = 0
            with path.open("wb") as file:
                for chunk in response.raw.stream(_CHUNK, decode_content=False):
                    received += len(chunk)
                    checker.feed(chunk)
                    file.write(chunk)
            _check_length(response, received)
            if response.headers.get("Content-Length") != "0":  # else whole, whatever its encoding
                checker.finish()
        return SpooledWindow(
            path=path,
            is_gzip=isinstance(decoder, GzipDecoder),
            events=checker.events,
            invalid_lines=checker.invalid_lines,
            received_bytes=received,
            seconds=time.monotonic() - started,
        )


def _check_length(response: requests.Response, received: int) -> None:
    """Check that the message ended where it said, as far as the HTTP library does not.

    A missing last chunk has been an error while reading. A message that ends with its connection,
    as HTTP/1.0 has them, says nothing of its end: the gzip trailer or the last newline does.

    Raises:
        BrokenBodyError: It was cut.
    """
    if "chunked" in response.headers.get("Transfer-Encoding", "").lower():
        return
    declared = response.headers.get("Content-Length", "")
    if declared.isdigit() and received != int(declared):
        raise BrokenBodyError(f"{received} of {declared} bytes arrived")

"""When a window is to be asked for in parts: it is too large, or it fails as large ones do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_mixpanel_export.errors import (
    AbortedError,
    AttemptError,
    CutOffError,
    ExportRefusedError,
    TapError,
    TimedOutError,
    WindowTooLargeError,
)
from tap_mixpanel_export.window_size import TOO_MANY_BYTES, TOO_MANY_EVENTS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tap_mixpanel_export.export_body import BodyChecker
    from tap_mixpanel_export.window_plan import PlannedWindow

_TRIES_OF_A_DAY = 2
_TRIES_AFTER_A_CUT = 4
_TRIES_OF_A_SLICE = 2


class SizeLimit:
    """The judgement on one window, over all attempts at it."""

    def __init__(self, window: PlannedWindow, zone: ZoneInfo) -> None:
        self._window = window
        self._is_divisible = window.halves(zone) is not None
        self._is_whole_day = window.is_one_day and not window.is_slice
        self._checker: BodyChecker | None = None
        self._failures = 0

    def watch(self, checker: BodyChecker) -> None:
        """Look at this attempt's body from now on."""
        self._checker = checker

    def check(self, received_bytes: int) -> None:
        """Check what has come so far.

        Raises:
            WindowTooLargeError: It is too much for one window, and can be had in parts.
            ExportRefusedError: It cannot, since Mixpanel does not filter.
        """
        if not self._is_divisible or self._checker is None:
            return
        if self._checker.events > TOO_MANY_EVENTS or received_bytes > TOO_MANY_BYTES:
            raise self._too_large(
                f"more than {TOO_MANY_EVENTS:,} events or {TOO_MANY_BYTES >> 30} GiB"
            )

    def weigh(self, error: AttemptError) -> None:
        """Count a failed attempt.

        Raises:
            WindowTooLargeError: Smaller windows may succeed where this one keeps failing.
            ExportRefusedError: They cannot be had, since Mixpanel does not filter.
        """
        tries = self._tries(error)
        if not self._is_divisible or tries is None:
            return
        self._failures += 1
        if self._failures >= tries:
            raise self._too_large(str(error)) from error

    def advice(self, error: BaseException | None) -> str:
        """Return what to add to the error that ends the run after this failure."""
        is_likely = isinstance(error, AttemptError) and self._tries(error) is not None
        return "; run again later, or select less of it by events or where" if is_likely else ""

    def _tries(self, error: AttemptError) -> int | None:
        if isinstance(error, (AbortedError, TimedOutError)):
            return _TRIES_OF_A_DAY if self._is_whole_day else 1
        if isinstance(error, CutOffError):
            return _TRIES_OF_A_SLICE if self._window.is_slice else _TRIES_AFTER_A_CUT
        return None

    def _too_large(self, reason: str) -> TapError:
        moment = None if self._checker is None else self._checker.arrivals.cut_after()
        window = self._window
        if window.is_slice and moment is not None and not window.arrivals.takes(moment):
            return ExportRefusedError(
                f"window {window} is too much for one request ({reason}), and its day cannot be "
                "asked for in parts: Mixpanel, or what stands before it, does not apply the filter "
                "on mp_processing_time_ms; check api_url and the proxy's settings"
            )
        return WindowTooLargeError(
            f"window {window} is too much for one request ({reason})", cut_after=moment
        )

"""What can go wrong, each with one line that says what to do."""

from __future__ import annotations


class TapError(Exception):
    """An error of the tap's own: its text is complete and is shown without a traceback."""


class SettingsError(TapError):
    """The settings are wrong; each argument is one line about one mistake."""


class StreamMapError(TapError):
    """An expression of ``stream_maps`` failed on an event."""


class StateError(TapError):
    """The state handed over by ``--state`` cannot be continued."""


class DiscoveryError(TapError):
    """No properties could be found out; the text says why, and not what to do."""


class StorageError(TapError):
    """Nothing can be written under ``state_dir``, or what was written cannot be read."""


class OutputError(TapError):
    """Stdout does not take what the tap writes, though nobody has closed a pipe."""


class ExportRefusedError(TapError):
    """Mixpanel refuses the request, and would refuse it again.

    Attributes:
        status: HTTP status, or None if there was no answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class CredentialsRefusedError(ExportRefusedError):
    """Mixpanel does not know the credentials, or not for that project."""


class DayNotStartedError(TapError):
    """Mixpanel says that ``to_date`` is a day that has not begun in the project's zone."""


class RetriesExhaustedError(TapError):
    """A window failed as often as the tap is willing to try."""


class RunEndedError(TapError):
    """A download was given up because nobody needs it any more."""


class WindowTooLargeError(TapError):
    """A window is to be asked for in smaller pieces.

    Attributes:
        cut_after: An arrival (UTC milliseconds) after which to cut it, by what came of it, or None.
    """

    def __init__(self, message: str, *, cut_after: int | None = None) -> None:
        super().__init__(message)
        self.cut_after = cut_after


class AttemptError(TapError):
    """One attempt at a window failed; another may succeed. Nothing of it was emitted.

    Attributes:
        retry_after: Seconds that the server asked to wait, or None if it named no time.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BrokenBodyError(AttemptError):
    """The response was cut, aborted in-band, or held a line that is not an event."""


class CutOffError(BrokenBodyError):
    """The response ended before its end."""


class AbortedError(BrokenBodyError):
    """Mixpanel ended the body in-band before it was complete."""


class TimedOutError(AttemptError):
    """The answer took too long, by Mixpanel's judgement or by ``request_timeout``."""


class RateLimitedError(AttemptError):
    """Mixpanel answered 429."""


class HelperLostError(AttemptError):
    """A process that helps with the work has ended or cannot be started."""


class HelperNotStartedError(HelperLostError):
    """A process that is to help with the work cannot be started."""

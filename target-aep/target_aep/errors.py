"""Errors that end a run with one line: what is wrong, and what to do about it."""

from __future__ import annotations


class TargetError(Exception):
    """A run can't go on; the message names the setting, record or batch and the way out."""


class MappingSetError(TargetError):
    """The mapping set can't be used as it is."""


class SchemaError(TargetError):
    """The XDM schema can't be read or understood."""


class PlatformError(TargetError):
    """Experience Platform (or IMS) refused a call, or could not be reached."""

    def __init__(
        self, message: str, *, status: int | None = None, about: str | None = None
    ) -> None:
        """Keep the HTTP status beside the message, and what was refused.

        Args:
            message: What the service said and what to do.
            status: HTTP status of the last answer; None where there was none.
            about: What every call would be refused for, such as `sandbox` (`refusals.about`); None
                where it was this call.
        """
        super().__init__(message)
        self.status = status
        self.about = about


class DiskError(TargetError):
    """Files for the time of a run can't be made or written."""

    def __init__(self, what: str, error: Exception) -> None:
        """Say what the system says, and the way out.

        Args:
            what: What can't be written.
            error: Why.
        """
        super().__init__(
            f"can't write {what}: {_reason(error)}. Free space, or point TMPDIR (local_path for "
            "destination=local) to a larger disk"
        )


class LostStateError(TargetError):
    """A STATE can't be written to stdout."""

    def __init__(self, error: Exception, *, has_done: bool) -> None:
        """Say what the system says, and what is in all the same.

        Args:
            error: Why.
            has_done: Whether something has become of records before the STATE.
        """
        done = (
            "The records before it are loaded, and the next run finds them there"
            if has_done
            else "Nothing was loaded yet"
        )
        super().__init__(
            f"can't write to stdout ({_reason(error)}), so the STATE is lost. {done}: see why what "
            "reads or keeps the target's output takes no more"
        )


class BatchFailedError(TargetError):
    """A batch did not end well, or it can't be learned how it ended."""


class UnfinishedRunError(TargetError):
    """The run did what it could, its STATE is right, and something of it needs a look."""


def _reason(error: Exception) -> str:
    """Why, in the system's words, without its number."""
    return getattr(error, "strerror", None) or str(error)

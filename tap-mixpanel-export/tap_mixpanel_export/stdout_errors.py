"""What can be wrong with stdout, each as one line. A reader that has gone is told of elsewhere."""

from __future__ import annotations

import errno
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_mixpanel_export.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_OF_RUN = "what is written up to the last whole line counts; {} and run again from the last STATE"
_OF_ANSWER = "what is written is not all; {} and run again"


def check_stdout() -> None:
    """See that there is a stdout.

    Raises:
        OutputError: It was closed when the process began.
    """
    if sys.stdout is None:  # https://docs.python.org/3/library/sys.html#sys.__stdout__
        raise OutputError("stdout is closed: send it to a file or a pipe")


def messages_unwritable(error: OSError) -> OutputError:
    """Return the error for Singer messages that stdout does not take."""
    return _unwritable(error, _OF_RUN)


@contextmanager
def answering() -> Iterator[None]:
    """Write something to stdout that is no Singer message, and flush it.

    Raises:
        OutputError: Stdout does not take it.
        BrokenPipeError: Nobody reads it.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error, _OF_ANSWER) from error


def _unwritable(error: OSError, advice: str) -> OutputError:
    remedy = "free space" if error.errno in _FULL else "put that right"
    reason = error.strerror or str(error)
    return OutputError(f"can't write to stdout ({reason}): {advice.format(remedy)}")

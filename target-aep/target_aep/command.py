"""The run as a process: errors as one line, and an end that nothing holds up."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
import typing as t

from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError

from target_aep.errors import TargetError
from target_aep.run_summary import RunError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")


def run(make_target: Callable[[], TargetAEP], messages: t.IO[str] | None) -> None:
    """Make a target and let it load; any error ends the process with one line and exit code 1.

    Args:
        make_target: Makes the target.
        messages: The input; None reads stdin.

    Raises:
        ConfigValidationError: The settings are not valid; the SDK's command shows the mistakes.
    """
    target = None
    try:
        _check_streams(messages)
        target = make_target()
        target.is_run = True
        target.listen(messages)
    except ConfigValidationError:
        raise
    except Exception as error:  # noqa: BLE001 - the last net: none may leave a batch open
        line = target.explain(error) if target else one_line(error)
        logger.error("%s", line)  # noqa: TRY400 - the traceback is for developers
        if target:
            logger.debug("%s", target.rules.redact(traceback.format_exc()))
            target.abandon()
            target.report(RunError(type(error).__name__, line))
        # Uploads under way would hold up an ordinary exit.
        end_process(1)
    else:
        target.report()


def _check_streams(messages: t.IO[str] | None) -> None:
    """Refuse to begin without an input, or where no STATE can be written.

    Python has no stdin or stdout if it came closed.

    Raises:
        TargetError: It did.
    """
    if sys.stdout is None:
        raise TargetError("stdout is closed: send it to a file or a pipe")
    if messages is None and sys.stdin is None:
        raise TargetError("stdin is closed: pipe a tap into it, or name its output with --input")


def one_line(error: Exception, *, line_number: int = 0) -> str:
    """An error as one line.

    Args:
        error: Any error.
        line_number: The line of the input that was read last; 0 before the first.
    """
    text = " ".join(str(error).split())
    if isinstance(error, TargetError):
        return text
    if not isinstance(error, (SingerSDKError, SingerError)):
        text = (
            f"unexpected {type(error).__name__}: {text}. Run again with TARGET_AEP_LOGLEVEL=DEBUG "
            "and report where it comes from"
        )
    return f"line {line_number} of the input: {text}" if line_number else text


def end_process(status: int) -> t.NoReturn:
    """End now, also while other threads are at work; what was logged and written stays."""
    with contextlib.suppress(OSError, ValueError, RuntimeError, AttributeError):
        sys.stdout.flush()  # closed, or interrupted by a signal while being written
    with contextlib.suppress(RuntimeError):
        logging.shutdown()
    os._exit(status)

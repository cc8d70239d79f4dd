"""An emulator as a process of its own."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from emulators.server import EmulatorServer

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed.wsgi import WSGIApplication


def serve_until_signal(app: WSGIApplication, *, name: str, host: str, port: int) -> int:
    """Serve an app until SIGTERM or SIGINT, saying on stderr when it is ready.

    Returns:
        The process's exit status.
    """
    previous = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with EmulatorServer(app, host, port) as server:
            print(f"{name} emulator listening on {server.url}", file=sys.stderr, flush=True)  # noqa: T201 - the CLI's own output
            while True:
                signal.pause()
    except _Left:
        return 0
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Left(BaseException):
    """A signal asked the process to end."""


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise _Left

"""A moment by which an answer must be there, however slowly or silently the server sends it.

A time-out of a socket begins anew with each byte, so a server that drips can hold a client for
days. At the deadline the connection itself is shut down, which wakes whoever reads from it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from requests.adapters import HTTPAdapter
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORTEST = 0.001


class Deadline:
    """The end of a time that begins when this is made, by a clock that nobody sets.

    Attributes:
        seconds: How long the time is.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 after the end."""
        return max(self._end - time.monotonic(), 0.0)

    def is_over(self) -> bool:
        """Whether the end has come."""
        return self.left() <= 0

    def part(self, share: float) -> Deadline:
        """Return a deadline for a share (0 to 1) of the whole, which ends no later than this."""
        return Deadline(min(self.seconds * share, self.left()))

    def timeout(self, seconds: float) -> float:
        """Return a socket's time-out: ``seconds``, or what is left if that is less."""
        return max(min(seconds, self.left()), _SHORTEST)


class DeadlineAdapter(HTTPAdapter):
    """Shuts its connections down at a deadline; close the session, or they are watched on."""

    def __init__(self, deadline: Deadline | None = None) -> None:
        self._deadline = deadline
        self._watches: list[_Watch] = []
        super().__init__()

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if self._deadline is not None:
            kind, members = pool.ConnectionCls, {"watch": staticmethod(self._watch)}
            pool.ConnectionCls = type(kind.__name__, (_Watched, kind), members)
        return pool

    @override
    def close(self) -> None:
        super().close()
        for watch in self._watches:
            watch.stop()
        self._watches.clear()

    def _watch(self, connection: socket.socket) -> None:
        if self._deadline is not None:
            self._watches.append(_Watch(connection, self._deadline.left()))


class _Connection(Protocol):
    sock: socket.socket | None

    def connect(self) -> None: ...


class _Watched:
    """What a connection's class is mixed with."""

    watch: ClassVar[Callable[[socket.socket], None]]

    def connect(self: _Connection) -> None:
        super().connect()  # type: ignore[safe-super]  # the class it is mixed into has it
        if self.sock is not None:
            type(self).watch(self.sock)  # type: ignore[attr-defined]  # see above


class _Watch:
    """Shuts a connection down after some seconds."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        # A twin: a TLS socket is not to be touched while another thread reads from it.
        self._twin = socket.socket(fileno=os.dup(connection.fileno()))
        self._timer = threading.Timer(seconds, self._shut_down)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()
        self._timer.join()
        self._twin.close()

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):  # the server was quicker
            self._twin.shutdown(socket.SHUT_RDWR)

"""HTTP server of the emulators: WSGI apps on real sockets, with connections that can be broken.

Every answer carries `Content-Length` or is chunked, and closes its connection (Werkzeug's server
offers no keep-alive), so an unread request body can never be taken for the next request.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn, cast

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import ClosingIterator, get_input_stream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from typing_extensions import Self

logger = logging.getLogger("emulators.http")

STOPPING_KEY = "emulators.stopping"
"""WSGI environ key of the `threading.Event` that is set when the server stops."""

_POLL_SECONDS = 0.02
_JOIN_SECONDS = 5.0
_LINGER_RESET = struct.pack("ii", 1, 0)
_DRAIN_CHUNK = 1 << 20


class AnswerLost(ConnectionAbortedError):  # noqa: N818 - asked for, not an error
    """Raised by an app or its body iterator to end the connection with the answer incomplete."""


class EmulatorServer:
    """Serves a WSGI app on a loopback socket from a daemon thread.

    Use as a context manager, or call `start` and `stop`. Port 0 picks a free port.
    """

    def __init__(self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind the socket; `start` begins to serve.

        Raises:
            SystemExit: When the port is taken.
        """
        self._stopping = threading.Event()
        self._server = _Server(host, port, _framed(app, self._stopping), _RequestHandler)
        self._thread = threading.Thread(target=self._serve, name="emulator-server", daemon=True)

    @property
    def url(self) -> str:
        """Base URL without a trailing slash, such as `http://127.0.0.1:8001`."""
        return f"http://{self._server.host}:{self._server.port}"

    def start(self) -> Self:
        """Begin to answer requests."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and cut every open connection; hanging handlers are let go."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.end_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=_POLL_SECONDS)


def reset_connection(environ: WSGIEnvironment) -> NoReturn:
    """End the client's connection with a TCP reset, now or in the middle of a body.

    Raises:
        AnswerLost: Always; let it pass through the app.
    """
    client = _client_socket(environ)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
    # The server drains what the client still sends before it closes; this ends that at once.
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RD)
    raise AnswerLost("connection reset on demand")


def close_connection(environ: WSGIEnvironment) -> NoReturn:
    """Close the client's connection in order but without a (complete) answer.

    Raises:
        AnswerLost: Always; let it pass through the app.
    """
    drain_request(environ)
    raise AnswerLost("connection closed on demand")


def hang(environ: WSGIEnvironment, seconds: float = 300.0) -> None:
    """Send nothing until the time is over, the client has gone or the server stops.

    Raises:
        AnswerLost: When the client went or the server stops.
    """
    drain_request(environ)
    client = _client_socket(environ)
    stopping = cast("threading.Event", environ[STOPPING_KEY])
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if stopping.wait(_POLL_SECONDS) or _has_gone(client):
            raise AnswerLost("nobody waits any more")


def drain_request(environ: WSGIEnvironment) -> None:
    """Read what is left of the request body, so that closing does not become a reset."""
    with contextlib.suppress(ClientDisconnected, OSError):
        while environ["wsgi.input"].read(_DRAIN_CHUNK):
            pass


def _client_socket(environ: WSGIEnvironment) -> socket.socket:
    return cast("socket.socket", environ["werkzeug.socket"])


def _has_gone(client: socket.socket) -> bool:
    try:
        readable, _, _ = select.select([client], [], [], 0)
        return bool(readable) and client.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True


def _framed(app: WSGIApplication, stopping: threading.Event) -> WSGIApplication:
    """Give the app a request body that ends where the body ends, and leave none of it unread."""

    def framed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = get_input_stream(environ)
        environ["wsgi.input_terminated"] = True
        environ[STOPPING_KEY] = stopping
        body = app(environ, start_response)
        return ClosingIterator(body, [lambda: drain_request(environ)])

    return framed


class _Server(ThreadedWSGIServer):
    """Keeps its open connections and their threads, to be able to end them all."""

    def __init__(
        self,
        host: str,
        port: int,
        app: WSGIApplication,
        handler: type[WSGIRequestHandler],
    ) -> None:
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(host, port, app, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_LINGER_RESET))
        if linger == _LINGER_RESET:
            request.close()  # no orderly shutdown before it: the client must see the reset
        else:
            super().shutdown_request(request)

    def end_connections(self) -> None:
        with self._lock:
            open_connections = dict(self._connections)
        for connection in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in open_connections.values():
            thread.join(_JOIN_SECONDS)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base's
        level = logging.ERROR if type == "error" else logging.DEBUG
        logger.log(level, message, *args)


class _RequestHandler(WSGIRequestHandler):
    """HTTP/1.1 with a quiet log that never shows a query string."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def connection_dropped(
        self,
        error: BaseException,
        environ: WSGIEnvironment | None = None,  # noqa: ARG002 - as in the base class
    ) -> None:
        self.close_connection = True
        logger.debug("connection ended: %s", error)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - base
        logger.debug("%s %s %s", self.command, self.path.partition("?")[0], code)

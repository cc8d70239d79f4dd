"""`python -m benchmarks.static_server FOLDER`: exports of generated days, straight from files.

It speaks as much of the Raw Event Export API (https://developer.mixpanel.com/reference/raw-event-export)
as a first run needs, and costs next to nothing, so that it is not what is measured: each day is a
gzip member that is there already, and the kernel sends it.
"""

from __future__ import annotations

import gzip
import sys
from datetime import date, datetime, timedelta, timezone
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.event_days import day_file

EXPORT_PATH = "/api/2.0/export"
LISTENING = "listening on "

_SELECTIONS = ("where", "event")


class RefusedError(Exception):
    """A request that gets another answer than events.

    Attributes:
        status: The answer's status.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class StaticServer(ThreadingHTTPServer):
    """Serves the days of a folder on a free loopback port."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        """Bind the socket; `serve_forever` begins to answer."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder

    @property
    def url(self) -> str:
        """Base URL without a trailing slash."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StaticServer

    def do_GET(self) -> None:
        try:
            parameters = self._parameters()
            files = [file for file in map(self._file, _days(parameters)) if file.exists()]
        except RefusedError as refusal:
            self._send_text(refusal.status, str(refusal).encode())
            return
        if "limit" in parameters:
            self._send_text(HTTPStatus.OK, _first_lines(files, int(parameters["limit"])))
        else:
            self._send_files(files)

    def _send_text(self, status: HTTPStatus, text: bytes) -> None:
        self._begin(status, len(text))
        self.wfile.write(text)

    def _send_files(self, files: list[Path]) -> None:
        size = sum(file.stat().st_size for file in files)
        self._begin(HTTPStatus.OK, size, encoding="gzip" if size else None)
        for file in files:
            with file.open("rb") as content:
                self.connection.sendfile(content)

    def _parameters(self) -> dict[str, str]:
        """What is asked for.

        Raises:
            RefusedError: There is another answer.
        """
        address = urlsplit(self.path)
        if address.path != EXPORT_PATH:
            raise RefusedError(HTTPStatus.NOT_FOUND, "Not Found")
        if "Authorization" not in self.headers:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "Unable to authenticate request")
        parameters = {name: values[-1] for name, values in parse_qs(address.query).items()}
        for name in _SELECTIONS:
            if name in parameters:
                reason = f"this server answers with whole days, not with a selection by {name}"
                raise RefusedError(HTTPStatus.BAD_REQUEST, reason)
        if parameters.get("time_in_ms") != "true":
            raise RefusedError(HTTPStatus.BAD_REQUEST, "this server has only times in ms")
        return parameters

    def _file(self, day: date) -> Path:
        return day_file(self.server.folder, day)

    def _begin(self, status: HTTPStatus, size: int, encoding: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(size))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing is logged."""


def _days(parameters: dict[str, str]) -> list[date]:
    try:
        first, last = (date.fromisoformat(parameters[name]) for name in ("from_date", "to_date"))
    except (KeyError, ValueError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "from_date and to_date are needed") from None
    if last > datetime.now(timezone.utc).date():
        raise RefusedError(HTTPStatus.BAD_REQUEST, "to_date cannot be later than today")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _first_lines(files: list[Path], count: int) -> bytes:
    """As few as a sample is, uncompressed."""
    lines: list[bytes] = []
    for file in files:
        with gzip.open(file) as content:
            lines += islice(content, count - len(lines))
    return b"".join(lines)


def main() -> None:
    """Serve until a signal ends the process; the address is told on stdout."""
    with StaticServer(Path(sys.argv[1])) as server:
        print(f"{LISTENING}{server.url}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()

"""One request to the Raw Event Export API.

https://developer.mixpanel.com/reference/raw-event-export
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import requests
import urllib3
from singer_sdk import metrics
from typing_extensions import Self
from urllib3.connection import HTTPConnection

from tap_mixpanel_export.bookmark_json import STREAM
from tap_mixpanel_export.deadline import Deadline, DeadlineAdapter
from tap_mixpanel_export.errors import (
    AttemptError,
    CutOffError,
    ExportRefusedError,
    RateLimitedError,
    TimedOutError,
)
from tap_mixpanel_export.response_errors import SHOWN_BYTES, error_of, redacted, server_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.request_queue import RequestQueue
    from tap_mixpanel_export.settings import Settings
    from tap_mixpanel_export.window_plan import PlannedWindow

EXPORT_PATH = "/api/2.0/export"

_CONNECT_TIMEOUT = 30.0
_OK = 200
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_CHECK_HOST = "; check api_url and region, and the proxy's settings"


class ExportClient:
    """Sends export requests, one attempt each, from any thread; use as a context manager.

    Attributes:
        requests: How many it has sent.
        requests_left: How many may still begin in this hour.
    """

    def __init__(
        self,
        settings: Settings,
        queue: RequestQueue,
        clock: Clock,
        deadline: Deadline | None = None,
    ) -> None:
        """Create the client.

        Args:
            settings: The tap's settings.
            queue: Says when a request may begin.
            clock: Tells the time to which a ``Retry-After`` refers.
            deadline: When the last answer must be whole; a connection is shut down then.
        """
        self._settings = settings
        self._deadline = deadline
        self._queue = queue
        self._clock = clock
        self._hidden = (*settings.credentials.secrets, *_written(settings.where))
        self._counter = metrics.http_request_counter(STREAM, EXPORT_PATH)
        self._lock = threading.Lock()
        self.requests = 0
        self.requests_left = settings.max_requests_per_hour

    def __enter__(self) -> Self:
        self._counter.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._counter.__exit__(exc_type, exc, traceback)

    @contextmanager
    def export(self, window: PlannedWindow, ended: threading.Event) -> Iterator[requests.Response]:
        """Ask for a window's events, as soon as the budget allows it.

        Args:
            window: What to ask for.
            ended: Set when nobody needs the answer any more.

        Yields:
            An answer of status 200, its body not read yet.

        Raises:
            AttemptError: This attempt failed, also while the caller reads the body.
            DayNotStartedError: The window ends after the project's today.
            ExportRefusedError: Mixpanel would refuse it again.
            RunEndedError: Nobody needs the answer any more.
        """
        with (
            self._queue.turn(window.place, ended) as requests_left,
            self._counted(requests_left) as duration,
            self._in_time(),
            self._transport_errors(AttemptError),
            _session(self._settings, self._deadline) as session,
            self._get(session, window) as response,
        ):
            duration.tags[metrics.Tag.HTTP_STATUS_CODE] = response.status_code
            if response.status_code != _OK:
                self._refuse(response)
            with self._transport_errors(CutOffError):
                yield response

    @contextmanager
    def _counted(self, requests_left: int) -> Iterator[metrics.Timer]:
        with self._lock:
            self.requests += 1
            self.requests_left = requests_left
            self._counter.increment()
        tags = {metrics.Tag.STREAM: STREAM, metrics.Tag.ENDPOINT: EXPORT_PATH}
        with metrics.Timer(metrics.Metric.HTTP_REQUEST_DURATION, tags) as duration:
            yield duration

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Tell what the deadline has cut off, which may look whole, from other failures."""
        try:
            yield
        except RateLimitedError:
            raise
        except AttemptError as error:
            if self._deadline is not None and self._deadline.is_over():
                raise self._late(self._deadline) from error
            raise
        if self._deadline is not None and self._deadline.is_over():
            raise self._late(self._deadline)

    def _late(self, deadline: Deadline) -> TimedOutError:
        url = self._settings.api_url
        return TimedOutError(f"{url} sent no whole answer within {deadline.seconds:.0f} s")

    def _get(self, session: requests.Session, window: PlannedWindow) -> requests.Response:
        settings = self._settings
        timeouts = (_CONNECT_TIMEOUT, settings.request_timeout)
        if self._deadline is not None:
            timeouts = (self._deadline.timeout(timeouts[0]), self._deadline.timeout(timeouts[1]))
        return session.get(
            settings.api_url + EXPORT_PATH,
            params=_parameters(settings, window),
            auth=settings.credentials,
            stream=True,
            allow_redirects=False,
            timeout=timeouts,
        )

    def _refuse(self, response: requests.Response) -> None:
        credentials = self._settings.credentials
        body = response.raw.read(4 * SHOWN_BYTES, decode_content=True)
        raise error_of(
            response.status_code,
            server_words(body, self._hidden),
            retry_after=response.headers.get("Retry-After"),
            credentials=credentials,
            now=self._clock.now(),
        )

    @contextmanager
    def _transport_errors(self, kind: type[AttemptError]) -> Iterator[None]:
        try:
            yield
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidProxyURL,
            requests.exceptions.InvalidHeader,
        ) as error:
            raise self._unusable(error) from error
        except (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as error:
            raise TimedOutError(
                f"{self._settings.api_url} sent nothing for {self._settings.request_timeout:g} s "
                "(request_timeout)"
            ) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            if _UNTRUSTED in str(error):
                raise self._unusable(error) from error
            advice = _CHECK_HOST if _found_no_server(error) else ""
            raise kind(
                f"the connection to {self._settings.api_url} failed ({self._words(error)}){advice}"
            ) from error

    def _unusable(self, error: Exception) -> ExportRefusedError:
        return ExportRefusedError(
            f"cannot ask {self._settings.api_url}: {self._words(error)}; check api_url, "
            "user_agent, the proxy's settings and the machine's certificates"
        )

    def _words(self, error: Exception) -> str:
        text = redacted(f"{type(error).__name__}: {error}", self._hidden)
        return text[:SHOWN_BYTES]


def _found_no_server(error: Exception) -> bool:
    """Whether nothing answered under the address, or no such host is known."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _parameters(settings: Settings, window: PlannedWindow) -> dict[str, str]:
    parameters = {
        "from_date": window.days.first_day.isoformat(),
        "to_date": window.days.last_day.isoformat(),
        "time_in_ms": "true",
    }
    if settings.project_id:
        parameters["project_id"] = settings.project_id
    if settings.events:
        parameters["event"] = json.dumps(settings.events)
    where = _where(settings, window)
    if where:
        parameters["where"] = where
    if window.limit is not None:
        parameters["limit"] = str(window.limit)
    return parameters


def _written(where: str | None) -> tuple[str, ...]:
    """The ways in which a filter, which may hold customer data, is written in an address."""
    return (where, quote(where), quote_plus(where)) if where else ()


def _where(settings: Settings, window: PlannedWindow) -> str | None:
    """Join the user's own filter with the window's, if Mixpanel is to select arrivals."""
    if not window.by_arrival:
        return settings.where
    arrivals = window.expression()
    return f"({settings.where}) and ({arrivals})" if settings.where else arrivals


def _session(settings: Settings, deadline: Deadline | None) -> requests.Session:
    session = requests.Session()
    session.headers.update(
        {
            "Accept": "text/plain",
            "Accept-Encoding": "gzip",
            "User-Agent": settings.user_agent,
        }
    )
    for prefix in ("http://", "https://"):
        session.mount(prefix, _KeepAliveAdapter(deadline))
    return session


class _KeepAliveAdapter(DeadlineAdapter):
    """Keeps idle connections alive through NAT and load balancers.

    Mixpanel can take minutes before the first byte:
    https://github.com/treasure-data/embulk-input-mixpanel/pull/48
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, socket_options=_socket_options(), **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, socket_options=_socket_options(), **kwargs)


def _socket_options() -> list[tuple[int, int, int | bytes]]:
    options = [*HTTPConnection.default_socket_options]
    options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
    for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, name):  # not on every system
            options.append((socket.IPPROTO_TCP, getattr(socket, name), seconds))
    return options

"""The Mixpanel emulator: a WSGI app with the raw export endpoint and `/api/app/me`.

Faults (`emulators.faults`): `status` with args `status`, `body`, `headers`; `close`; and, for the
export, those of `emulators.mixpanel.body_faults`.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from emulators.faults import (
    TRANSPORT_KINDS,
    Fault,
    FaultPlan,
    RequestLog,
    admin_response,
    break_transport,
    json_response,
    status_response,
)
from emulators.mixpanel import body, body_faults
from emulators.mixpanel.account import me
from emulators.mixpanel.admin import ADMIN_PREFIX, Admin
from emulators.mixpanel.clock import Clock
from emulators.mixpanel.errors import NO_EXPORT_IN_PLAN, TO_DATE_IN_FUTURE, Refused
from emulators.mixpanel.lexicon import PROJECTS_PATH, Lexicon
from emulators.mixpanel.limits import Limits, RateLimiter
from emulators.mixpanel.parameters import ExportParameters, export_parameters, project_id
from emulators.mixpanel.project import Authenticator, Project, Region
from emulators.mixpanel.store import EventStore
from emulators.server import EmulatorServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

EXPORT_PATH = "/api/2.0/export"
ME_PATH = "/api/app/me"

_ANY_PATH_KINDS = TRANSPORT_KINDS | {"status"}
_KINDS = _ANY_PATH_KINDS | body_faults.BODY_KINDS


class MixpanelEmulator:
    """A WSGI app that stands in for data.mixpanel.com and mixpanel.com.

    Attributes:
        projects: Those of its region, by id.
        clock: The emulator's now; decides which events have arrived and what today is.
        faults: What goes wrong.
        requests: What was asked, the admin endpoints aside.
        limiter: The rate limits' state.
        store: The events.
    """

    def __init__(
        self,
        data_dir: Path | str | None = None,
        *,
        projects: Iterable[Project],
        region: Region | None = None,
        limits: Limits | None = None,
        now: Callable[[], float] = time.time,
        limit_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the emulator.

        Args:
            data_dir: Where events are kept; default a temporary directory, gone with the emulator.
            projects: The projects it knows.
            region: Whose hosts it stands for: projects of other regions are unknown to it, and so
                are their credentials. None stands for all regions.
            limits: Rate limits; default Mixpanel's.
            now: Epoch seconds.
            limit_clock: Seconds of the rate limits, apart from `now`.
        """
        directory = _temporary_directory(self) if data_dir is None else Path(data_dir)
        self.projects = {
            project.id: project for project in projects if region in {None, project.region}
        }
        self.clock = Clock(now)
        self.faults = FaultPlan(_KINDS)
        self.requests = RequestLog()
        limits = limits or Limits()
        self.limiter = RateLimiter(limits, limit_clock)
        self.store = EventStore(directory / "events")
        self._authenticator = Authenticator(self.projects, self.clock)
        self._lexicon = Lexicon(self._authenticator, limits.schemas_per_minute, limit_clock)
        self._admin = Admin(self.store, self.clock, frozenset(self.projects))

    def add_events(self, project_id: int, events: Iterable[dict[str, Any]]) -> int:
        """Store events `{"event", "properties"}` with `time` in ms; returns how many.

        Raises:
            ValueError: For an event that is not of that form.
        """
        return self.store.add(project_id, events)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (WSGI)."""
        request = Request(environ)
        response = admin_response(request, self.faults, self.requests)
        if response is None and request.path.startswith(ADMIN_PREFIX):
            response = self._admin.response(request)
        if response is None:
            response = self._logged(request)
        return response(environ, start_response)

    def _logged(self, request: Request) -> Response:
        entry = self.requests.add(request)
        response = self._answer(request)
        entry.status = response.status_code
        return response

    def _answer(self, request: Request) -> Response:
        is_lexicon = request.path.startswith(PROJECTS_PATH)
        if not is_lexicon and request.path not in {EXPORT_PATH, ME_PATH}:
            return Response("Not Found", status=404)
        if request.method != "GET":
            return Response(status=405, headers={"Allow": "GET"})
        try:
            if is_lexicon:
                return self._schemas(request)
            return self._me(request) if request.path == ME_PATH else self._export(request)
        except Refused as refusal:
            return refusal.response(request)

    def _me(self, request: Request) -> Response:
        fault = self.faults.take(request, _ANY_PATH_KINDS)
        if fault is not None:
            return _broken(fault, request)
        projects = self._authenticator.accessible(request.headers.get("Authorization"))
        return json_response({"status": "ok", "results": me(projects)})

    def _schemas(self, request: Request) -> Response:
        fault = self.faults.take(request, _ANY_PATH_KINDS)
        return self._lexicon.response(request) if fault is None else _broken(fault, request)

    def _export(self, request: Request) -> Response:
        project = self._authenticator.project(
            request.headers.get("Authorization"), project_id(request.args)
        )
        if not project.plan_allows_export:
            raise Refused(402, NO_EXPORT_IN_PLAN)
        parameters = export_parameters(request.args)
        if parameters.to_date > project.today(self.clock()):
            raise Refused(400, TO_DATE_IN_FUTURE)
        self.limiter.enter(project.id)
        try:
            response = self._limited_export(project, parameters, request)
        except BaseException:
            self.limiter.leave(project.id)
            raise
        response.call_on_close(lambda: self.limiter.leave(project.id))
        return response

    def _limited_export(
        self, project: Project, parameters: ExportParameters, request: Request
    ) -> Response:
        fault = self.faults.take(request, _KINDS)
        if fault is not None and (fault.kind == "status" or _breaks_at_once(fault)):
            return _broken(fault, request)
        blocks = body.select(
            self.store.lines(
                project.id, parameters.from_date, parameters.to_date, arrived_by=self.clock()
            ),
            events=parameters.events,
            where=parameters.where,
            limit=parameters.limit,
        )
        if not parameters.time_in_ms:
            blocks = body.in_seconds(blocks)
        if project.most_events is not None:
            blocks = body_faults.aborted_after(blocks, project.most_events)
        return _streamed(blocks, request, fault)


@contextmanager
def running(emulator: MixpanelEmulator) -> Iterator[str]:
    """Serve an emulator on a free loopback port; gives the base URL."""
    with EmulatorServer(emulator) as server:
        yield server.url


def _temporary_directory(owner: object) -> Path:
    """A directory that goes away with its owner."""
    directory = tempfile.mkdtemp(prefix="mixpanel-emulator-")
    weakref.finalize(owner, shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


def _broken(fault: Fault, request: Request) -> Response:
    """The answer of a `status` fault; of any other there is none.

    Raises:
        AnswerLost: For a fault of the connection.
    """
    if fault.kind != "status":
        break_transport(fault, request)
    return status_response(fault)


def _breaks_at_once(fault: Fault) -> bool:
    in_mid_body = fault.kind in body_faults.STREAM_KINDS and "after_bytes" in fault.args
    return fault.kind in TRANSPORT_KINDS and not in_mid_body


def _streamed(blocks: Iterator[list[bytes]], request: Request, fault: Fault | None) -> Response:
    kind = None if fault is None else fault.kind
    if fault is not None and kind in body_faults.LINE_KINDS:
        blocks = body_faults.spoil_lines(blocks, fault)
    chunks = body.joined(blocks)
    if fault is not None and kind in body_faults.TEXT_KINDS:
        chunks = body_faults.spoil_text(chunks, fault)
    head, larger = body.starts_larger(chunks, body.GZIP_MINIMUM_BYTES)
    chunks = chain(head, chunks)
    compress = _accepts_gzip(request) and (larger or kind == "cut_gzip")
    if compress:
        chunks = body.gzipped(chunks)
    if fault is not None and kind in body_faults.STREAM_KINDS:
        chunks = body_faults.spoil_stream(chunks, fault, request.environ)
    elif not head:
        return Response(b"", content_type="text/plain")
    headers = {"Content-Encoding": "gzip"} if compress else {}
    return Response(chunks, headers=headers, content_type="text/plain")


def _accepts_gzip(request: Request) -> bool:
    return any(name == "gzip" and quality > 0 for name, quality in request.accept_encodings)

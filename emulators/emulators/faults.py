"""Faults on demand, the request log, and the admin endpoints that both emulators share.

Endpoints: `POST /__emulator__/faults` (one fault or a list), `GET` and `DELETE` of the same path;
`GET` and `DELETE /__emulator__/requests`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from emulators.server import close_connection, hang, reset_connection

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

FAULTS_PATH = "/__emulator__/faults"
REQUESTS_PATH = "/__emulator__/requests"
TRANSPORT_KINDS = frozenset({"reset", "close", "hang"})

_SECRET_PARAMETERS = frozenset(
    {"access_token", "api_key", "api_secret", "client_secret", "refresh_token", "sig", "token"}
)
_LOGGED_REQUESTS = 100_000


@dataclass
class Fault:
    """Something that goes wrong, for the requests it matches.

    Attributes:
        kind: What goes wrong; each emulator documents its kinds.
        times: How many matching requests it hits; None for all of them.
        match: Conditions, all of which must hold: `method`, `path` (prefix), `query` (mapping of
            parameters to their exact values).
        args: Details of the kind.
        skip: How many matching requests pass before the first hit.
        after_effect: Perform the request's effect first, then lose the answer.
    """

    kind: str
    times: int | None = 1
    match: dict[str, Any] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)
    skip: int = 0
    after_effect: bool = False

    def matches(self, request: Request) -> bool:
        """Whether the conditions hold for the request."""
        query: Mapping[str, Any] = self.match.get("query", {})
        return (
            self.match.get("method", request.method) == request.method
            and request.path.startswith(self.match.get("path", ""))
            and all(request.args.get(name) == str(value) for name, value in query.items())
        )

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Build a fault from its JSON form, an object with the attributes' names.

        Raises:
            ValueError: For anything else than such an object.
        """
        if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
            raise ValueError("a fault is an object with a `kind`")  # noqa: TRY004 - input, not a bug
        fault_match = value.get("match", {})
        if not isinstance(fault_match, dict) or fault_match.keys() - {"method", "path", "query"}:
            raise ValueError("`match` has only `method`, `path` and `query`")
        try:
            return cls(**value)
        except TypeError as error:
            raise ValueError(str(error)) from error


class FaultPlan:
    """The faults that wait for their requests; safe to use from several threads."""

    def __init__(self, kinds: Container[str] | None = None) -> None:
        """Begin without faults; `kinds` limits what may be added."""
        self._kinds = kinds
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Queue faults; of several that match a request, the first one added hits it.

        Raises:
            ValueError: For a kind that the emulator doesn't have; none is added then.
        """
        for fault in faults:
            if self._kinds is not None and fault.kind not in self._kinds:
                raise ValueError(f"no fault of kind {fault.kind}")
        with self._lock:
            self._faults.extend(faults)

    def take(self, request: Request, kinds: Container[str] | None = None) -> Fault | None:
        """Use up one hit of the first fault of these kinds (default: any) that matches."""
        with self._lock:
            for fault in self._faults:
                if (kinds is None or fault.kind in kinds) and fault.matches(request):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    self._count_down(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[dict[str, Any]]:
        """The waiting faults in their JSON form."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def _count_down(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)


@dataclass
class LoggedRequest:
    """One request as it was seen: `time` in epoch seconds, `status` None while unanswered."""

    time: float
    method: str
    path: str
    query: dict[str, str]
    status: int | None = None


class RequestLog:
    """The latest requests, oldest first, without secrets; safe to use from several threads."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=_LOGGED_REQUESTS)
        self._lock = threading.Lock()

    def add(self, request: Request, status: int | None = None) -> LoggedRequest:
        """Log a request; the returned entry's status may be set later."""
        query = {
            name: "***" if name in _SECRET_PARAMETERS else value
            for name, value in request.args.items()
        }
        entry = LoggedRequest(time.time(), request.method, request.path, query, status)
        with self._lock:
            self._entries.append(entry)
        return entry

    def entries(self, path: str = "") -> list[LoggedRequest]:
        """The requests whose path begins with `path`."""
        with self._lock:
            return [entry for entry in self._entries if entry.path.startswith(path)]

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._entries.clear()


def admin_response(request: Request, faults: FaultPlan, requests: RequestLog) -> Response | None:
    """Answer a request to the shared admin endpoints; None for any other path."""
    if request.path == REQUESTS_PATH:
        return _requests_response(request, requests)
    if request.path == FAULTS_PATH:
        return _faults_response(request, faults)
    return None


def status_response(fault: Fault) -> Response:
    """The answer of a `status` fault: args `status` (500), `body` (text or JSON), `headers`."""
    body = fault.args.get("body", "")
    is_text = isinstance(body, str)
    return Response(
        body if is_text else json.dumps(body),
        status=int(fault.args.get("status", 500)),
        headers=fault.args.get("headers", {}),
        content_type=fault.args.get(
            "content_type", "text/plain" if is_text else "application/json"
        ),
    )


def break_transport(fault: Fault, request: Request) -> None:
    """Carry out a fault of `TRANSPORT_KINDS` instead of an answer; `hang` takes arg `seconds`.

    Raises:
        AnswerLost: Always; let it pass through the app.
    """
    if fault.kind == "reset":
        reset_connection(request.environ)
    if fault.kind == "hang":
        hang(request.environ, float(fault.args.get("seconds", 300)))
    close_connection(request.environ)


def json_response(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(value), status=status, content_type="application/json")


def _requests_response(request: Request, requests: RequestLog) -> Response:
    if request.method == "GET":
        return json_response([asdict(entry) for entry in requests.entries()])
    if request.method == "DELETE":
        requests.clear()
        return Response(status=204)
    return _not_allowed("GET, DELETE")


def _faults_response(request: Request, faults: FaultPlan) -> Response:
    if request.method == "GET":
        return json_response(faults.pending())
    if request.method == "DELETE":
        faults.clear()
        return Response(status=204)
    if request.method == "POST":
        return _add_faults(request, faults)
    return _not_allowed("GET, POST, DELETE")


def _add_faults(request: Request, faults: FaultPlan) -> Response:
    try:
        value = json.loads(request.get_data())
        added = [Fault.from_json(item) for item in (value if isinstance(value, list) else [value])]
        faults.add(*added)
    except ValueError as error:
        return json_response({"error": str(error)}, status=400)
    return json_response({"added": len(added)}, status=201)


def _not_allowed(methods: str) -> Response:
    return Response(status=405, headers={"Allow": methods})

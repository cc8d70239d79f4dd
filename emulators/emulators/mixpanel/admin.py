"""Admin endpoints of the Mixpanel emulator, beside those for faults and requests.

- `POST /__emulator__/projects/{id}/events`: JSON lines with `time` in ms, appended → 201
  `{"added": n}`; a bad line → 400, with nothing but the lines before it stored.
- `GET …/events`: everything stored as JSON lines with `time` in ms; with `?visible=true` only what
  has arrived.
- `GET …/events/count`: `{"count": n, "visible": n}`.
- `GET /__emulator__/clock`: `{"now": seconds, "fixed": bool}`. `POST` with `{"now": seconds}` stops
  the clock there, with `{"advance": seconds}` moves it; `DELETE` lets it run again.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from emulators.faults import json_response
from emulators.mixpanel.body import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.mixpanel.clock import Clock
    from emulators.mixpanel.store import EventStore

ADMIN_PREFIX = "/__emulator__/"

_URLS = Map(
    [
        Rule("/__emulator__/projects/<int:project_id>/events", endpoint="events"),
        Rule("/__emulator__/projects/<int:project_id>/events/count", endpoint="count"),
        Rule("/__emulator__/clock", endpoint="clock"),
    ]
)


class Admin(NamedTuple):
    """Looks into the emulator's store and moves its clock."""

    store: EventStore
    clock: Clock
    project_ids: frozenset[int]

    def response(self, request: Request) -> Response:
        """Answer a request below `ADMIN_PREFIX`."""
        try:
            endpoint, values = _URLS.bind_to_environ(request.environ).match()
        except HTTPException as error:
            return Response(str(error), status=error.code or 404)
        if endpoint == "clock":
            return self._clock(request)
        if values["project_id"] not in self.project_ids:
            return json_response({"error": f"no project {values['project_id']}"}, 404)
        if endpoint == "count":
            return self._count(values["project_id"])
        return self._events(request, values["project_id"])

    def _events(self, request: Request, project_id: int) -> Response:
        if request.method == "GET":
            lines = self._lines(project_id, only_visible=request.args.get("visible") == "true")
            return Response(lines, content_type="application/x-ndjson")
        if request.method != "POST":
            return Response(status=405, headers={"Allow": "GET, POST"})
        try:
            added = self.store.add(project_id, _json_lines(request))
        except ValueError as error:
            return json_response({"error": str(error)}, 400)
        return json_response({"added": added}, 201)

    def _lines(self, project_id: int, *, only_visible: bool) -> Iterator[bytes]:
        arrived_by = self.clock() if only_visible else None
        return joined(self.store.lines(project_id, date.min, date.max, arrived_by))

    def _count(self, project_id: int) -> Response:
        visible = self.store.visible_count(project_id, self.clock())
        return json_response({"count": self.store.count(project_id), "visible": visible})

    def _clock(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.clock.release()
        elif request.method == "POST":
            try:
                self._set_clock(json.loads(request.get_data()))
            except (TypeError, ValueError, KeyError):
                return json_response({"error": "give `now` or `advance` in seconds"}, 400)
        return json_response({"now": self.clock(), "fixed": self.clock.fixed})

    def _set_clock(self, body: dict[str, Any]) -> None:
        if "now" in body:
            self.clock.fix(float(body["now"]))
        else:
            self.clock.advance(float(body["advance"]))


def _json_lines(request: Request) -> Iterator[dict[str, Any]]:
    for line in request.stream:
        if line.strip():
            event = json.loads(line)
            if not isinstance(event, dict):
                raise ValueError("each line is an object")
            yield event

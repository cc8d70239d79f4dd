"""Reading Lexicon: a project's schemas of events and profiles.

Paths, shapes and refusals: mixpanel/docs `openapi/lexicon-schemas.openapi.yaml`. 5 requests a
minute: https://developer.mixpanel.com/reference/rate-limits. That an entity without a schema
answers 404 is ours: no source tells.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from emulators.faults import json_response
from emulators.mixpanel.errors import RefusedByApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response

    from emulators.mixpanel.project import Authenticator, Project

PROJECTS_PATH = "/api/app/projects/"

_MINUTE = 60.0
_URLS = Map(
    [
        Rule("/api/app/projects/<int:project>/schemas", endpoint="entries"),
        Rule(
            "/api/app/projects/<int:project>/schemas/<any(event,profile):kind>", endpoint="entries"
        ),
        Rule(
            "/api/app/projects/<int:project>/schemas/<any(event,profile):kind>/<path:name>",
            endpoint="schema",
        ),
    ],
    strict_slashes=False,
    merge_slashes=False,  # names may have some
)


class Lexicon:
    """Answers requests for the schemas of projects (`Project.schemas`)."""

    def __init__(
        self, authenticator: Authenticator, per_minute: int | None, clock: Callable[[], float]
    ) -> None:
        """Create it.

        Args:
            authenticator: Knows who may read which project.
            per_minute: Requests of a project in any sliding minute; None for any number.
            clock: Seconds of that limit.
        """
        self._authenticator = authenticator
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: defaultdict[int, deque[float]] = defaultdict(deque)

    def response(self, request: Request) -> Response:
        """Answer a `GET` below `PROJECTS_PATH`.

        Raises:
            RefusedByApp: The service's refusal.
        """
        try:
            endpoint, values = _URLS.bind_to_environ(request.environ).match()
        except HTTPException as error:
            raise RefusedByApp(404, "Not found") from error
        project = self._project(request, values["project"])
        self._count(project)
        kind, name = values.get("kind"), request.args.get("entity_name")
        if endpoint == "schema":
            name = values["name"]
        entries = [entry for entry in project.schemas if _is_asked_for(entry, kind, name)]
        if endpoint == "entries":
            return json_response({"results": entries, "status": "ok"})
        if not entries:
            raise RefusedByApp(404, f"No schema for {kind} {name}")
        return json_response(entries[0]["schemaJson"])

    def _project(self, request: Request, project_id: int) -> Project:
        authorization = request.headers.get("Authorization")
        for project in self._authenticator.accessible(authorization):
            if project.id == project_id:
                return project
        raise RefusedByApp(403, f"No permission to read project {project_id}")

    def _count(self, project: Project) -> None:
        with self._lock:
            now, asked = self._clock(), self._asked[project.id]
            while asked and asked[0] <= now - _MINUTE:
                asked.popleft()
            if self._per_minute is not None and len(asked) >= self._per_minute:
                raise RefusedByApp(429, f"More than {self._per_minute} requests in a minute")
            asked.append(now)


def _is_asked_for(entry: dict[str, Any], kind: str | None, name: str | None) -> bool:
    return kind in {None, entry["entityType"]} and name in {None, entry["name"]}

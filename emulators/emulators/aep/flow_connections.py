"""Flow Service (`/data/foundation/flowservice`), reads of base connections only.

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/flow-service.yaml`; the streaming
connection: AdobeDocs/experience-platform.en `help/sources/tutorials/api/create/streaming/http.md`.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from emulators.aep.errors import ApiError
from emulators.aep.registry.listing import filtered
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject

PREFIX = "/data/foundation/flowservice"
STREAMING_SPEC = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"


class FlowConnections:
    """The endpoints; each method answers one."""

    def __init__(self, lake: Lake, org: str, now: Callable[[], float]) -> None:
        self._lake = lake
        self._org = org
        self._now = now

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        connections = f"{PREFIX}/connections"
        return [
            Rule(connections, methods=["GET"], endpoint=self.list_connections),
            Rule(f"{connections}/<connection_id>", methods=["GET"], endpoint=self.read),
        ]

    def add_streaming(
        self, name: str, inlet_url: str, *, sandbox: str = "prod", enabled: bool = True
    ) -> JsonObject:
        """Install a streaming connection.

        Args:
            name: Its name, also its source id.
            inlet_url: Where it takes records.
            sandbox: Where it belongs.
            enabled: Whether its state is `enabled`.

        Returns:
            The connection as the service shows it.
        """
        now = int(self._now() * 1000)
        connection: JsonObject = {
            "id": str(uuid.uuid4()),
            "createdAt": now,
            "updatedAt": now,
            "createdBy": "emulator@AdobeID",
            "updatedBy": "emulator@AdobeID",
            "createdClient": "emulator",
            "updatedClient": "emulator",
            "sandboxId": sandbox,
            "sandboxName": sandbox,
            "imsOrgId": self._org,
            "name": name,
            "connectionSpec": {"id": STREAMING_SPEC, "version": "1.0"},
            "state": "enabled" if enabled else "disabled",
            "auth": {
                "specName": "Streaming Connection",
                "params": {
                    "sourceId": name,
                    "inletUrl": inlet_url,
                    "inletId": inlet_url.rpartition("/")[2],
                    "dataType": "xdm",
                    "name": name,
                    "authenticationRequired": False,
                },
            },
            "version": '"emulator-1"',
            "etag": '"emulator-1"',
        }
        with self._lake.lock:
            self._lake.connections.put(sandbox, connection["id"], connection)
        return connection

    def list_connections(self, request: Request, caller: Caller) -> Response:
        """`GET /connections[?property=…]`."""
        found = filtered(request, self._lake.connections.all_of(caller.sandbox))
        return json_response({"items": found, "_links": {}})

    def read(self, request: Request, caller: Caller, connection_id: str) -> Response:
        """`GET /connections/{id}`: a list of one."""
        del request
        found = self._lake.connections.get(caller.sandbox, connection_id)
        if found is None:
            message = f"There is no connection {connection_id}."
            raise ApiError(404, {"errorMessage": message})
        return json_response({"items": [found]})

"""The WSGI app: routes requests through faults, gateway and services.

Kinds of faults (see `emulators.faults` for how they are matched): `status` (args `status`, `body`,
`headers`), `throttle` (429 in the gateway's shape, arg `retry_after` in seconds), `expired_token`
(revokes every token, then the request meets the gateway), `reset`, `close`, `hang`; each with
`after_effect` performs the request first and then loses its answer. Those of
`emulators.aep.lifecycle.PROMOTION_FAULTS` hit a batch when it is completed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from emulators.aep.catalog import CatalogApi
from emulators.aep.config import DEFAULT_ORG, DEFAULT_TENANT, Credential, Limits, Promotion
from emulators.aep.conversion import ConversionApi
from emulators.aep.creation import PERCENT_NAMES, BatchFactory
from emulators.aep.data_access import DataAccessApi
from emulators.aep.errors import ApiError, gateway_error, problem
from emulators.aep.expression_language import ExpressionLanguageApi
from emulators.aep.flow_connections import FlowConnections
from emulators.aep.gateway import Gateway
from emulators.aep.ims import TOKEN_PATH, TokenService
from emulators.aep.ingestion import IngestionApi
from emulators.aep.inspection import ADMIN_PREFIX, Inspection
from emulators.aep.lake import Lake
from emulators.aep.lifecycle import PROMOTION_FAULTS, Lifecycle
from emulators.aep.namespaces import NamespaceApi
from emulators.aep.provisioning import Provisioning
from emulators.aep.resources_listing import ResourcesListing
from emulators.aep.schema_registry import SchemaRegistryApi
from emulators.aep.uploads import Uploads
from emulators.faults import (
    TRANSPORT_KINDS,
    Fault,
    FaultPlan,
    RequestLog,
    admin_response,
    break_transport,
    status_response,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

REQUEST_FAULTS = TRANSPORT_KINDS | {"status", "throttle", "expired_token"}


class AepEmulator:
    """A WSGI app that stands in for Adobe's services; serve it with `EmulatorServer`.

    Attributes:
        faults: What shall go wrong.
        requests: What was asked.
        tokens: The token service: `mints`, `revoke_all`.
        lifecycle: Moves batches; `settle` ends all walks at once.
        provisioning: Installs schemas and datasets.
        inspection: What is in each dataset.
        resources: Which schemas, field groups, descriptors, namespaces and datasets there are.
        connections: Streaming connections; `add_streaming` installs one.
        conversion: Mapping sets; `add` keeps one, `answers.put` decides what previews answer.
    """

    def __init__(
        self,
        data_dir: str | Path | None = None,
        *,
        org: str = DEFAULT_ORG,
        tenant: str = DEFAULT_TENANT,
        sandboxes: Collection[str] = ("prod",),
        credentials: Sequence[Credential] = (Credential(),),
        limits: Limits | None = None,
        promotion: Promotion | None = None,
        percent_names: Collection[str] = PERCENT_NAMES,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Set up the services.

        Args:
            data_dir: Where the state is kept over restarts; None for a folder that goes away.
            org: The organisation id.
            tenant: The tenant id, without the leading underscore.
            sandboxes: Names of the sandboxes.
            credentials: The known credentials.
            limits: Caps; default: the documented ones.
            promotion: How batches walk to their end.
            percent_names: The spellings of the partial-ingestion threshold that take effect.
            now: The clock, epoch seconds.
        """
        self.org = org
        self.tenant = tenant
        self.sandboxes = tuple(sandboxes)
        self.faults = FaultPlan(REQUEST_FAULTS | frozenset(PROMOTION_FAULTS))
        self.requests = RequestLog()
        self._limits = limits or Limits()
        self._lake = Lake(data_dir)
        self.tokens = TokenService(credentials, self._limits, now)
        self._gateway = Gateway(self.tokens, org, self.sandboxes)
        self.lifecycle = Lifecycle(self._lake, promotion or Promotion(), self._limits, now)
        self.provisioning = Provisioning(self._lake, tenant, self.sandboxes, now)
        self.inspection = Inspection(
            self._lake, self.lifecycle, self.provisioning, self.tokens, self._limits
        )
        self.conversion = ConversionApi(self._lake, now)
        self.connections = FlowConnections(self._lake, org, now)
        self.resources = ResourcesListing(self._lake)
        ingestion = IngestionApi(
            self._lake,
            self.lifecycle,
            Uploads(self._lake, self.lifecycle, self._limits),
            BatchFactory(self._lake, org, percent_names, now),
            self.faults,
            self._limits,
            now,
        )
        services = (
            ingestion,
            CatalogApi(self._lake, self.lifecycle, org, now),
            DataAccessApi(self._lake, self.lifecycle),
            SchemaRegistryApi(self._lake, org, tenant, now),
            NamespaceApi(self._lake, org, now),
            self.connections,
            self.conversion,
            ExpressionLanguageApi(),
        )
        rules = [rule for service in services for rule in service.rules()]
        self._platform = Map(rules, merge_slashes=False)
        admin = [
            *self.inspection.rules(),
            *self.resources.rules(),
            *self.conversion.admin_rules(),
        ]
        self._admin = Map(admin, merge_slashes=False)
        self.lifecycle.resume()

    def close(self) -> None:
        """Let go of running validations."""
        self.lifecycle.stop()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (WSGI)."""
        request = Request(environ)
        return self._response(request)(environ, start_response)

    def _response(self, request: Request) -> Response:
        shared = admin_response(request, self.faults, self.requests)
        if shared is not None:
            return shared
        if request.path.startswith(ADMIN_PREFIX):
            return _refused(self._admin_answer, request)
        entry = self.requests.add(request)
        fault = self.faults.take(request, REQUEST_FAULTS)
        if fault is not None and fault.kind == "expired_token":
            self.tokens.revoke_all()
            fault = None
        if fault is not None and not fault.after_effect:
            response = _faulty(fault, request)
        else:
            response = _refused(self._answer, request)
            if fault is not None:
                response = _faulty(fault, request)
        entry.status = response.status_code
        return response

    def _answer(self, request: Request) -> Response:
        if len(request.url) > self._limits.url_characters:
            raise problem(414, "URI Too Long", f"over {self._limits.url_characters} characters")
        if request.path == TOKEN_PATH:
            return self.tokens.token_response(request)
        endpoint, values = self._platform.bind_to_environ(request.environ).match()
        caller = self._gateway.admit(request)
        response: Response = endpoint(request, caller, **values)
        return response

    def _admin_answer(self, request: Request) -> Response:
        endpoint, values = self._admin.bind_to_environ(request.environ).match()
        response: Response = endpoint(request, **values)
        return response


def _refused(answer: Callable[[Request], Response], request: Request) -> Response:
    try:
        return answer(request)
    except ApiError as error:
        return error.response()
    except HTTPException as error:
        return problem(error.code or 500, error.name, error.description or "").response()


def _faulty(fault: Fault, request: Request) -> Response:
    if fault.kind == "throttle":
        return gateway_error("429050", retry_after=fault.args.get("retry_after")).response()
    if fault.kind == "status":
        return status_response(fault)
    break_transport(fault, request)
    raise AssertionError(f"break_transport returned for {fault.kind}")

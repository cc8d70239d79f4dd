"""Schema Registry (`/data/foundation/schemaregistry`): reads of both containers, writes of one.

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/schema-registry.yaml`. The rules
are in `emulators.aep.registry`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from emulators.aep.errors import registry_error
from emulators.aep.registry import accept
from emulators.aep.registry.composition import flattened
from emulators.aep.registry.descriptors import Descriptors
from emulators.aep.registry.field_group_writes import FieldGroupWrites, not_found
from emulators.aep.registry.listing import filtered, page_of
from emulators.aep.registry.resources import Resources, by_id
from emulators.aep.registry.schema_writes import SchemaWrites
from emulators.aep.registry.unions import unions
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject

PREFIX = "/data/foundation/schemaregistry"

_NOT_FOUND = {
    "classes": "XDM-1010-404",
    "fieldgroups": "XDM-1011-404",
    "mixins": "XDM-1011-404",
    "schemas": "XDM-1012-404",
    "datatypes": "XDM-1013-404",
    "unions": "XDM-1014-404",
}


class SchemaRegistryApi:
    """The endpoints; each method answers one."""

    def __init__(self, lake: Lake, org: str, tenant: str, now: Callable[[], float]) -> None:
        self._lake = lake
        self._org = org
        self._tenant = tenant
        self._resources = Resources(lake, org, tenant, now)
        self._descriptors = Descriptors(self._resources, org)
        groups = FieldGroupWrites(self._resources)
        self._writes: dict[str, FieldGroupWrites | SchemaWrites] = {
            "fieldgroups": groups,
            "mixins": groups,
            "schemas": SchemaWrites(self._resources),
        }

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        listed = f"{PREFIX}/<any(tenant, global):container>/<any({', '.join(_NOT_FOUND)}):kind>"
        written = f"{PREFIX}/tenant/<any({', '.join(self._writes)}):kind>"
        one = f"{written}/<path:identifier>"
        described = f"{PREFIX}/<any(tenant, global):container>/descriptors"
        descriptors = f"{PREFIX}/tenant/descriptors"
        return [
            Rule(f"{PREFIX}/stats", methods=["GET"], endpoint=self.stats),
            Rule(listed, methods=["GET"], endpoint=self.list_resources),
            Rule(f"{listed}/<path:identifier>", methods=["GET"], endpoint=self.read),
            Rule(written, methods=["POST"], endpoint=self.create),
            Rule(one, methods=["PATCH"], endpoint=self.patch),
            Rule(one, methods=["PUT"], endpoint=self.replace),
            Rule(one, methods=["DELETE"], endpoint=self.delete),
            Rule(described, methods=["GET"], endpoint=self.list_descriptors),
            Rule(f"{described}/<identifier>", methods=["GET"], endpoint=self.read_descriptor),
            Rule(descriptors, methods=["POST"], endpoint=self.create_descriptor),
            Rule(f"{descriptors}/<identifier>", methods=["PUT"], endpoint=self.replace_descriptor),
            Rule(
                f"{descriptors}/<identifier>", methods=["DELETE"], endpoint=self.delete_descriptor
            ),
        ]

    def stats(self, request: Request, caller: Caller) -> Response:
        """`GET /stats`: among it the tenant id."""
        del request
        kinds = {kind: self._all("tenant", kind, caller) for kind in ("schemas", "fieldgroups")}
        recent = [_summary(item) for found in kinds.values() for item in found]
        return json_response(
            {
                "imsOrg": self._org,
                "tenantId": self._tenant,
                "counts": {
                    "schemas": len(kinds["schemas"]),
                    "mixins": len(kinds["fieldgroups"]),
                    "datatypes": 0,
                    "classes": 0,
                    "unions": len(self._all("tenant", "unions", caller)),
                },
                "recentlyCreatedResources": recent,
                "recentlyUpdatedResources": [],
                "classUsage": [],
            }
        )

    def list_resources(
        self, request: Request, caller: Caller, container: str, kind: str
    ) -> Response:
        """`GET /{container}/{kind}`."""
        form = accept.form_of_list(request)
        page, links = page_of(request, self._all(container, kind, caller))
        results = [_summary(item) for item in page] if form == "xed-id" else page
        return json_response({"results": results, **links})

    def read(
        self, request: Request, caller: Caller, container: str, kind: str, identifier: str
    ) -> Response:
        """`GET /{container}/{kind}/{meta:altId or URL-encoded $id}`."""
        form = accept.form_of_resource(request)
        document = by_id(self._all(container, kind, caller), identifier)
        if document is None:
            raise not_found(_NOT_FOUND[kind], identifier)
        if "full" in form:
            document = self._full(kind, document, caller)
        elif kind == "unions":
            document = {key: value for key, value in document.items() if key != "properties"}
        return json_response(accept.without_texts(document) if "notext" in form else document)

    def create(self, request: Request, caller: Caller, kind: str) -> Response:
        """`POST /tenant/{kind}`."""
        body = _body(request)
        with self._lake.lock:
            return json_response(self._writes[kind].create(body, caller), status=201)

    def patch(self, request: Request, caller: Caller, kind: str, identifier: str) -> Response:
        """`PATCH /tenant/{kind}/{id}`: a JSON Patch."""
        operations = _body(request)
        with self._lake.lock:
            return json_response(self._writes[kind].patch(identifier, operations, caller))

    def replace(self, request: Request, caller: Caller, kind: str, identifier: str) -> Response:
        """`PUT /tenant/{kind}/{id}`."""
        body = _body(request)
        with self._lake.lock:
            return json_response(self._writes[kind].replace(identifier, body, caller))

    def delete(self, request: Request, caller: Caller, kind: str, identifier: str) -> Response:
        """`DELETE /tenant/{kind}/{id}`."""
        del request
        with self._lake.lock:
            self._writes[kind].delete(identifier, caller)
        return Response(status=204)

    def list_descriptors(self, request: Request, caller: Caller, container: str) -> Response:
        """`GET /{container}/descriptors`: by type, or as pages with `xdm-v2`."""
        form = accept.form_of_descriptors(request)
        found = self._descriptors.all_of(caller.sandbox) if container == "tenant" else []
        if form == "xdm-v2":
            page, links = page_of(request, found)
            return json_response({"results": page, **links})
        shown: dict[str, list[Any]] = {}
        for descriptor in filtered(request, found):
            link = f"/tenant/descriptors/{descriptor['@id']}"
            forms = {"xdm": descriptor, "xdm-id": descriptor["@id"], "xdm-link": link}
            shown.setdefault(descriptor["@type"], []).append(forms[form])
        return json_response(shown)

    def read_descriptor(
        self, request: Request, caller: Caller, container: str, identifier: str
    ) -> Response:
        """`GET /{container}/descriptors/{@id}`; needs no Accept header."""
        del request
        sandbox = caller.sandbox if container == "tenant" else ""
        return json_response(self._descriptors.find(identifier, sandbox))

    def create_descriptor(self, request: Request, caller: Caller) -> Response:
        """`POST /tenant/descriptors`."""
        body = _object(request)
        with self._lake.lock:
            return json_response(self._descriptors.create(body, caller), status=201)

    def replace_descriptor(self, request: Request, caller: Caller, identifier: str) -> Response:
        """`PUT /tenant/descriptors/{@id}`."""
        body = _object(request)
        with self._lake.lock:
            return json_response(self._descriptors.replace(identifier, body, caller))

    def delete_descriptor(self, request: Request, caller: Caller, identifier: str) -> Response:
        """`DELETE /tenant/descriptors/{@id}`."""
        del request
        with self._lake.lock:
            self._descriptors.delete(identifier, caller)
        return Response(status=204)

    def _all(self, container: str, kind: str, caller: Caller) -> list[JsonObject]:
        resources = self._resources
        is_group = kind in ("fieldgroups", "mixins")
        if container == "global":
            if is_group:
                return list(resources.library.values())
            return list(resources.classes.values()) if kind == "classes" else []
        if is_group:
            return self._lake.field_groups.all_of(caller.sandbox)
        if kind == "schemas":
            schemas = self._lake.schemas_of(caller.sandbox)
            return [resources.definition(schema) for schema in schemas]
        return unions(resources, caller.sandbox) if kind == "unions" else []

    def _full(self, kind: str, document: JsonObject, caller: Caller) -> JsonObject:
        if kind == "unions":
            return document
        if kind != "schemas":
            return flattened(document, [document])
        schema = self._lake.find_schema(document["$id"], caller.sandbox)
        return self._resources.full(schema) if schema else document


def _body(request: Request) -> Any:
    if request.mimetype != "application/json":
        raise _bad("The header Content-Type must be application/json.")
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise _bad(f"The body is not JSON: {error}") from error


def _object(request: Request) -> JsonObject:
    body = _body(request)
    if not isinstance(body, dict):
        raise _bad("The body must be a JSON object.")
    return body


def _bad(detail: str) -> Exception:
    return registry_error("EMULATOR-XDM-400", "Bad Request", detail)


def _summary(document: JsonObject) -> JsonObject:
    return {key: document[key] for key in ("$id", "meta:altId", "version", "title")}

"""Schema Registry reads (`/data/foundation/schemaregistry`).

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/schema-registry.yaml` and
AdobeDocs/experience-platform.en `help/xdm/api/getting-started.md` (the Accept header).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from emulators.aep import params
from emulators.aep.errors import problem, registry_error
from emulators.faults import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject, Schema

PREFIX = "/data/foundation/schemaregistry"

_ACCEPT = re.compile(
    r"application/vnd\.adobe\.(xed(?:-id|-full|-notext|-full-notext|-full-desc|-deprecatefield)?)"
    r"\+json(?:\s*;\s*version=(\d+)(?:\.\d+)?)?"
)
_LISTS = frozenset({"xed", "xed-id"})
_MOST = 300
_TEXTS = frozenset({"title", "description"})


class SchemaRegistryApi:
    """The endpoints; each method answers one."""

    def __init__(self, lake: Lake, org: str, tenant: str) -> None:
        self._lake = lake
        self._org = org
        self._tenant = tenant

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        schemas = f"{PREFIX}/<any(tenant, global):container>/schemas"
        return [
            Rule(f"{PREFIX}/stats", methods=["GET"], endpoint=self.stats),
            Rule(schemas, methods=["GET"], endpoint=self.list_schemas),
            Rule(f"{schemas}/<path:schema_id>", methods=["GET"], endpoint=self.read_schema),
        ]

    def stats(self, request: Request, caller: Caller) -> Response:
        """`GET /stats`: among it the tenant id."""
        del request
        schemas = self._schemas(caller)
        return json_response(
            {
                "imsOrg": self._org,
                "tenantId": self._tenant,
                "counts": {
                    "schemas": len(schemas),
                    "mixins": 0,
                    "datatypes": 0,
                    "classes": 0,
                    "unions": 0,
                },
                "recentlyCreatedResources": [_summary(schema) for schema in schemas],
                "recentlyUpdatedResources": [],
                "classUsage": [],
            }
        )

    def list_schemas(self, request: Request, caller: Caller, container: str) -> Response:
        """`GET /{container}/schemas`; the global container is empty here."""
        form = _accepted(request, in_list=True)
        schemas = self._schemas(caller) if container == "tenant" else []
        wanted = request.args.get("property", "")
        if wanted.startswith("title=="):
            schemas = [item for item in schemas if item.title == wanted.removeprefix("title==")]
        limit = params.integer(request, "limit", _MOST, _MOST)
        page = sorted(schemas, key=lambda schema: schema.title)[:limit]
        results = [_summary(item) if form == "xed-id" else self._body(item, form) for item in page]
        return json_response(
            {
                "results": results,
                "_page": {"orderby": "title", "next": None, "count": len(results)},
                "_links": {"next": None},
            }
        )

    def read_schema(
        self, request: Request, caller: Caller, container: str, schema_id: str
    ) -> Response:
        """`GET /{container}/schemas/{meta:altId or URL-encoded $id}`."""
        form = _accepted(request, in_list=False)
        schema = self._lake.find_schema(schema_id, caller.sandbox)
        if schema is None or container != "tenant":
            raise registry_error(
                "XDM-1012-404",
                "Resource Not Found",
                f"Requested resource {schema_id} with version 1 is not found",
            )
        return json_response(self._body(schema, form))

    def _schemas(self, caller: Caller) -> list[Schema]:
        return [item for item in self._lake.schemas.values() if item.sandbox == caller.sandbox]

    def _body(self, schema: Schema, form: str) -> JsonObject:
        """The schema with (`-full`) or without the fields it inherits."""
        body: JsonObject = {
            "$id": schema.id,
            "meta:altId": schema.alt_id,
            "meta:resourceType": "schemas",
            "version": schema.version,
            "imsOrg": self._org,
            "meta:containerId": "tenant",
            "meta:tenantNamespace": f"_{self._tenant}",
            **schema.body,
        }
        if "full" not in form:
            inherited = ("properties", "required", "additionalProperties")
            body = {key: value for key, value in body.items() if key not in inherited}
            body["allOf"] = [{"$ref": ref} for ref in schema.body.get("meta:extends", [])]
        return _without_texts(body) if "notext" in form else body


def _accepted(request: Request, *, in_list: bool) -> str:
    """The form asked for by the Accept header.

    Raises:
        ApiError: 406 for none or another one, 400 for a missing or needless version.
    """
    accept = request.headers.get("Accept", "")
    match = _ACCEPT.fullmatch(accept.strip())
    if match is None or (not in_list and match[1] == "xed-id"):
        raise problem(406, "Accept header invalid", f"No such Accept format: {accept or 'none'}")
    if in_list and (match[2] or match[1] not in _LISTS):
        raise registry_error(
            "XDM-1006-400",
            "Accept header invalid",
            f"The supplied Accept header is not valid: {accept}; a listing takes "
            "application/vnd.adobe.xed+json or application/vnd.adobe.xed-id+json, no version",
        )
    if not in_list and not match[2]:
        raise registry_error(
            "XDM-1007-400",
            "Accept header invalid",
            f"The supplied Accept header is not valid: {accept}; version should be specified",
        )
    if not in_list and match[2] != "1":
        raise problem(406, "Accept header invalid", f"There is no version {match[2]}.")
    return match[1]


def _summary(schema: Schema) -> JsonObject:
    return {
        "$id": schema.id,
        "meta:altId": schema.alt_id,
        "version": schema.version,
        "title": schema.title,
    }


def _without_texts(value: JsonObject) -> JsonObject:
    """Leave out titles and descriptions, but not fields that have such a name."""
    kept: JsonObject = {key: item for key, item in value.items() if key not in _TEXTS}
    if "properties" in kept:
        kept["properties"] = {
            name: _without_texts(field) for name, field in kept["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = _without_texts(kept[key])
    return kept

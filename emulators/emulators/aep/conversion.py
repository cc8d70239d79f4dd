"""Data Prep (`/data/foundation/conversion`): mapping sets.

Source: `data-prep.yaml` of AdobeDocs/experience-platform-apis, and AdobeDocs/experience-platform.en
`help/data-prep/api/mapping-set.md`. Where a version is not asked for, the latest is given. Sets are
kept in memory only.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

from emulators.aep import params
from emulators.aep.errors import problem
from emulators.aep.mapping_preview import PreviewAnswers, field_of
from emulators.aep.mapping_sets import operations, schema_id, served
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject

PREFIX = "/data/foundation/conversion"

_ORDERS = {"createdDate": "createdDate", "updatedDate": "modifiedDate"}


class ConversionApi:
    """The endpoints; each method answers one.

    Attributes:
        answers: What previews answer.
    """

    def __init__(self, lake: Lake, now: Callable[[], float]) -> None:
        self.answers = PreviewAnswers()
        self._lake = lake
        self._now = now
        self._versions: dict[tuple[str, str], list[JsonObject]] = {}

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        sets = f"{PREFIX}/mappingSets"
        return [
            Rule(sets, methods=["GET"], endpoint=self.list_sets),
            Rule(sets, methods=["POST"], endpoint=self.create),
            Rule(f"{sets}/validate", methods=["POST"], endpoint=self.validate),
            Rule(f"{sets}/preview", methods=["POST"], endpoint=self.preview),
            Rule(f"{sets}/<set_id>", methods=["GET"], endpoint=self.read),
            Rule(f"{sets}/<set_id>", methods=["PUT"], endpoint=self.update),
            Rule(f"{sets}/<set_id>/mappings", methods=["GET"], endpoint=self.mappings),
            Rule(f"{sets}/<set_id>/mappings/<mapping_id>", methods=["GET"], endpoint=self.mapping),
        ]

    def admin_rules(self) -> list[Rule]:
        """`POST`, `DELETE /__emulator__/previews`: `{"answers", "form"?}` for the next records."""
        previews = "/__emulator__/previews"
        return [
            Rule(previews, methods=["POST"], endpoint=self._put_answers),
            Rule(previews, methods=["DELETE"], endpoint=self._clear_answers),
        ]

    def add(self, mapping_set: JsonObject, sandbox: str = "prod") -> JsonObject:
        """Keep a new set.

        Args:
            mapping_set: As POST takes it.
            sandbox: Where it belongs.

        Returns:
            The set as GET gives it.

        Raises:
            ApiError: 400 when it is not a mapping set.
        """
        operations(mapping_set)
        now = self._milliseconds()
        document = served(mapping_set, uuid.uuid4().hex, 0, now, now)
        self._versions[sandbox, document["id"]] = [document]
        return document

    def list_sets(self, request: Request, caller: Caller) -> Response:
        """`GET /mappingSets?limit=&start=[&name=][&orderBy=]`."""
        for name in ("limit", "start"):
            if name not in request.args:
                raise problem(400, "Bad Request", f"The parameter {name} is mandatory.")
        start, limit = (params.integer(request, name, 0) for name in ("start", "limit"))
        wanted = request.args.get("name")
        found = [
            versions[-1]
            for (sandbox, _), versions in self._versions.items()
            if sandbox == caller.sandbox and wanted in (None, versions[-1].get("name"))
        ]
        page = _ordered(found, request.args.get("orderBy", ""))[start : start + limit]
        return json_response({"data": page, "_page": {"count": len(page), "limit": limit}})

    def create(self, request: Request, caller: Caller) -> Response:
        """`POST /mappingSets`."""
        document = self.add(params.json_body(request), caller.sandbox)
        return json_response(_without_body(document))

    def read(self, request: Request, caller: Caller, set_id: str) -> Response:
        """`GET /mappingSets/{id}[?version=]`."""
        return json_response(self._wanted(request, caller, set_id))

    def update(self, request: Request, caller: Caller, set_id: str) -> Response:
        """`PUT /mappingSets/{id}`: a new version."""
        versions = self._known(caller, set_id)
        body = params.json_body(request)
        operations(body)
        document = served(
            body, set_id, len(versions), versions[0]["createdDate"], self._milliseconds()
        )
        versions.append(document)
        return json_response(document)

    def mappings(self, request: Request, caller: Caller, set_id: str) -> Response:
        """`GET /mappingSets/{id}/mappings`: a list, as the guide has it."""
        return json_response(self._wanted(request, caller, set_id)["mappings"])

    def mapping(self, request: Request, caller: Caller, set_id: str, mapping_id: str) -> Response:
        """`GET /mappingSets/{id}/mappings/{mappingId}`."""
        for entry in self._wanted(request, caller, set_id)["mappings"]:
            if entry["id"] == mapping_id:
                return json_response(entry)
        raise problem(404, "Not Found", f"There is no mapping {mapping_id}.")

    def validate(self, request: Request, caller: Caller) -> Response:
        """`POST /mappingSets/validate`: an unknown destination fails its mapping."""
        mapping_set = params.json_body(request)
        schema = self._schema(mapping_set, caller)
        results: list[JsonObject] = []
        for operation in operations(mapping_set):
            if not schema or field_of(schema, operation.destination) is not None:
                results.append({"status": "SUCCESS", "errors": None})
                continue
            error = {
                "destination": operation.destination,
                "source": operation.source,
                "sourceType": operation.source_type,
                "exception": "The destination is not in the schema.",
            }
            results.append({"status": "FAILED", "errors": [error]})
        return json_response({"validationResponse": results})

    def preview(self, request: Request, caller: Caller) -> Response:
        """`POST /mappingSets/preview`; see `emulators.aep.mapping_preview`."""
        body = params.json_body(request)
        data, mapping_set = body.get("data"), body.get("mappingSet")
        records: list[Any] = data if isinstance(data, list) else [data]
        if not all(isinstance(record, dict) for record in records):
            raise problem(400, "Bad Request", "data must be records.")
        if not isinstance(mapping_set, dict):
            raise problem(400, "Bad Request", "mappingSet is mandatory.")
        found = operations(mapping_set)
        schema = self._schema(mapping_set, caller)
        return json_response(self.answers.answer(records, found, schema))

    def _put_answers(self, request: Request) -> Response:
        body = params.json_body(request)
        answers = body.get("answers")
        if not isinstance(answers, list) or not all(isinstance(each, dict) for each in answers):
            raise problem(400, "Bad Request", "answers must be a list of objects.")
        self.answers.put(answers, str(body.get("form", "array")))
        return json_response(None, status=201)

    def _clear_answers(self, request: Request) -> Response:
        del request
        self.answers.clear()
        return json_response(None)

    def _wanted(self, request: Request, caller: Caller, set_id: str) -> JsonObject:
        versions = self._known(caller, set_id)
        version = params.integer(request, "version", len(versions) - 1)
        if version >= len(versions):
            raise problem(404, "Not Found", f"Mapping set {set_id} has no version {version}.")
        return versions[version]

    def _known(self, caller: Caller, set_id: str) -> list[JsonObject]:
        versions = self._versions.get((caller.sandbox, set_id))
        if versions is None:
            raise problem(404, "Not Found", f"There is no mapping set {set_id}.")
        return versions

    def _schema(self, mapping_set: JsonObject, caller: Caller) -> JsonObject:
        operations(mapping_set)
        schema = self._lake.find_schema(schema_id(mapping_set), caller.sandbox)
        return schema.body if schema else {}

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)


def _ordered(sets: list[JsonObject], order_by: str) -> list[JsonObject]:
    # A `+` that was not encoded arrives as a blank.
    direction, name = order_by[:1], order_by[1:]
    if not order_by:
        direction, name = "-", "updatedDate"
    if direction not in ("+", "-", " ") or name not in _ORDERS:
        raise problem(
            400, "Bad Request", "orderBy must be + or -, then createdDate or updatedDate."
        )

    def key(mapping_set: JsonObject) -> Any:
        return mapping_set[_ORDERS[name]]

    return sorted(sets, key=key, reverse=direction == "-")


def _without_body(document: JsonObject) -> JsonObject:
    names = ("id", "version", "createdDate", "modifiedDate", "createdBy", "modifiedBy")
    return {name: document[name] for name in names}

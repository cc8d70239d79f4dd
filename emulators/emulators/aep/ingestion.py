"""Batch Ingestion API (`/data/foundation/import`).

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/batch-ingestion.yaml` and
AdobeDocs/experience-platform.en `help/ingestion/batch-ingestion/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from emulators.aep import params
from emulators.aep.errors import gateway_error, problem
from emulators.aep.lifecycle import PROMOTION_FAULTS
from emulators.aep.preview import preview
from emulators.aep.rate import SlidingCounter
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request

    from emulators.aep.config import Limits
    from emulators.aep.creation import BatchFactory
    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.lifecycle import Lifecycle
    from emulators.aep.model import Batch, StoredFile
    from emulators.aep.uploads import Uploads
    from emulators.faults import Fault, FaultPlan

PREFIX = "/data/foundation/import"

_FILE = f"{PREFIX}/batches/<batch_id>/datasets/<dataset_id>/files/<path:path>"
_OK = 200
_CREATED = 201


class IngestionApi:
    """The endpoints; each method answers one."""

    def __init__(
        self,
        lake: Lake,
        lifecycle: Lifecycle,
        uploads: Uploads,
        factory: BatchFactory,
        faults: FaultPlan,
        limits: Limits,
        now: Callable[[], float],
    ) -> None:
        self._lake = lake
        self._lifecycle = lifecycle
        self._uploads = uploads
        self._factory = factory
        self._faults = faults
        self._creations = SlidingCounter(limits.batches_per_minute, now)

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        batch = f"{PREFIX}/batches/<batch_id>"
        look = f"{batch}/datasets/<dataset_id>/preview"
        return [
            Rule(f"{PREFIX}/batches", methods=["POST"], endpoint=self.create),
            Rule(batch, methods=["POST"], endpoint=self.act),
            Rule(look, methods=["GET"], endpoint=self.look),
            Rule(_FILE, methods=["PUT"], endpoint=self.put_file),
            Rule(_FILE, methods=["POST"], endpoint=self.act_on_file),
            Rule(_FILE, methods=["PATCH"], endpoint=self.put_part),
            Rule(_FILE, methods=["HEAD"], endpoint=self.file_status),
        ]

    def create(self, request: Request, caller: Caller) -> Response:
        """`POST /batches`."""
        body = params.json_body(request)
        if not self._creations.admit():
            raise gateway_error("429050")
        batch = self._factory.create(body, caller)
        return json_response(self._factory.answer(batch), status=_CREATED)

    def act(self, request: Request, caller: Caller, batch_id: str) -> Response:
        """`POST /batches/{id}?action=COMPLETE|ABORT|FAIL|REVERT`."""
        batch = self._lake.batch(batch_id, caller.sandbox)
        action = request.args.get("action", "").upper()
        if action == "COMPLETE":
            self._lifecycle.complete(batch, self._promotion_faults(request, batch))
        elif action == "ABORT":
            self._lifecycle.abort(batch)
        elif action == "FAIL":
            self._lifecycle.fail(batch)
        elif action == "REVERT":
            self._lifecycle.revert(batch)
        else:
            raise problem(400, "Bad Request", "action must be COMPLETE, ABORT, FAIL or REVERT")
        return Response(status=_OK)

    def put_file(
        self, request: Request, caller: Caller, batch_id: str, dataset_id: str, path: str
    ) -> Response:
        """`PUT …/files/{path}`: a whole file."""
        batch = self._batch_of(batch_id, dataset_id, caller)
        is_new = self._uploads.put(batch, path, request)
        return Response(status=_CREATED if is_new else _OK)

    def put_part(
        self, request: Request, caller: Caller, batch_id: str, dataset_id: str, path: str
    ) -> Response:
        """`PATCH …/files/{path}`: a part of a large file."""
        batch = self._batch_of(batch_id, dataset_id, caller)
        return json_response(_file_json(path, self._uploads.put_part(batch, path, request)))

    def act_on_file(
        self, request: Request, caller: Caller, batch_id: str, dataset_id: str, path: str
    ) -> Response:
        """`POST …/files/{path}?action=INITIALIZE|COMPLETE`: begin or end a large file."""
        batch = self._batch_of(batch_id, dataset_id, caller)
        action = request.args.get("action", "").upper()
        if action == "INITIALIZE":
            self._uploads.initialize(batch, path)
            return Response(status=_CREATED)
        if action == "COMPLETE":
            return json_response(_file_json(path, self._uploads.complete(batch, path)))
        raise problem(400, "Bad Request", "action must be INITIALIZE or COMPLETE")

    def file_status(
        self, request: Request, caller: Caller, batch_id: str, dataset_id: str, path: str
    ) -> Response:
        """`HEAD …/files/{path}`: the `Range` that was received."""
        del request
        batch = self._batch_of(batch_id, dataset_id, caller)
        last = self._uploads.last_byte(batch, path)
        return Response(headers={} if last is None else {"Range": f"bytes=0-{last}"})

    def look(self, request: Request, caller: Caller, batch_id: str, dataset_id: str) -> Response:
        """`GET …/preview`: the rows uploaded so far."""
        batch = self._batch_of(batch_id, dataset_id, caller)
        if request.args.get("format", "").lower() != "json":
            raise problem(400, "Bad Request", "only format=json can be previewed")
        if batch.state != "loading":
            raise problem(400, "Bad Request", f"Batch {batch.id} is not loading any more.")
        rows = params.integer(request, "nrow", 0)
        multi_line = request.args.get("isMultiLineJson", "false").lower() == "true"
        folder = self._lake.files_folder(batch.id)
        try:
            return json_response(preview(batch, folder, rows=rows, multi_line=multi_line))
        except ValueError as error:
            raise problem(400, "Bad Request", f"The files cannot be parsed: {error}") from error

    def _promotion_faults(self, request: Request, batch: Batch) -> list[Fault]:
        if batch.state != "loading":
            return []
        taken = [self._faults.take(request, {kind}) for kind in PROMOTION_FAULTS]
        return [fault for fault in taken if fault is not None]

    def _batch_of(self, batch_id: str, dataset_id: str, caller: Caller) -> Batch:
        batch = self._lake.batch(batch_id, caller.sandbox)
        if batch.dataset_id != dataset_id:
            raise problem(404, "Not Found", f"Batch {batch_id} has no dataset {dataset_id}.")
        return batch


def _file_json(path: str, file: StoredFile) -> dict[str, object]:
    return {"name": path, "sizeInBytes": file.bytes}

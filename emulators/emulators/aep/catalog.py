"""Catalog Service (`/data/foundation/catalog`): batches and datasets, keyed by their id.

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/catalog.yaml`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from emulators.aep import params
from emulators.aep.dataset_writes import DatasetWrites, attributes_of
from emulators.aep.errors import problem
from emulators.aep.model import ACCEPTED
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug.wrappers import Request, Response

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.lifecycle import Lifecycle
    from emulators.aep.model import Batch, Dataset, JsonObject

PREFIX = "/data/foundation/catalog"

_DEFAULT_LIMIT = 20
_MOST = 100
_FAR_FUTURE = 2**63
_PROPERTY = re.compile(r"(name|description)(==|~)(.+)")


class CatalogApi:
    """The endpoints; each method answers one."""

    def __init__(
        self, lake: Lake, lifecycle: Lifecycle, org: str, now: Callable[[], float]
    ) -> None:
        self._writes = DatasetWrites(lake, PREFIX, now)
        self._lake = lake
        self._lifecycle = lifecycle
        self._org = org

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        return [
            *self._writes.rules(),
            Rule(f"{PREFIX}/batches", methods=["GET"], endpoint=self.list_batches),
            Rule(f"{PREFIX}/batches/<batch_id>", methods=["GET"], endpoint=self.read_batch),
            Rule(f"{PREFIX}/dataSets", methods=["GET"], endpoint=self.list_datasets),
            Rule(f"{PREFIX}/dataSets/<dataset_id>", methods=["GET"], endpoint=self.read_dataset),
        ]

    def read_batch(self, request: Request, caller: Caller, batch_id: str) -> Response:
        """`GET /batches/{id}`; counts as a poll of the batch."""
        batch = self._lake.batch(batch_id, caller.sandbox)
        status = self._lifecycle.status(batch, poll=True)
        shown = self._batch_json(batch, status)
        return json_response({batch.id: params.only(shown, params.chosen(request))})

    def list_batches(self, request: Request, caller: Caller) -> Response:
        """`GET /batches`, newest first; counts as a poll of the batches it returns."""
        limit = params.integer(request, "limit", _DEFAULT_LIMIT, _MOST)
        start = params.integer(request, "start", 0)
        found = [
            self._batch_json(batch, self._lifecycle.status(batch))
            for batch in self._batches(request, caller)
        ]
        wanted = request.args.get("status")
        if wanted is not None:
            found = [batch for batch in found if batch["status"] == wanted]
        page = params.ordered(request, found, "desc:created")[start : start + limit]
        for batch in page:
            self._lifecycle.status(self._lake.batches[batch["id"]], poll=True)
        names = params.chosen(request)
        return json_response({batch["id"]: params.only(batch, names) for batch in page})

    def read_dataset(self, request: Request, caller: Caller, dataset_id: str) -> Response:
        """`GET /dataSets/{id}`."""
        dataset = self._lake.dataset(dataset_id, caller.sandbox)
        shown = self._dataset_json(dataset)
        return json_response({dataset.id: params.only(shown, params.chosen(request))})

    def list_datasets(self, request: Request, caller: Caller) -> Response:
        """`GET /dataSets`."""
        limit = params.integer(request, "limit", _DEFAULT_LIMIT, _MOST)
        start = params.integer(request, "start", 0)
        found = [
            {"id": dataset.id, **self._dataset_json(dataset)}
            for dataset in list(self._lake.datasets.values())
            if dataset.sandbox == caller.sandbox
        ]
        name = request.args.get("name")
        if name is not None:
            found = [dataset for dataset in found if dataset["name"] == name]
        found = _by_property(request, found)
        names = params.chosen(request)
        page = params.ordered(request, found, "desc:created")[start : start + limit]
        return json_response({item.pop("id"): params.only(item, names) for item in page})

    def _batches(self, request: Request, caller: Caller) -> Iterator[Batch]:
        exact = {
            "dataset_id": request.args.get("dataSet"),
            "external_id": request.args.get("externalId"),
            "client_id": request.args.get("createdClient"),
            "id": request.args.get("batch"),
        }
        after = params.integer(request, "createdAfter", -1)
        before = params.integer(request, "createdBefore", _FAR_FUTURE)
        for batch in list(self._lake.batches.values()):
            fits = all(
                value is None or getattr(batch, name) == value for name, value in exact.items()
            )
            if batch.sandbox == caller.sandbox and fits and after < batch.created < before:
                yield batch

    def _batch_json(self, batch: Batch, status: str) -> JsonObject:
        user = f"{batch.client_id}@AdobeID"
        shown: JsonObject = {
            "id": batch.id,
            "imsOrg": self._org,
            "status": status,
            "externalId": batch.external_id,
            "created": batch.created,
            "createdClient": batch.client_id,
            "createdUser": user,
            "updated": batch.updated,
            "updatedUser": user,
            "version": f"1.0.{batch.revision}",
            "tags": batch.tags,
            "inputFormat": batch.input_format,
            "relatedObjects": [{"type": "dataSet", "id": batch.dataset_id}],
            "errors": self._lifecycle.errors(batch),
        }
        if batch.replay is not None:
            shown["replay"] = batch.replay
        if batch.started is not None:
            shown["started"] = batch.started
        if batch.completed is not None:
            shown["completed"] = batch.completed
        if batch.outcome is not None and batch.state != ACCEPTED:
            shown["metrics"] = batch.outcome.metrics
        return shown

    def _dataset_json(self, dataset: Dataset) -> JsonObject:
        ended = [
            batch
            for batch in list(self._lake.batches.values())
            if batch.dataset_id == dataset.id and batch.completed is not None
        ]
        last = max(ended, key=lambda batch: (batch.completed, batch.id), default=None)
        shown: JsonObject = {
            **attributes_of(dataset),
            "imsOrg": self._org,
            "sandboxId": dataset.sandbox,
            "created": dataset.created,
            "updated": dataset.updated or dataset.created,
            "version": f"1.0.{dataset.revision}",
            "observableSchema": {},
            "files": f"@/dataSetFiles?dataSetId={dataset.id}",
        }
        if last is not None:
            shown |= {"lastBatchId": last.id, "lastBatchStatus": last.state}
        return shown


def _by_property(request: Request, found: list[JsonObject]) -> list[JsonObject]:
    """Apply `property=name==X` (equal) or `property=name~X` (regular expression)."""
    text = request.args.get("property")
    if text is None:
        return found
    match = _PROPERTY.fullmatch(text)
    if match is None:
        raise problem(400, "BadRequestError", "property must be like name==X or name~^X")
    field, operator, value = match.groups()
    pattern = re.escape(value) + r"\Z" if operator == "==" else value
    try:
        search = re.compile(pattern)
    except re.error as error:
        raise problem(400, "BadRequestError", f"property: {error}") from error
    is_match = search.match if operator == "==" else search.search
    return [item for item in found if is_match(str(item.get(field, "")))]

"""The emulator's own endpoints (`/__emulator__/…`): what is in each dataset, and installing more.

`GET /datasets`, `GET /datasets/{id}` (counts), `GET /datasets/{id}/rows?start=&limit=` (JSON),
`GET /datasets/{id}/rows.jsonl` (all rows), `POST /schemas` (`{"schema", "sandbox"?}`),
`POST /datasets` (`{"name", "schemaId" or "schema", "sandbox"?, "enableErrorDiagnostics"?,
"tags"?}`), `POST /batches/{id}/status` (`{"status"}`: put a batch there),
`GET` and `DELETE /tokens` (count of mints; revoke all), `POST /settle` (end the walk
of every completed batch), `GET /usage` (batches a day). Faults and the request log:
`emulators.faults`.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from emulators.aep import params
from emulators.aep.errors import problem
from emulators.aep.model import FINAL_STATES
from emulators.aep.rows import count_distinct, read_rows
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from werkzeug.wrappers import Request

    from emulators.aep.config import Limits
    from emulators.aep.ims import TokenService
    from emulators.aep.lake import Lake
    from emulators.aep.lifecycle import Lifecycle
    from emulators.aep.model import Dataset, JsonObject
    from emulators.aep.provisioning import Provisioning

ADMIN_PREFIX = "/__emulator__/"

_DEFAULT_ROWS = 100


class Inspection:
    """Looks into datasets, from Python or over HTTP."""

    def __init__(
        self,
        lake: Lake,
        lifecycle: Lifecycle,
        provisioning: Provisioning,
        tokens: TokenService,
        limits: Limits,
    ) -> None:
        self._lake = lake
        self._lifecycle = lifecycle
        self._provisioning = provisioning
        self._tokens = tokens
        self._limits = limits

    def rules(self) -> list[Rule]:
        """The URL rules."""
        dataset = f"{ADMIN_PREFIX}datasets/<dataset_id>"
        return [
            Rule(f"{ADMIN_PREFIX}datasets", methods=["GET"], endpoint=self._list),
            Rule(f"{ADMIN_PREFIX}datasets", methods=["POST"], endpoint=self._add_dataset),
            Rule(f"{ADMIN_PREFIX}schemas", methods=["POST"], endpoint=self._add_schema),
            Rule(
                f"{ADMIN_PREFIX}batches/<batch_id>/status",
                methods=["POST"],
                endpoint=self._force_status,
            ),
            Rule(dataset, methods=["GET"], endpoint=self._read),
            Rule(f"{dataset}/rows", methods=["GET"], endpoint=self._page),
            Rule(f"{dataset}/rows.jsonl", methods=["GET"], endpoint=self._all_rows),
            Rule(f"{ADMIN_PREFIX}tokens", methods=["GET"], endpoint=self._count_tokens),
            Rule(f"{ADMIN_PREFIX}tokens", methods=["DELETE"], endpoint=self._revoke_tokens),
            Rule(f"{ADMIN_PREFIX}settle", methods=["POST"], endpoint=self._settle),
            Rule(f"{ADMIN_PREFIX}usage", methods=["GET"], endpoint=self._usage),
        ]

    def summary(self, dataset_id: str) -> JsonObject:
        """Counts of a dataset.

        Raises:
            ApiError: 404 when there is no such dataset.
        """
        dataset = self._dataset(dataset_id)
        with self._lake.lock:
            batches = [b for b in self._lake.batches.values() if b.dataset_id == dataset_id]
            statuses = Counter(self._lifecycle.status(batch) for batch in batches)
            promoted = self._lake.promoted(dataset_id)
        ended = [batch.outcome for batch in batches if batch.completed and batch.outcome]
        failed: Counter[str] = Counter()
        for outcome in ended:
            failed.update({code: count for code, count in outcome.codes.items() if count})
        stored = [batch.outcome.metrics for batch in promoted if batch.outcome]
        rows = sum(metrics["outputRecordCount"] for metrics in stored)
        distinct = count_distinct(self._lake.batch_folder(batch.id) for batch in promoted)
        return {
            "id": dataset.id,
            "name": dataset.name,
            "sandbox": dataset.sandbox,
            "schemaId": dataset.schema_id,
            "rows": rows,
            "distinctIds": distinct,
            "duplicates": rows - distinct,
            "bytes": sum(metrics.get("outputByteSize", 0) for metrics in stored),
            "batches": dict(sorted(statuses.items())),
            "largestBatch": max((batch.input_bytes for batch in promoted), default=0),
            "files": sum(len(batch.files) for batch in promoted),
            "largestFile": max(
                (file.bytes for batch in promoted for file in batch.files.values()), default=0
            ),
            "failedRows": dict(sorted(failed.items())),
        }

    def rows(self, dataset_id: str) -> Iterator[JsonObject]:
        """The promoted rows of a dataset, in the order of their batches.

        Raises:
            ApiError: 404 when there is no such dataset.
        """
        return (json.loads(line) for line in self._lines(dataset_id))

    def _lines(self, dataset_id: str) -> Iterator[bytes]:
        self._dataset(dataset_id)
        return read_rows(self._folders(dataset_id))

    def _folders(self, dataset_id: str) -> list[Path]:
        with self._lake.lock:
            for batch in list(self._lake.batches.values()):
                self._lifecycle.status(batch)
            promoted = self._lake.promoted(dataset_id)
        return [self._lake.batch_folder(batch.id) for batch in promoted]

    def _dataset(self, dataset_id: str) -> Dataset:
        dataset = self._lake.datasets.get(dataset_id)
        if dataset is None:
            raise problem(404, "Not Found", f"There is no dataset {dataset_id}.")
        return dataset

    def _list(self, request: Request) -> Response:
        del request
        return json_response([self.summary(dataset_id) for dataset_id in list(self._lake.datasets)])

    def _read(self, request: Request, dataset_id: str) -> Response:
        del request
        return json_response(self.summary(dataset_id))

    def _page(self, request: Request, dataset_id: str) -> Response:
        start = params.integer(request, "start", 0)
        limit = params.integer(request, "limit", _DEFAULT_ROWS)
        lines = islice(self._lines(dataset_id), start, start + limit)
        return json_response([json.loads(line) for line in lines])

    def _all_rows(self, request: Request, dataset_id: str) -> Response:
        del request
        return Response(self._lines(dataset_id), content_type="application/x-ndjson")

    def _add_schema(self, request: Request) -> Response:
        body = params.json_body(request)
        try:
            schema = self._provisioning.add_schema(
                body.get("schema", {}), sandbox=body.get("sandbox", "prod")
            )
        except ValueError as error:
            raise problem(400, "Bad Request", str(error)) from error
        return json_response({"$id": schema.id, "meta:altId": schema.alt_id}, status=201)

    def _add_dataset(self, request: Request) -> Response:
        body = params.json_body(request)
        sandbox = body.get("sandbox", "prod")
        try:
            schema_id = body.get("schemaId")
            if schema_id is None:
                schema_id = self._provisioning.add_schema(
                    body.get("schema", {}), sandbox=sandbox
                ).id
            dataset = self._provisioning.add_dataset(
                str(body.get("name", "")),
                schema_id,
                sandbox=sandbox,
                enable_error_diagnostics=bool(body.get("enableErrorDiagnostics", False)),
                tags=body.get("tags"),
            )
        except ValueError as error:
            raise problem(400, "Bad Request", str(error)) from error
        return json_response({"id": dataset.id, "schemaId": dataset.schema_id}, status=201)

    def _force_status(self, request: Request, batch_id: str) -> Response:
        status = params.json_body(request).get("status")
        batch = self._lake.batches.get(batch_id)
        if batch is None:
            raise problem(404, "Not Found", f"There is no batch {batch_id}.")
        if not isinstance(status, str) or status not in FINAL_STATES:
            raise problem(400, "Bad Request", f"status must be one of {sorted(FINAL_STATES)}")
        self._lifecycle.force(batch, status)
        return Response(status=204)

    def _count_tokens(self, request: Request) -> Response:
        del request
        return json_response({"mints": self._tokens.mints})

    def _revoke_tokens(self, request: Request) -> Response:
        del request
        self._tokens.revoke_all()
        return Response(status=204)

    def _settle(self, request: Request) -> Response:
        del request
        self._lifecycle.settle()
        return Response(status=204)

    def _usage(self, request: Request) -> Response:
        """Batches by sandbox and UTC day, and the days that are over the soft limit."""
        del request
        days = Counter(
            (batch.sandbox, datetime.fromtimestamp(batch.created / 1000, timezone.utc).date())
            for batch in list(self._lake.batches.values())
        )
        soft = self._limits.batches_per_day
        usage = [
            {"sandbox": sandbox, "day": str(day), "batches": count, "overSoftLimit": count > soft}
            for (sandbox, day), count in sorted(days.items())
        ]
        return json_response(usage)

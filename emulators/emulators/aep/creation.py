"""Making a batch from the body of `POST /batches`.

`partialIngestionPercent` (newer documents) and `partialIngestionPercentage` (older ones, and the
aepp client) both occur; which of them the service honours can be chosen.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from emulators.aep.errors import problem
from emulators.aep.model import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject

PERCENT_NAMES = ("partialIngestionPercent", "partialIngestionPercentage")

_FORMATS = frozenset({"json", "parquet", "csv"})
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_CHARACTERS = 26
_RANDOM_BITS = 80
_ALL_PERCENT = 100


class BatchFactory:
    """Creates batches.

    Args:
        lake: Where they go.
        org: The organisation's id.
        percent_names: The spellings of the partial-ingestion threshold that take effect.
        now: The clock.
    """

    def __init__(
        self, lake: Lake, org: str, percent_names: Collection[str], now: Callable[[], float]
    ) -> None:
        self._lake = lake
        self._org = org
        self._percent_names = percent_names
        self._now = now

    def create(self, body: JsonObject, caller: Caller) -> Batch:
        """Check the body and store a new batch.

        Raises:
            ApiError: 400 for a malformed body, an unknown dataset or predecessor, or an
                `externalId` that another batch of the organisation has.
        """
        dataset_id = body.get("datasetId")
        if not isinstance(dataset_id, str) or not dataset_id:
            raise _bad("datasetId is required")
        dataset = self._lake.datasets.get(dataset_id)
        if dataset is None or dataset.sandbox != caller.sandbox:
            raise _bad(f"Dataset {dataset_id} does not exist.")
        input_format = _input_format(body.get("inputFormat"))
        percent = self._percent(body)
        diagnostics = _boolean(body, "enableErrorDiagnostics")
        tags = _tags(body.get("tags", {}))
        if diagnostics is not None:
            tags["acp_enableErrorDiagnostics"] = diagnostics
        if percent is not None:
            tags["acp_partialIngestionPercent"] = percent
        created = int(self._now() * 1000)
        with self._lake.lock:
            batch_id = _ulid(created)
            batch = Batch(
                id=batch_id,
                dataset_id=dataset_id,
                sandbox=caller.sandbox,
                external_id=self._external_id(body, batch_id),
                client_id=caller.client_id,
                created=created,
                updated=created,
                input_format=input_format,
                tags=tags,
                diagnostics=bool(diagnostics) or dataset.enable_error_diagnostics,
                allowed_percent=percent or 0.0,
                predecessors=self._predecessors(body.get("replay"), caller),
                replay=body.get("replay"),
            )
            self._lake.save_batch(batch)
        return batch

    def answer(self, batch: Batch) -> JsonObject:
        """The body of the 201 answer."""
        user = f"{batch.client_id}@AdobeID"
        return {
            "id": batch.id,
            "externalId": batch.external_id,
            "imsOrg": self._org,
            "status": "loading",
            "created": batch.created,
            "updated": batch.updated,
            "relatedObjects": [{"type": "dataSet", "id": batch.dataset_id}],
            "version": "1.0.0",
            "tags": batch.tags,
            "createdUser": user,
            "updatedUser": user,
            "inputFormat": batch.input_format,
        }

    def _external_id(self, body: JsonObject, batch_id: str) -> str:
        external_id = body.get("externalId", batch_id)
        if not isinstance(external_id, str) or not external_id:
            raise _bad("externalId must be a text")
        if any(batch.external_id == external_id for batch in self._lake.batches.values()):
            raise _bad(f"A batch with externalId {external_id} exists already.")
        return external_id

    def _percent(self, body: JsonObject) -> float | None:
        for name in self._percent_names:
            value = body.get(name)
            if value is None:
                continue
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not 0 <= value <= _ALL_PERCENT:
                raise _bad(f"{name} must be a number from 0 to 100")
            percent: float = value
            return percent
        return None

    def _predecessors(self, replay: object, caller: Caller) -> list[str]:
        if replay is None:
            return []
        if not isinstance(replay, dict):
            raise _bad("replay must be an object")
        given = [str(item).removeprefix("$") for item in replay.get("predecessors", [])]
        external = [
            str(item).removeprefix("$") for item in replay.get("predecessorsByExternalId", [])
        ]
        known = {
            batch.external_id: batch.id
            for batch in self._lake.batches.values()
            if batch.sandbox == caller.sandbox
        }
        missing = [name for name in external if name not in known]
        missing += [name for name in given if name not in self._lake.batches]
        if missing:
            raise _bad(f"Predecessor {missing[0]} does not exist.")
        return given + [known[name] for name in external]


def _input_format(value: object) -> JsonObject:
    name = value.get("format") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str) or name.lower() not in _FORMATS:
        raise _bad("inputFormat.format must be json, parquet or csv")
    multi_line = value.get("isMultiLineJson", False)
    if not isinstance(multi_line, bool):
        raise _bad("inputFormat.isMultiLineJson must be a boolean")
    if multi_line and name.lower() != "json":
        raise _bad("inputFormat.isMultiLineJson goes with format json only")
    return {**value, "format": name.lower()}


def _boolean(body: JsonObject, name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _bad(f"{name} must be a boolean")
    return value


def _tags(value: object) -> dict[str, Any]:
    is_good = isinstance(value, dict) and all(
        isinstance(items, list) and all(isinstance(item, str) for item in items)
        for items in value.values()
    )
    if not isinstance(value, dict) or not is_good:
        raise _bad("tags must map names to arrays of texts")
    return dict(value)


def _bad(detail: str) -> Exception:
    return problem(400, "Bad Request", detail)


def _ulid(milliseconds: int) -> str:
    value = (milliseconds << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    digits = [_CROCKFORD[(value >> (5 * place)) & 31] for place in range(_ULID_CHARACTERS)]
    return "".join(reversed(digits))

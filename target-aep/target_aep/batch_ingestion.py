"""The Batch Ingestion API: a batch is created, gets files, and is completed.

Every call here is safe to repeat when its answer is lost. Uploads replace and COMPLETE repeats by
the API's own word (help/ingestion/batch-ingestion/troubleshooting.md in
AdobeDocs/experience-platform.en); a batch whose creation went unanswered is found again by its
`externalId`, which is unique in the organisation.
"""

from __future__ import annotations

import json
import typing as t
import uuid
from urllib.parse import quote

from target_aep.errors import PlatformError
from target_aep.platform_client import CATALOG, IMPORT, Body, ResponseLostError
from target_aep.retrying import RetriableError

if t.TYPE_CHECKING:
    from pathlib import Path

    import requests

    from target_aep.platform_client import PlatformClient

_OCTETS = "application/octet-stream"
_TAKEN = frozenset({400, 409})


def create_batch(client: PlatformClient, dataset_id: str, partial_percent: float) -> str:
    """Open a batch for JSON lines.

    Args:
        client: The platform.
        dataset_id: Where it goes.
        partial_percent: Share of bad rows up to which the good ones are still ingested.

    Returns:
        The id of the batch.

    Raises:
        PlatformError: The platform refused, or could not be reached.
    """
    creation = _Creation(client, dataset_id, partial_percent)
    return client.rules.retry(creation.attempt, "creating a batch")


class _Creation:
    """The creation of one batch, over all its tries."""

    def __init__(self, client: PlatformClient, dataset_id: str, partial_percent: float) -> None:
        self._client = client
        self._external_id = f"target-aep-{uuid.uuid4()}"
        self._may_exist = False
        document = {
            "datasetId": dataset_id,
            "externalId": self._external_id,
            "inputFormat": {"format": "json"},
            "enableErrorDiagnostics": True,
            "partialIngestionPercent": partial_percent,
        }
        self._body = Body("application/json", lambda: json.dumps(document))

    def attempt(self) -> str:
        """Create the batch, or find the one that an earlier try has created."""
        try:
            response = self._client.call_once("POST", f"{IMPORT}/batches", body=self._body)
            return _id_of(response)
        except ResponseLostError as error:
            return self._found(error)
        except PlatformError as error:
            if self._may_exist and _is_about_external_id(error):
                return self._found(error)
            raise
        except ValueError as error:  # it was created, but the answer does not tell its id
            return self._found(error)

    def _found(self, error: Exception) -> str:
        self._may_exist = True
        # Catalog may list a batch later than the Import API knows it: then another try helps.
        found = _find_by_external_id(self._client, self._external_id)
        if found is None:
            raise RetriableError(
                str(error), retry_after=getattr(error, "retry_after", None)
            ) from error
        return found


def _id_of(response: requests.Response) -> str:
    try:
        identifier = response.json()["id"]
    except (ValueError, KeyError, TypeError):
        identifier = None
    if not isinstance(identifier, str) or not identifier:
        raise ValueError("the answer does not tell the batch's id")
    return identifier


def _is_about_external_id(error: PlatformError) -> bool:
    return error.status in _TAKEN and (
        error.status == 409 or "externalid" in str(error).lower()  # noqa: PLR2004 - Conflict
    )


def _find_by_external_id(client: PlatformClient, external_id: str) -> str | None:
    found = client.get_json(f"{CATALOG}/batches", params={"externalId": external_id, "limit": "1"})
    if not isinstance(found, dict):
        return None
    ours = (
        identifier
        for identifier, batch in found.items()
        if isinstance(batch, dict) and batch.get("externalId") == external_id
    )
    return next(ours, None)


def upload_file(client: PlatformClient, batch_id: str, dataset_id: str, file: Path) -> None:
    """Upload one file of under 256 MB; repeated, it replaces itself."""
    path = (
        f"{IMPORT}/batches/{quote(batch_id, safe='')}/datasets/{quote(dataset_id, safe='')}"
        f"/files/{quote(file.name)}"
    )
    body = Body(_OCTETS, lambda: file.open("rb"))
    client.call("PUT", path, body=body, timeout=client.rules.timeouts.upload)


def complete_batch(client: PlatformClient, batch_id: str) -> None:
    """Say that all files are there, which starts the promotion."""
    client.call(
        "POST",
        f"{IMPORT}/batches/{quote(batch_id, safe='')}",
        params={"action": "COMPLETE"},
    )


def abort_batch(client: PlatformClient, batch_id: str) -> None:
    """Give up a batch that is not complete, with one try: a run that ends does not wait.

    Raises:
        RetriableError: There was no usable answer.
        PlatformError: The platform refused.
    """
    client.call_once(
        "POST",
        f"{IMPORT}/batches/{quote(batch_id, safe='')}",
        params={"action": "ABORT"},
        timeout=client.rules.timeouts.farewell,
    )

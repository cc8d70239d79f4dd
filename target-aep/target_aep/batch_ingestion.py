"""The Batch Ingestion API: a batch is created, gets files, is completed, and then promoted.

Every call here is safe when its answer is lost. Uploads replace and COMPLETE repeats by the API's
own word (help/ingestion/batch-ingestion/troubleshooting.md in AdobeDocs/experience-platform.en);
a batch whose creation went unanswered is found again by its `externalId`.
"""

from __future__ import annotations

import json
import logging
import time
import typing as t
import uuid
from dataclasses import dataclass
from urllib.parse import quote

from target_aep.errors import BatchFailedError, PlatformError
from target_aep.platform_client import CATALOG, IMPORT, Body, ResponseLostError
from target_aep.retrying import RetriableError

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_aep.platform_client import PlatformClient

logger = logging.getLogger("target-aep")

# Catalog's statuses, help/ingestion/batch-ingestion/troubleshooting.md: "stalled" is a batch that
# the platform gave up on, so it ends a run like a failed one.
PROMOTED: t.Final = frozenset({"success", "active"})
FAILED: t.Final = frozenset(
    {
        "failed",
        "failure",
        "stalled",
        "aborted",
        "abandoned",
        "inactive",
        "deleted",
        "archived",
        "retained",
    }
)

_OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Polling:
    """How often a batch's status is asked for: from `first` to at most `longest` seconds."""

    first: float = 0.5
    factor: float = 1.5
    longest: float = 15.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def create_batch(client: PlatformClient, dataset_id: str, partial_percent: float) -> str:
    """Open a batch for JSON lines.

    Args:
        client: The platform.
        dataset_id: Where it goes.
        partial_percent: Share of bad rows up to which the good ones are still ingested.

    Returns:
        The id of the batch.
    """
    external_id = f"target-aep-{uuid.uuid4()}"
    document = json.dumps(
        {
            "datasetId": dataset_id,
            "externalId": external_id,
            "inputFormat": {"format": "json"},
            "enableErrorDiagnostics": True,
            "partialIngestionPercent": partial_percent,
        }
    )
    body = Body("application/json", lambda: document)

    def attempt() -> str:
        try:
            response = client.call_once("POST", f"{IMPORT}/batches", body=body)
        except ResponseLostError as error:
            found = _find_by_external_id(client, external_id)
            if found is None:
                raise RetriableError(str(error)) from error
            return found
        try:
            return str(response.json()["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise PlatformError("creating a batch was answered without its id") from error

    return client.policy.run(attempt, "creating a batch")


def _find_by_external_id(client: PlatformClient, external_id: str) -> str | None:
    found = client.get_json(f"{CATALOG}/batches", params={"externalId": external_id, "limit": "1"})
    return next(iter(found), None) if isinstance(found, dict) else None


def upload_file(client: PlatformClient, batch_id: str, dataset_id: str, file: Path) -> None:
    """Upload one file of under 256 MB; repeated, it replaces itself."""
    path = (
        f"{IMPORT}/batches/{quote(batch_id, safe='')}/datasets/{quote(dataset_id, safe='')}"
        f"/files/{quote(file.name)}"
    )
    client.call("PUT", path, body=Body(_OCTETS, lambda: file.open("rb")))


def complete_batch(client: PlatformClient, batch_id: str) -> None:
    """Say that all files are there, which starts the promotion."""
    client.call(
        "POST",
        f"{IMPORT}/batches/{quote(batch_id, safe='')}",
        params={"action": "COMPLETE"},
    )


def abort_batch(client: PlatformClient, batch_id: str) -> None:
    """Give up a batch that is not complete."""
    client.call(
        "POST",
        f"{IMPORT}/batches/{quote(batch_id, safe='')}",
        params={"action": "ABORT"},
    )


def await_promotion(
    client: PlatformClient, batch_id: str, timeout_seconds: float, polling: Polling
) -> dict[str, t.Any]:
    """Poll Catalog until the batch is promoted or failed.

    Args:
        client: The platform.
        batch_id: A completed batch.
        timeout_seconds: How long to wait at the most; promotion has no published time.
        polling: The pace.

    Returns:
        Catalog's document of the batch, of a status in PROMOTED or FAILED.

    Raises:
        BatchFailedError: It was neither when the time was up.
    """
    deadline = polling.clock() + timeout_seconds
    wait, last_status = polling.first, ""
    while True:
        document = read_batch(client, batch_id)
        status = str(document.get("status", ""))
        if status in PROMOTED or status in FAILED:
            return document
        if status != last_status:
            logger.info("Batch %s is %s", batch_id, status or "not listed in Catalog yet")
            last_status = status
        if polling.clock() >= deadline:
            raise BatchFailedError(
                f"batch {batch_id} is still {status or 'unknown'} after "
                f"{timeout_seconds / 60:.0f} minutes; it may still be promoted. Look at it before "
                "the next run, or raise batch_timeout_minutes"
            )
        polling.sleep(max(0.0, min(wait, deadline - polling.clock())))
        wait = min(wait * polling.factor, polling.longest)


def read_batch(client: PlatformClient, batch_id: str) -> dict[str, t.Any]:
    """Catalog's document of a batch; empty while Catalog does not list it yet."""
    try:
        answer = client.get_json(f"{CATALOG}/batches/{quote(batch_id, safe='')}")
    except PlatformError as error:
        if error.status == 404:  # noqa: PLR2004
            return {}
        raise
    document = answer.get(batch_id) if isinstance(answer, dict) else None
    return document if isinstance(document, dict) else {}

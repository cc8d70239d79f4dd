"""The rows that a batch left out, or why they can't be shown."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice

from target_aep.api.catalog_batches import read_batch
from target_aep.api.promotion import NOT_INGESTED, STALLED
from target_aep.api.row_errors import RowError, failed_rows, rejected_rows
from target_aep.batch_status.summary import summarise
from target_aep.errors import TargetError

if t.TYPE_CHECKING:
    from pathlib import Path

    from target_aep.api.client import PlatformClient
    from target_aep.batch_status.summary import BatchSummary

DAYS_KEPT: t.Final = 30
"""help/ingestion/quality/error-diagnostics.md in AdobeDocs/experience-platform.en."""

_DIAGNOSTICS_OFF: t.Final = "INGEST-1211-400"
_DAY = 86_400_000


@dataclass(frozen=True)
class RejectedRows:
    """What could be read.

    Attributes:
        batch: Whose rows they are.
        rows: The first of them.
        has_more: Whether there are others.
        problem: Why there is none, or not all can be read; None if nothing is missing.
    """

    batch: BatchSummary
    rows: tuple[RowError, ...] = ()
    has_more: bool = False
    problem: str | None = None


def read_rejected_rows(
    client: PlatformClient, batch_id: str, most: int, folder: Path
) -> RejectedRows:
    """Read the first rejected rows of a batch.

    Args:
        client: The platform.
        batch_id: The batch.
        most: How many rows at the most.
        folder: An empty one, for the files of Data Access.

    Raises:
        TargetError: There is no such batch, or Catalog can't be read.
    """
    document = read_batch(client, batch_id)
    if document is None:
        raise TargetError(
            f"batch {batch_id} does not exist in this sandbox: check its id (`target-aep status` "
            "lists the last ones) and sandbox_name"
        )
    redact = client.rules.redact
    batch = summarise(document, redact)
    is_whole = batch.status in NOT_INGESTED | STALLED
    if not is_whole and not batch.failed and not batch.errors:
        return RejectedRows(batch)
    found = (failed_rows if is_whole else rejected_rows)(client, batch_id, folder)
    rows = [
        RowError(redact(error.code), redact(error.message), error.row)
        for error in islice(found.rows(), most + 1)
    ]
    problem = found.problem and redact(found.problem)
    if not rows and (batch.failed or batch.errors or problem):
        problem = _why_none(batch, problem)
    return RejectedRows(batch, tuple(rows[:most]), len(rows) > most, problem)


def _why_none(batch: BatchSummary, problem: str | None) -> str | None:
    """Why the rows that a batch left out are not listed; None if it left out none."""
    ended = batch.completed or batch.created
    days = (_now() - ended) // _DAY if ended is not None else 0
    if days > DAYS_KEPT:
        return (
            f"Experience Platform keeps rejected rows for {DAYS_KEPT} days, and the batch is "
            f"{days} days old"
        )
    if any(error.code == _DIAGNOSTICS_OFF for error in batch.errors):
        return (
            "error diagnostics were off for this batch, so its rejected rows were not kept: make "
            'batches with "enableErrorDiagnostics": true, as target-aep does, or turn error '
            "diagnostics on for the dataset"
        )
    if problem and batch.failed:
        return f"the rejected rows can't be read: {problem}"
    if batch.failed:
        return "Experience Platform lists none of the rejected rows"
    return None


def _now() -> int:
    return int(datetime.now(timezone.utc).timestamp() * 1000)

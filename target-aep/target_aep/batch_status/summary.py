"""What Catalog's document of a batch tells, as numbers and in words.

The names of the numbers are those of help/ingestion/quality/error-diagnostics.md in
AdobeDocs/experience-platform.en; the Batch model of static/swagger-specs/catalog.yaml in
AdobeDocs/experience-platform-apis has some of them outside `metrics` too. Any may be missing.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.batch_ingestion import commit_of
from target_aep.api.batch_outcome import errors_of, failed_row_count, sent_row_count

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.api.redaction import Redactor

Document = dict[str, t.Any]

_MEANINGS: t.Final[dict[str, str]] = {
    # help/ingestion/batch-ingestion/troubleshooting.md in AdobeDocs/experience-platform.en
    "loading": (
        "open: its files are being uploaded, or a run was killed; the next run gives it up then"
    ),
    "loaded": "on its way: complete, not in the dataset yet",
    "staging": "on its way: complete, not in the dataset yet",
    "staged": "on its way: complete, not in the dataset yet",
    "queued": "on its way: complete, not in the dataset yet",
    "processing": "on its way: complete, not in the dataset yet",
    "retrying": "on its way: Experience Platform tries again after a fault of its own",
    "stalled": (
        "Experience Platform has given up after its retries, and its rows may come in yet: run the "
        "target again, which replaces it, or ask Adobe's support"
    ),
    "failed": "nothing of it is in the dataset",
    "failure": "nothing of it is in the dataset",
    "aborted": "given up by the program that made it; nothing of it is in the dataset",
    "abandoned": "never completed by the program that made it; nothing of it is in the dataset",
    "inactive": "was in the dataset, and was reverted or replaced",
    "deleted": "its rows were deleted from the dataset",
    "archived": "its rows were archived, they are out of the dataset",
    "retained": "its rows are out of the dataset, by its retention",
}
_IN = frozenset({"success", "active"})


@dataclass(frozen=True)
class BatchError:
    """What Catalog says is wrong with a batch or some of its rows.

    Attributes:
        code: Adobe's.
        description: In words.
        rows: How many rows it is about; None if that is not told.
    """

    code: str
    description: str
    rows: int | None = None

    def __str__(self) -> str:
        """As one line."""
        count = "" if self.rows is None else f" ({self.rows} rows)"
        return f"{self.code}{count}: {self.description}".lstrip(": ")


@dataclass(frozen=True)
class BatchSummary:
    """A batch as a report shows it; times in milliseconds since 1970, None for what is not told.

    Attributes:
        id: Of the batch.
        status: Catalog's.
        created: When it was made.
        started: When its promotion began.
        completed: When it ended.
        rows: Rows of it that are in the dataset, or were.
        sent: Rows that it was sent.
        failed: Rows that were left out.
        size: Bytes that it was sent, or that were written of it.
        errors: What is wrong.
        external_id: Its name outside of Catalog.
        commit: The digest of the commit that target-aep made it for; None if it did not.
        passed: STATEs that the commit passes on its way.
        replaces: Batches whose place it takes.
        client: Who made it.
    """

    id: str
    status: str
    created: int | None
    started: int | None
    completed: int | None
    rows: int | None
    sent: int | None
    failed: int
    size: int | None
    errors: tuple[BatchError, ...]
    external_id: str | None
    commit: str | None
    passed: int
    replaces: tuple[str, ...]
    client: str | None

    @property
    def meaning(self) -> str:
        """What its status means for its rows; empty for one that is in, and for unknown ones."""
        return _MEANINGS.get(self.status, "")

    @property
    def seconds(self) -> float | None:
        """From its creation (its start, if only that is told) to its end; None without an end."""
        begin = self.created if self.created is not None else self.started
        if begin is None or self.completed is None or self.completed < begin:
            return None
        return (self.completed - begin) / 1000

    @property
    def attempt(self) -> int | None:
        """Its number among the batches of the same commit; None if target-aep did not make it."""
        if self.commit is None or self.external_id is None:
            return None
        return int(self.external_id.rpartition("-")[2])

    @property
    def is_in(self) -> bool:
        """Whether its rows are in the dataset."""
        return self.status in _IN


def summarise(document: Document, redact: Redactor) -> BatchSummary:
    """Read a batch.

    Args:
        document: Catalog's, with `id`.
        redact: Takes secrets out of texts that a server may repeat.
    """
    metrics = document.get("metrics")
    told: Mapping[str, t.Any] = metrics if isinstance(metrics, dict) else {}
    status = str(document.get("status", "unknown"))
    failed, sent = failed_row_count(document), sent_row_count(document)
    commit = commit_of(document)
    external = document.get("externalId")
    return BatchSummary(
        id=str(document["id"]),
        status=status,
        created=_number(document.get("created")),
        started=_number(document.get("started")),
        completed=_number(document.get("completed")),
        rows=_rows(document, told, sent, failed) if status in _IN else None,
        sent=sent,
        failed=failed,
        size=_first(told.get("inputByteSize"), told.get("outputByteSize"), document.get("size")),
        errors=tuple(_error(each, redact) for each in errors_of(document)),
        external_id=redact(external) if isinstance(external, str) else None,
        commit=commit.digest if commit else None,
        passed=len(commit.passes) if commit else 0,
        replaces=_replaced(document),
        client=redact(str(document["createdClient"])) if document.get("createdClient") else None,
    )


def _rows(
    document: Document, metrics: Mapping[str, t.Any], sent: int | None, failed: int
) -> int | None:
    written = _first(metrics.get("outputRecordCount"), document.get("recordCount"))
    if written is not None:
        return written
    return None if sent is None else max(0, sent - failed)


def _error(error: Mapping[str, t.Any], redact: Redactor) -> BatchError:
    words = error.get("description") or error.get("message") or "no description"
    return BatchError(
        code=redact.quote(str(error.get("code", ""))),
        description=redact.quote(str(words)),
        rows=_number(error.get("recordCount")),
    )


def _replaced(document: Document) -> tuple[str, ...]:
    replay = document.get("replay")
    listed = replay.get("predecessors") if isinstance(replay, dict) else None
    return tuple(map(str, listed)) if isinstance(listed, list) else ()


def _first(*values: t.Any) -> int | None:
    numbers = map(_number, values)
    return next((number for number in numbers if number is not None), None)


def _number(value: t.Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None

"""What a run did, in the terms of Flow Service's run record, so that one dashboard reads both.

The names and units (bytes, milliseconds since 1970) are those of `metrics` of a run in
static/swagger-specs/flow-service.yaml of AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from target_aep.evolution import Evolved
    from target_aep.loading.stream_loading import LoadedBatch

logger = logging.getLogger("target-aep")

Summary = dict[str, t.Any]

_MILLISECONDS = 1000
_MEGABYTE = 1_000_000


class RunError(t.NamedTuple):
    """Why a run failed: the kind of error, and what to do about it."""

    code: str
    message: str


@dataclass(frozen=True)
class StreamRun:
    """What one stream brought.

    Attributes:
        stream: The stream.
        dataset: Its dataset's id; empty where there is none.
        received: Records read.
        loaded: Those that are in the dataset.
        repeated: Those whose `_id` their batch had already.
        rejected: Those that are in the dead letters, or are known to be missing.
        rejected_here: Those of them that were never sent.
        oversized: Rows that Profile drops for their size.
        files: Files collected for batches.
        batches: Batches that are in.
    """

    stream: str
    dataset: str = ""
    received: int = 0
    loaded: int = 0
    repeated: int = 0
    rejected: int = 0
    rejected_here: int = 0
    oversized: int = 0
    files: int = 0
    batches: tuple[LoadedBatch, ...] = ()

    @property
    def left(self) -> int:
        """Records that are left to the next run: nothing has become of them."""
        return self.received - self.loaded - self.repeated - self.rejected

    def rows(self, *, are_new: bool) -> int:
        """Records that this run has brought in, or that an earlier one had.

        Args:
            are_new: Which of the two.
        """
        return sum(batch.rows for batch in self.batches if batch.is_new == are_new)


@dataclass(frozen=True)
class Run:
    """A run that ends.

    Attributes:
        streams: What each stream brought.
        started: When it began.
        input_bytes: Size of the messages read.
        dead_letters: The folder of rejected records.
        error: Why it failed, None if it did not.
        completed: When it ended.
        evolution: What it found out about properties without a typed field.
    """

    streams: Collection[StreamRun]
    started: datetime
    input_bytes: int
    dead_letters: Path
    error: RunError | None = None
    completed: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    evolution: Collection[Evolved] = ()

    def total(self, of_stream: Callable[[StreamRun], int]) -> int:
        """A count over all streams."""
        return sum(map(of_stream, self.streams))

    def total_of_batches(self, of_batch: Callable[[LoadedBatch], int]) -> int:
        """A count over all batches that are in."""
        return self.total(lambda stream: sum(map(of_batch, stream.batches)))


def summarise(run: Run) -> Summary:
    """The run as a document."""
    error = run.error
    return {
        "durationSummary": {
            "startedAtUTC": _milliseconds(run.started),
            "completedAtUTC": _milliseconds(run.completed),
        },
        "sizeSummary": {
            "inputBytes": run.input_bytes,
            "outputBytes": run.total_of_batches(lambda batch: batch.size),
        },
        "recordSummary": _records_of(run.streams, run.dead_letters),
        "fileSummary": {
            "inputFileCount": run.total(lambda stream: stream.files),
            "outputFileCount": run.total_of_batches(lambda batch: batch.files),
        },
        "statusSummary": {
            "status": "failed" if error else "success",
            "errors": [error._asdict()] if error else [],
        },
        "streams": [_stream_of(stream, run.dead_letters) for stream in run.streams],
        **_evolution_of(run.evolution),
    }


def in_words(run: Run) -> str:
    """The counts of a run as a sentence."""
    seconds = (run.completed - run.started).total_seconds()
    return (
        f"Loaded {run.total(lambda stream: stream.loaded)} records in "
        f"{run.total(lambda stream: len(stream.batches))} batches, "
        f"rejected {run.total(lambda stream: stream.rejected)}, "
        f"left out {run.total(lambda stream: stream.repeated)} that came twice, "
        f"left {run.total(lambda stream: stream.left)} to the next run; "
        f"{run.total(lambda stream: stream.rows(are_new=False))} of those loaded were in already; "
        f"{run.total(lambda stream: stream.received)} records were read in {seconds:.0f} s and "
        f"{_size(run.total_of_batches(lambda batch: batch.size))} are in as "
        f"{run.total_of_batches(lambda batch: batch.files)} files"
    )


def _size(count: int) -> str:
    return f"{count / _MEGABYTE:.1f} MB" if count >= _MEGABYTE else f"{count / 1000:.1f} kB"


def publish(summary: Summary, path: Path) -> None:
    """Log a summary as one line and write it to a file, which appears as a whole.

    A file that can't be written is a warning: the run is over, and has ended as it has.

    Args:
        summary: What `summarise` made.
        path: The file; one of an earlier run is replaced.
    """
    text = json.dumps(summary, ensure_ascii=False)
    logger.info("RUN SUMMARY: %s", text)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text + "\n", "utf-8", errors="replace")
        fresh.replace(path)
    except OSError as error:
        logger.warning("run_summary_path: can't write %s: %s", path, error.strerror)
        with contextlib.suppress(OSError):
            fresh.unlink()


def _records_of(streams: Collection[StreamRun], dead_letters: Path) -> Summary:
    """Counts of records: those read are those that are in, that failed, and that were skipped."""
    repeated, left = sum(one.repeated for one in streams), sum(one.left for one in streams)
    rejected = sum(one.rejected for one in streams)
    here = sum(one.rejected_here for one in streams)
    kept = f"each is in {dead_letters} with its reason"
    return {
        "inputRecordCount": sum(one.received for one in streams),
        "outputRecordCount": sum(one.loaded for one in streams),
        # Not those that an earlier run has loaded, whose batches this one has found.
        "createdRecordCount": sum(one.rows(are_new=True) for one in streams),
        "skippedRecordCount": repeated + left,
        "failedRecordCount": rejected,
        "warningRecordCount": sum(one.oversized for one in streams),
        "skippedInfo": [
            *_info("REPEATED", repeated, "had an _id that their batch had already"),
            *_info("LEFT", left, "are left to the next run: no STATE that was written passes them"),
        ],
        "failedInfo": [
            *_info("LOCAL", here, f"can't be valid XDM and were not sent; {kept}"),
            *_info("PLATFORM", rejected - here, f"were refused by Experience Platform; {kept}"),
        ],
    }


def _info(code: str, count: int, what: str) -> list[Summary]:
    if not count:
        return []
    message = f"{count} records {what}"
    return [{"code": code, "message": message, "details": {"recordCount": count}}]


def _stream_of(stream: StreamRun, dead_letters: Path) -> Summary:
    return {
        "stream": stream.stream,
        "datasetId": stream.dataset or None,
        **_records_of([stream], dead_letters),
        "batchIds": [batch.id for batch in stream.batches],
    }


def _evolution_of(evolution: Collection[Evolved]) -> Summary:
    return {"schemaEvolution": [each.document() for each in evolution]} if evolution else {}


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * _MILLISECONDS)

"""`destination=platform`: batches into datasets of Experience Platform."""

from __future__ import annotations

import logging
import shutil
import tempfile
import typing as t
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from target_aep.batch_ingestion import (
    PROMOTED,
    Polling,
    abort_batch,
    await_promotion,
    complete_batch,
    create_batch,
    upload_file,
)
from target_aep.dead_letters import stream_file_name
from target_aep.destination import Binding, Loaded
from target_aep.errors import BatchFailedError, PlatformError, TargetError
from target_aep.row_errors import RowError, failed_rows, rejected_rows
from target_aep.sandbox import find_dataset_id, read_dataset

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_aep.platform_client import PlatformClient
    from target_aep.sandbox import Dataset

logger = logging.getLogger("target-aep")

_SHOWN_ROWS = 5


@dataclass(frozen=True)
class LoadOptions:
    """How batches are loaded."""

    wait_for: t.Literal["promoted", "accepted"] = "promoted"
    batch_timeout_seconds: float = 7200.0
    max_rejected_percent: float = 5.0
    max_concurrent_uploads: int = 4
    polling: Polling = field(default_factory=Polling)


@dataclass(frozen=True)
class DatasetChoice:
    """The settings that say where a stream goes: an id, a name, or an id per stream."""

    dataset_id: str | None = None
    dataset_name: str | None = None
    datasets: Mapping[str, str] | None = None


class PlatformDestination:
    """Loads the batches of all streams through one client and one pool of uploads."""

    def __init__(self, client: PlatformClient, choice: DatasetChoice, options: LoadOptions) -> None:
        """Make the temporary folder; nothing is requested yet.

        Args:
            client: The platform.
            choice: Where streams go.
            options: How.
        """
        self._client = client
        self._choice = choice
        self._options = options
        self._known: dict[str, Dataset] = {}
        self._of_stream: dict[str, Dataset] = {}
        self._pool = ThreadPoolExecutor(options.max_concurrent_uploads, "upload")
        self._folder = tempfile.mkdtemp(prefix="target-aep-")
        self._remove_folder = weakref.finalize(
            self, shutil.rmtree, self._folder, ignore_errors=True
        )

    def bind(self, stream: str) -> Binding:
        """Look up the stream's dataset and its schema, once each.

        Raises:
            TargetError: The settings name no dataset for the stream, or one that is not there.
        """
        dataset_id = self._dataset_id(stream)
        if dataset_id not in self._known:
            self._known[dataset_id] = read_dataset(self._client, dataset_id)
        dataset = self._of_stream[stream] = self._known[dataset_id]
        logger.info("Stream '%s' goes to the dataset %s (%s)", stream, dataset.name, dataset.id)
        return Binding(dataset.schema, dataset.tenant)

    def spool_folder(self, stream: str) -> Path:
        """A folder in the system's temporary directory (TMPDIR chooses the disk)."""
        return Path(tempfile.mkdtemp(prefix=f"{stream_file_name(stream)}-", dir=self._folder))

    def open_batch(self, stream: str) -> _PlatformBatch:
        """Create a batch in the stream's dataset."""
        return _PlatformBatch(self._client, self._of_stream[stream], self._options, self._pool)

    def close(self) -> None:
        """Drop uploads that have not begun, and delete the temporary folder."""
        self._client.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._remove_folder()

    def _dataset_id(self, stream: str) -> str:
        choice = self._choice
        of_stream = (choice.datasets or {}).get(stream)
        if of_stream:
            return of_stream
        if choice.dataset_id:
            return choice.dataset_id
        if choice.dataset_name:
            return find_dataset_id(self._client, choice.dataset_name)
        raise TargetError(
            f"datasets: no dataset for the stream {stream!r}; add it, or set dataset_id for all "
            "streams that are not listed"
        )


class _PlatformBatch:
    """One batch in Experience Platform, from its creation to its promotion."""

    def __init__(
        self,
        client: PlatformClient,
        dataset: Dataset,
        options: LoadOptions,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._client = client
        self._dataset = dataset
        self._options = options
        self._pool = pool
        self._uploads: list[Future[None]] = []
        self._completed = False
        self.id = create_batch(client, dataset.id, options.max_rejected_percent)

    def add_file(self, path: Path) -> None:
        self._uploads.append(
            self._pool.submit(upload_file, self._client, self.id, self._dataset.id, path)
        )

    def commit(self) -> Loaded:
        for upload in self._uploads:
            upload.result()
        self._completed = True
        complete_batch(self._client, self.id)
        logger.info("Batch %s: %d files uploaded, complete", self.id, len(self._uploads))
        if self._options.wait_for == "accepted":
            return Loaded(batch=self.id, failed_rows=0, row_errors=iter(()))
        document = await_promotion(
            self._client, self.id, self._options.batch_timeout_seconds, self._options.polling
        )
        if document["status"] not in PROMOTED:
            raise BatchFailedError(self._failure(document))
        failed = int((document.get("metrics") or {}).get("failedRecordCount") or 0)
        return Loaded(
            batch=self.id,
            failed_rows=failed,
            row_errors=rejected_rows(self._client, self.id) if failed else iter(()),
        )

    def abort(self) -> None:
        for upload in self._uploads:
            upload.cancel()
        if self._completed:
            return
        try:
            abort_batch(self._client, self.id)
        except PlatformError as error:
            logger.warning("Batch %s stays open, Adobe will abandon it: %s", self.id, error)

    def _failure(self, document: dict[str, t.Any]) -> str:
        errors = document.get("errors") or []
        said = [
            f"{error.get('code', '')} {error.get('description', '')}".strip()
            for error in errors
            if isinstance(error, dict)
        ]
        try:
            rows = _shown(failed_rows(self._client, self.id))
        except PlatformError as error:
            rows = f"its diagnostics can't be read: {error}"
        return (
            f"batch {self.id} of dataset {self._dataset.id} ended as {document['status']}: "
            f"{'; '.join(said) or 'Catalog gives no error'}. {rows}. Nothing of it was ingested "
            "and the state stays where it was: fix the cause and run again"
        )


def _shown(errors: Iterable[RowError]) -> str:
    """The first few rejected rows in words."""
    shown = []
    for error in errors:
        identifier = error.row.get("_id") if isinstance(error.row, dict) else None
        shown.append(f"row {identifier or 'without _id'}: {error.code} {error.message}".strip())
        if len(shown) == _SHOWN_ROWS:
            break
    return "First rejected rows: " + "; ".join(shown) if shown else "No row errors are listed"

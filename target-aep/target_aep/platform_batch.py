"""One batch in Experience Platform, from its creation to its promotion."""

from __future__ import annotations

import logging
import tempfile
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from target_aep.batch_ingestion import abort_batch, complete_batch, create_batch, upload_file
from target_aep.batch_outcome import errors_of, failed_row_count, said_of
from target_aep.destination import Loaded
from target_aep.errors import BatchFailedError, PlatformError
from target_aep.promotion import NOT_INGESTED, PROMOTED, Polling, await_promotion
from target_aep.retrying import RetriableError
from target_aep.row_errors import Diagnostics, RowError, failed_rows, rejected_rows

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.platform_client import PlatformClient

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


class PlatformBatch:
    """Files are uploaded in the background while others are still collected."""

    def __init__(
        self,
        client: PlatformClient,
        dataset_id: str,
        options: LoadOptions,
        pool: ThreadPoolExecutor,
        folder: Path,
    ) -> None:
        """Create the batch.

        Args:
            client: The platform.
            dataset_id: Where it goes.
            options: How it is loaded.
            pool: Where uploads run.
            folder: For temporary files.

        Raises:
            PlatformError: The batch can't be created.
        """
        self._client = client
        self._dataset_id = dataset_id
        self._options = options
        self._pool = pool
        self._folder = folder
        self._uploads: list[Future[None]] = []
        self._is_complete = False
        self._may_be_in = False
        self.id = create_batch(client, dataset_id, options.max_rejected_percent)

    def add_file(self, path: Path) -> None:
        """Begin to upload a file."""
        self._uploads.append(
            self._pool.submit(upload_file, self._client, self.id, self._dataset_id, path)
        )

    def commit(self) -> Loaded:
        """Complete the batch when all files are there, and wait for its promotion.

        Raises:
            PlatformError: An upload failed; the batch is not complete.
            BatchFailedError: The batch did not end well, or how it ended can't be learned.
        """
        for upload in as_completed(self._uploads):
            upload.result()
        self._complete()
        logger.info("Batch %s: %d files uploaded, complete", self.id, len(self._uploads))
        if self._options.wait_for == "accepted":
            return Loaded(batch=self.id)
        document = await_promotion(
            self._client, self.id, self._options.batch_timeout_seconds, self._options.polling
        )
        if document["status"] not in PROMOTED:
            self._may_be_in = document["status"] not in NOT_INGESTED
            raise BatchFailedError(self._client.rules.redact(self._failure(document)))
        return self._loaded(document)

    def abort(self) -> None:
        """Give the batch up, which is possible until it is complete."""
        for upload in self._uploads:
            upload.cancel()
        if self._may_be_in:
            logger.warning(
                "Batch %s was completed and may be in: look at it before you run again", self.id
            )
        if self._is_complete:
            return
        try:
            abort_batch(self._client, self.id)
        except (PlatformError, RetriableError) as error:
            logger.warning("Batch %s stays open, Adobe will abandon it: %s", self.id, error)

    def _complete(self) -> None:
        self._is_complete = self._may_be_in = True
        try:
            complete_batch(self._client, self.id)
        except PlatformError as error:
            raise BatchFailedError(
                f"{error}. Batch {self.id} may be complete all the same, and its records in: look "
                "at it in Experience Platform before you run again"
            ) from error

    def _loaded(self, document: dict[str, t.Any]) -> Loaded:
        failed = failed_row_count(document)
        if not failed and not errors_of(document):
            return Loaded(batch=self.id)
        found = rejected_rows(self._client, self.id, self._new_folder())
        return Loaded(self.id, failed, self._without_secrets(found), found.problem)

    def _without_secrets(self, found: Diagnostics) -> Iterator[RowError]:
        redact = self._client.rules.redact
        for error in found.rows():
            yield RowError(redact(error.code), redact(error.message), error.row)

    def _failure(self, document: dict[str, t.Any]) -> str:
        found = failed_rows(self._client, self.id, self._new_folder())
        rows = _shown(found.rows())
        if found.problem and not found.files:
            rows = f"Its diagnostics can't be read: {found.problem}"
        advice = (
            "Nothing of it was ingested and the state stays where it was: fix the cause and run "
            "again"
            if document["status"] in NOT_INGESTED
            else "The state stays where it was. Rows of it may be in: look at it in Experience "
            "Platform before you run again"
        )
        return (
            f"batch {self.id} of dataset {self._dataset_id} ended as {document['status']}: "
            f"{said_of(document)}. {rows}. {advice}"
        )

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="diagnostics-", dir=self._folder))


def _shown(errors: Iterable[RowError]) -> str:
    """The first few rejected rows in words."""
    shown = []
    for error in errors:
        identifier = error.row.get("_id") if isinstance(error.row, dict) else None
        shown.append(f"row {identifier or 'without _id'}: {error.code} {error.message}".strip())
        if len(shown) == _SHOWN_ROWS:
            break
    return "First rejected rows: " + "; ".join(shown) if shown else "No row errors are listed"

"""One commit in Experience Platform: a batch under the commit's name, exactly once in the lake.

A batch that an earlier run has left is taken over (`earlier_batches`); where none holds the rows,
one is made under the next attempt number.
"""

from __future__ import annotations

import logging
import tempfile
import typing as t
from concurrent.futures import as_completed
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from target_aep.api.batch_ingestion import (
    NameTakenError,
    NewBatch,
    abort_batch,
    complete_batch,
    create_batch,
    upload_file,
)
from target_aep.api.batch_outcome import (
    errors_of,
    failed_row_count,
    file_format_of,
    said_of,
    sent_files,
    sent_row_count,
    taken_row_count,
    tells_failed_rows,
)
from target_aep.api.promotion import (
    NOT_INGESTED,
    OPEN,
    PROMOTED,
    Polling,
    await_promotion,
    is_over,
)
from target_aep.api.retrying import RetriableError
from target_aep.api.row_errors import Diagnostics, RowError, failed_rows, rejected_rows
from target_aep.errors import BatchFailedError, PlatformError
from target_aep.loading.destination import Loaded, RowsRefusedError
from target_aep.loading.earlier_batches import EarlierBatches

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from target_aep.api.client import PlatformClient
    from target_aep.api.partial_ingestion import PartialIngestion
    from target_aep.loading.destination import Commit

logger = logging.getLogger("target-aep")

_FAILURES = 3
"""So often a batch may fail in one run for no fault of its rows."""


@dataclass(frozen=True)
class LoadOptions:
    """How batches are loaded."""

    wait_for: t.Literal["promoted", "accepted"] = "promoted"
    batch_timeout_seconds: float = 7200.0
    max_rejected_percent: float = 5.0
    max_concurrent_uploads: int = 4
    polling: Polling = field(default_factory=Polling)


class BatchCommit:
    """Loads the files of one commit."""

    def __init__(
        self,
        client: PlatformClient,
        dataset_id: str,
        commit: Commit,
        options: LoadOptions,
        *,
        partial: PartialIngestion,
        pool: ThreadPoolExecutor,
        folder: Path,
        file_format: str,
        make_files: Callable[[], Sequence[Path]],
    ) -> None:
        """Bind the commit; nothing is requested yet.

        Args:
            client: The platform.
            dataset_id: Where it goes.
            commit: What is to be brought in.
            options: How it is loaded.
            partial: How partial ingestion is asked for.
            pool: Where uploads run.
            folder: For temporary files.
            file_format: What the files are that are uploaded.
            make_files: Makes them of the commit's files, where an upload turns out to be needed.
        """
        self._client = client
        self._dataset_id = dataset_id
        self._commit = commit
        self._options = options
        self._partial = partial
        self._pool = pool
        self._folder = folder
        self._format = file_format
        self._make_files = make_files
        self._files: Sequence[Path] = ()
        self._earlier = EarlierBatches(client, commit, options)
        self._made: set[str] = set()
        self._open_id: str | None = None

    def load(self) -> Loaded | None:
        """Bring the files into the dataset, or find that they are there.

        Returns:
            The batch; None if there is none, and no file to make one of.

        Raises:
            OtherRecordsError: A batch of the commit's name holds others.
            RowsRefusedError: The batch failed as a whole because of the rows in it, or can't be
                made of them.
            BatchFailedError: It can't be brought in, or how it ended can't be learned.
            PlatformError: A call was refused.
        """
        failures = 0
        for attempt in count(1):
            found = self._earlier.find(attempt)
            if found is None and (wider := self._earlier.wider()):
                return self._loaded(wider, is_new=False)
            if found is None and not self._commit.files:
                self._commit.before_sending()
                break
            found = found or self._sent(attempt)
            document = self._earlier.take_over(found)
            is_new = document["id"] in self._made
            if self._earlier.is_in(document):
                return self._loaded(document, is_new=is_new)
            failures += is_new
            if is_new or not (found.get("status") == OPEN or is_over(found.get("status"))):
                self._after_failure(document, is_last=failures >= _FAILURES)
        return None

    def abort(self) -> None:
        """Give up a batch that is still open, without waiting for anything."""
        batch_id, self._open_id = self._open_id, None
        if batch_id is None:
            return
        try:
            abort_batch(self._client, batch_id)
        except (PlatformError, RetriableError) as error:
            logger.warning("Batch %s stays open, Adobe will abandon it: %s", batch_id, error)

    def _sent(self, attempt: int) -> dict[str, t.Any]:
        """Create a batch, fill and complete it; or what turns out to have its name."""
        self._files = self._files or self._make_files()
        new = NewBatch(
            self._dataset_id,
            self._commit.key,
            attempt,
            self._options.max_rejected_percent,
            self._partial.name,
            tuple(self._earlier.stalled),
            self._format,
        )
        try:
            created = create_batch(self._client, new)
        except NameTakenError:
            return self._named(attempt)
        batch_id = self._open_id = created["id"]
        self._commit.before_sending()
        self._upload(batch_id)
        self._open_id = None
        self._complete(batch_id)
        self._made.add(batch_id)
        logger.info("Batch %s: %d files uploaded, complete", batch_id, len(self._files))
        ended = self._ended(batch_id, {**created, "status": "loaded"})
        self._partial.look_at(created if "tags" in created else ended, new.partial_name)
        return ended

    def _named(self, attempt: int) -> dict[str, t.Any]:
        """The batch that has the name, which Catalog may list later than it is there."""

        def look() -> dict[str, t.Any]:
            found = self._earlier.find(attempt)
            if found is None:
                raise RetriableError("Catalog does not list the batch of this name yet")
            return found

        return self._client.rules.retry(look, f"batch {self._commit.key.external_id(attempt)}")

    def _upload(self, batch_id: str) -> None:
        uploads = [
            self._pool.submit(upload_file, self._client, batch_id, self._dataset_id, file)
            for file in self._files
        ]
        try:
            for upload in as_completed(uploads):
                upload.result()
        finally:
            for upload in uploads:
                upload.cancel()

    def _complete(self, batch_id: str) -> None:
        try:
            complete_batch(self._client, batch_id)
        except PlatformError as error:
            raise BatchFailedError(
                f"{error}. Batch {batch_id} may be complete all the same; the next run looks at it"
            ) from error

    def _ended(self, batch_id: str, document: dict[str, t.Any]) -> dict[str, t.Any]:
        if self._options.wait_for == "accepted":
            return document
        return await_promotion(
            self._client, batch_id, self._options.batch_timeout_seconds, self._options.polling
        )

    def _loaded(self, document: dict[str, t.Any], *, is_new: bool) -> Loaded:
        batch_id = document["id"]
        failed, sent = failed_row_count(document), sent_row_count(document)
        is_promoted = document["status"] in PROMOTED  # else no count is the last one
        taken = taken_row_count(document) if is_promoted else None
        loaded = Loaded(batch_id, failed, is_new=is_new, rows=sent, taken=taken)
        if not is_new:
            is_wider = self._earlier.is_wider(document)
            is_same = self._earlier.is_same(document)
            loaded = replace(loaded, is_wider=is_wider, is_same=is_same)
            # JSON has the size of the commit's files.
            if (file_format_of(document) or self._format) == "parquet":
                files, size = (0, 0) if is_wider else sent_files(document)
                loaded = replace(loaded, files=files, size=size)
        else:
            size = sum(file.stat().st_size for file in self._files)
            loaded = replace(loaded, files=len(self._files), size=size)
        is_faulty = bool(failed or errors_of(document))
        is_silent = is_promoted and not tells_failed_rows(document)
        if not is_faulty and not is_silent:
            return loaded
        found = rejected_rows(self._client, batch_id, self._new_folder())
        problem = found.problem if is_faulty else None
        return replace(loaded, row_errors=self._without_secrets(found), problem=problem)

    def _without_secrets(self, found: Diagnostics) -> Iterator[RowError]:
        redact = self._client.rules.redact
        for error in found.rows():
            yield RowError(redact(error.code), redact(error.message), error.row)

    def _after_failure(self, document: dict[str, t.Any], *, is_last: bool) -> None:
        """Go on to the next attempt, if that may help.

        Raises:
            RowsRefusedError: It may, without some of the rows.
            BatchFailedError: It may not.
        """
        batch_id, status = document["id"], document["status"]
        said = f"batch {batch_id} of dataset {self._dataset_id} ended as {status}"
        said = self._client.rules.redact(f"{said}: {said_of(document)}")
        found = failed_rows(self._client, batch_id, self._new_folder())
        if found.tells_rows():
            raise RowsRefusedError(said, batch_id, self._without_secrets(found))
        if is_last:
            problem = f" Its diagnostics can't be read: {found.problem}." if found.problem else ""
            raise BatchFailedError(
                f"{said}.{problem} Nothing of it was ingested in {_FAILURES} attempts and the "
                "state stays where it was: fix the cause and run again"
                if status in NOT_INGESTED
                else f"{said}.{problem} The state stays where it was; a batch of the next run "
                "takes the place of this one"
            )
        logger.warning("%s; loading its files again in another batch", said)

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="diagnostics-", dir=self._folder))

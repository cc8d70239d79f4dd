"""One commit in Experience Platform: a batch under the commit's name, exactly once in the lake.

A batch of that name that an earlier run has left is taken over instead of loading its rows again:
a promoted one is done, one on its way is waited for, one that is open is given up, one that ended
without its rows is left alone; the last two are made anew under the next attempt number.
"""

from __future__ import annotations

import logging
import tempfile
import typing as t
from concurrent.futures import as_completed
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from target_aep.batch_ingestion import (
    NameTakenError,
    NewBatch,
    abort_batch,
    commit_of,
    complete_batch,
    create_batch,
    find_batch,
    upload_file,
)
from target_aep.batch_outcome import errors_of, failed_row_count, said_of, sent_row_count
from target_aep.destination import Loaded, RowsRefusedError
from target_aep.errors import BatchFailedError, PlatformError
from target_aep.promotion import (
    NOT_INGESTED,
    OPEN,
    PROMOTED,
    STALLED,
    Polling,
    await_promotion,
    is_over,
)
from target_aep.retrying import RetriableError
from target_aep.row_errors import Diagnostics, RowError, failed_rows, rejected_rows

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from target_aep.commit_key import CommitKey
    from target_aep.partial_ingestion import PartialIngestion
    from target_aep.platform_client import PlatformClient

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
        key: CommitKey,
        options: LoadOptions,
        *,
        around: Sequence[CommitKey] = (),
        partial: PartialIngestion,
        pool: ThreadPoolExecutor,
        folder: Path,
    ) -> None:
        """Bind the commit; nothing is requested yet.

        Args:
            client: The platform.
            dataset_id: Where it goes.
            key: The commit's name.
            options: How it is loaded.
            around: Commits of earlier runs that may hold all that this one does, and more.
            partial: How partial ingestion is asked for.
            pool: Where uploads run.
            folder: For temporary files.
        """
        self._client = client
        self._dataset_id = dataset_id
        self._key = key
        self._options = options
        self._around = list(around)
        self._partial = partial
        self._pool = pool
        self._folder = folder
        self._stalled: list[str] = []
        self._open_id: str | None = None

    def load(self, files: Sequence[Path]) -> Loaded:
        """Bring the files into the dataset, or find that they are there.

        Args:
            files: All files of the commit.

        Raises:
            RowsRefusedError: The batch failed as a whole because of the rows in it.
            BatchFailedError: It can't be brought in, or how it ended can't be learned.
            PlatformError: A call was refused.
        """
        failures = attempt = 0
        while True:
            attempt += 1
            found = self._find(self._key, attempt)
            if found is None and (wider := self._wider()):
                return replace(self._loaded(wider, is_new=False), is_wider=True)
            document = self._taken_over(found) if found else self._sent(attempt, files)
            if document is None:
                continue
            if self._is_in(document):
                return self._loaded(document, is_new=found is None)
            failures += found is None
            self._after_failure(document, is_last=failures >= _FAILURES)

    def abort(self) -> None:
        """Give up a batch that is still open, without waiting for anything."""
        batch_id, self._open_id = self._open_id, None
        if batch_id is None:
            return
        try:
            abort_batch(self._client, batch_id)
        except (PlatformError, RetriableError) as error:
            logger.warning("Batch %s stays open, Adobe will abandon it: %s", batch_id, error)

    def _find(self, key: CommitKey, attempt: int) -> dict[str, t.Any] | None:
        return find_batch(self._client, key.external_id(attempt))

    def _is_in(self, document: dict[str, t.Any]) -> bool:
        status = document["status"]
        is_accepted = self._options.wait_for == "accepted" and not is_over(status)
        return status in PROMOTED or is_accepted

    def _wider(self) -> dict[str, t.Any] | None:
        """The batch of a longer commit that is in, with the rows of this one among its own.

        A run that made it, and was killed before its STATE, may be repeated by one that ends
        sooner: at a STATE that the longer commit passes.
        """
        while self._around:
            key = self._around.pop()
            for attempt in count(1):
                found = self._find(key, attempt)
                if found is None:
                    break
                commit = commit_of(found)
                if commit is None or self._key.short not in commit.passes:
                    continue
                document = self._taken_over(found)
                if document and self._is_in(document):
                    return document
        return None

    def _taken_over(self, found: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """What an earlier run's batch ended as; None if it can't be used any more."""
        batch_id, status = found["id"], found.get("status")
        if status == OPEN:
            found = self._given_up(batch_id)
            status = found.get("status")
        if status in STALLED:
            self._stalled.append(batch_id)
        if status in PROMOTED:
            logger.info("Batch %s holds these records already", batch_id)
            return found
        if status is None or is_over(status):
            logger.info("Batch %s for these records is %s; it is not used", batch_id, status)
            return None
        logger.info("Batch %s holds these records; it is %s", batch_id, status)
        return self._ended(batch_id, found)

    def _given_up(self, batch_id: str) -> dict[str, t.Any]:
        """Abort an open batch, unless it turns out that it was completed."""
        try:
            self._client.rules.retry(
                lambda: abort_batch(self._client, batch_id), f"aborting batch {batch_id}"
            )
        except PlatformError as error:
            logger.info("Batch %s can't be given up (%s): it seems to be complete", batch_id, error)
            return await_promotion(
                self._client, batch_id, self._options.batch_timeout_seconds, self._options.polling
            )
        return {"id": batch_id, "status": "aborted"}

    def _sent(self, attempt: int, files: Sequence[Path]) -> dict[str, t.Any] | None:
        """Create a batch, fill and complete it; None if its name turns out to be taken."""
        try:
            created = self._create(attempt)
        except NameTakenError:
            return self._taken_over(self._named(attempt))
        batch_id = self._open_id = created["id"]
        self._upload(batch_id, files)
        self._open_id = None
        self._complete(batch_id)
        logger.info("Batch %s: %d files uploaded, complete", batch_id, len(files))
        ended = self._ended(batch_id, {"id": batch_id, "status": "loaded"})
        self._partial.look_at(created if "tags" in created else ended)
        return ended

    def _create(self, attempt: int) -> dict[str, t.Any]:
        new = NewBatch(
            self._dataset_id,
            self._key.external_id(attempt),
            self._options.max_rejected_percent,
            self._partial.name,
            self._key.passes,
            tuple(self._stalled),
        )
        return create_batch(self._client, new)

    def _named(self, attempt: int) -> dict[str, t.Any]:
        """The batch that has the name, which Catalog may list later than it is there."""

        def look() -> dict[str, t.Any]:
            found = self._find(self._key, attempt)
            if found is None:
                raise RetriableError("Catalog does not list the batch of this name yet")
            return found

        return self._client.rules.retry(look, f"batch {self._key.external_id(attempt)}")

    def _upload(self, batch_id: str, files: Sequence[Path]) -> None:
        uploads = [
            self._pool.submit(upload_file, self._client, batch_id, self._dataset_id, file)
            for file in files
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
        if not failed and not errors_of(document):
            return Loaded(batch_id, is_new=is_new, rows=sent)
        found = rejected_rows(self._client, batch_id, self._new_folder())
        rows = self._without_secrets(found)
        return Loaded(batch_id, failed, rows, found.problem, is_new=is_new, rows=sent)

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
        if status in STALLED:
            self._stalled.append(batch_id)
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

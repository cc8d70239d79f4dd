"""Loading a stream: its spools committed one by one, and every record accounted for."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from target_aep.errors import BatchFailedError
from target_aep.loading.commit_key import commit_key, content_key
from target_aep.loading.destination import Commit, OtherRecordsError, RowsRefusedError
from target_aep.loading.kept_records import KeptRecords
from target_aep.loading.refused_rows import RefusedRows

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from target_aep.loading.commit_key import CommitKey
    from target_aep.loading.commit_progress import CommitProgress
    from target_aep.loading.dead_letters import DeadLetters
    from target_aep.loading.destination import Destination, Loaded
    from target_aep.loading.spool import BatchSpool

_ROUNDS = 10
"""So often a batch may fail for some of its rows and be made again without them."""


@dataclass(frozen=True)
class LoadedBatch:
    """A batch that is in.

    Attributes:
        id: Its name at the destination.
        rows: Rows of it that are in.
        files: Its files.
        size: Their bytes.
        is_new: Whether this run has made it; else it is an earlier run's of the same commit.
    """

    id: str
    rows: int
    files: int
    size: int
    is_new: bool


class StreamLoader:
    """Commits the spools of one stream.

    Attributes:
        loaded: Records that are in.
        rejected: Records that are in the dead letters, or are known to be missing.
        rejected_here: Those of them that were never sent.
        batches: Batches that are in.
    """

    def __init__(
        self,
        destination: Destination,
        stream: str,
        dataset: str,
        dead_letters: DeadLetters,
        *,
        resumption: Callable[[t.Any], t.Any] = lambda state: state,
        planned: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Bind the stream.

        Args:
            destination: Where batches go.
            stream: The stream.
            dataset: What tells its dataset from others.
            dead_letters: Where rejected records go.
            resumption: What a STATE says of where a run goes on with the stream; None: it begins
                anew.
            planned: The `_id`s of rows that an unfinished retry may have loaded.
        """
        self._destination = destination
        self._stream = stream
        self._dataset = dataset
        self._dead_letters = dead_letters
        self._resumption = resumption
        self._planned = planned
        self._with_letters = dead_letters.commits()
        self._kept = KeptRecords(stream, dead_letters)
        self._refused_rows = RefusedRows(stream, dead_letters)
        self.loaded = 0
        self.rejected = 0
        self.rejected_here = 0
        self.batches: list[LoadedBatch] = []

    @property
    def complaints(self) -> list[str]:
        """What the user must look at, though the STATE is right."""
        return self._refused_rows.complaints

    def key(self, state: t.Any, records: int | None = None) -> CommitKey | None:
        """The name of a commit that ends at a STATE; None if the STATE does not resume the stream.

        Args:
            state: The STATE's value, None without any.
            records: `CommitKey.records`.
        """
        part = self._resumption(state)
        return None if part is None else commit_key(self._dataset, self._stream, part, records)

    def recognises(self, key: CommitKey) -> bool:
        """Whether an earlier run has begun to commit just these records."""
        return key.digest in self._with_letters or key in self._destination.committed(self._stream)

    def commit(
        self, spool: BatchSpool, state: t.Any, progress: CommitProgress | None = None
    ) -> None:
        """Load a spool, and write down what was rejected; the spool is gone afterwards.

        Args:
            spool: The records.
            state: The STATE that covers them, None without any.
            progress: How they came.

        Raises:
            TargetError: They could not be loaded; nothing may be claimed of them.
        """
        spool.finish()
        key = self._key_of(spool, state, progress)
        try:
            self._commit(spool, key, state)
        except OtherRecordsError:
            self._commit(spool, key.of_other_records(), state)
        spool.remove()

    def _key_of(
        self, spool: BatchSpool, state: t.Any, progress: CommitProgress | None
    ) -> CommitKey:
        part = self._resumption(state)
        if part is None:
            return content_key(self._dataset, self._stream, spool.content())
        records = progress.records if progress else None
        passes = progress.passed if progress else ()
        return commit_key(self._dataset, self._stream, part, records, passes)

    def _commit(self, spool: BatchSpool, key: CommitKey, state: t.Any) -> None:
        around = self._destination.committed(self._stream).around(key) if key.records else ()
        planned = spool.set_aside(self._planned())  # before the letters that a retry marks
        rows = spool.rows
        spool.set_aside(self._dead_letters.retried(key, *around))
        retried, rows = rows - spool.rows, spool.rows
        spool.set_aside(self._dead_letters.set_aside(key, *around))
        aside = rows - spool.rows
        commit = Commit(
            key, spool.files, around, lambda: self._kept.write(key, around, spool, state)
        )
        loaded, refused, sent = self._load(spool, commit, state)
        left_out = self._refused_rows.account_for(loaded, spool, commit, state) if loaded else 0
        rejected_here = self._kept.settle(loaded, commit, spool, state)
        if loaded:
            self.batches.append(
                LoadedBatch(loaded.batch, spool.rows - left_out, *sent, is_new=loaded.is_new)
            )
        total = spool.rows + spool.rejected + aside + retried + planned + refused
        rejected = rejected_here + aside + planned + refused + left_out
        self.rejected_here += rejected_here
        self.rejected += rejected
        self.loaded += total - rejected

    def _load(
        self, spool: BatchSpool, commit: Commit, state: t.Any
    ) -> tuple[Loaded | None, int, tuple[int, int]]:
        """Load the rows, without those for which a whole batch fails.

        Returns:
            The batch, if there is one; how many rows are not in it for that; its number of files
            and their bytes (those of the spool where this run has sent none).
        """
        refused = rounds = 0
        while True:
            files = list(spool.files)
            size = sum(file.stat().st_size for file in files)  # files may be moved away
            try:
                loaded = self._destination.load(self._stream, replace(commit, files=files))
            except RowsRefusedError as error:
                refused += self._refused_rows.set_aside(error, spool, commit.key, state)
                rounds += 1
                if rounds == _ROUNDS:
                    raise BatchFailedError(
                        f"{error}. {_ROUNDS} batches of these records have failed for some of "
                        "their rows, which Experience Platform names a few at a time: fix the "
                        "mapping or the schema and run again"
                    ) from error
            else:
                if loaded is None or loaded.files is None or loaded.size is None:
                    return loaded, refused, (len(files), size)
                return loaded, refused, (loaded.files, loaded.size)

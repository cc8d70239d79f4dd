"""Loading a stream: its spools committed one by one, and every record accounted for."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from target_aep.commit_key import commit_key, content_key
from target_aep.dead_letters import letter_digest
from target_aep.destination import RowsRefusedError
from target_aep.refused_rows import RefusedRows

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from target_aep.commit_key import CommitKey
    from target_aep.dead_letters import DeadLetters
    from target_aep.destination import Destination, Loaded
    from target_aep.spool import BatchSpool


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
        is_resumed_by: Callable[[t.Any], bool] = bool,
        planned: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Bind the stream.

        Args:
            destination: Where batches go.
            stream: The stream.
            dataset: What tells its dataset from others.
            dead_letters: Where rejected records go.
            is_resumed_by: Whether a run that starts at a STATE goes on with the stream behind it.
            planned: The `_id`s of rows that an unfinished retry may have loaded.
        """
        self._destination = destination
        self._stream = stream
        self._dataset = dataset
        self._dead_letters = dead_letters
        self._is_resumed_by = is_resumed_by
        self._planned = planned
        self._with_letters = dead_letters.commits()
        self._times_named: Counter[str] = Counter()
        self._refused_rows = RefusedRows(stream, dead_letters)
        self.loaded = 0
        self.rejected = 0
        self.rejected_here = 0
        self.batches: list[LoadedBatch] = []

    @property
    def complaints(self) -> list[str]:
        """What the user must look at, though the STATE is right."""
        return self._refused_rows.complaints

    def key(self, state: t.Any) -> CommitKey:
        """The name of the commit that ends at a STATE."""
        return commit_key(self._dataset, self._stream, state)

    def recognises(self, state: t.Any) -> bool:
        """Whether an earlier run has begun to commit the records up to this STATE."""
        if not self._is_resumed_by(state):
            return False
        key = self.key(state)
        return key.digest in self._with_letters or key in self._destination.committed(self._stream)

    def commit(self, spool: BatchSpool, state: t.Any, passed: Sequence[str] = ()) -> None:
        """Load a spool, and write down what was rejected; the spool is gone afterwards.

        Args:
            spool: The records.
            state: The STATE that covers them, None without any.
            passed: `CommitKey.short` of each STATE that came since the first of them.

        Raises:
            TargetError: They could not be loaded; nothing may be claimed of them.
        """
        spool.finish()
        key = self._new_key(spool, state, passed)
        around = self._destination.committed(self._stream).around(key) if passed else ()
        aside = spool.set_aside(self._planned())  # before the letters that a retry marks
        aside += sum(spool.set_aside(self._dead_letters.set_aside(one)) for one in (key, *around))
        loaded, refused, size = self._load(spool, key, around, state)
        left_out = 0
        if loaded:
            left_out = self._refused_rows.account_for(loaded, spool, key, state)
            rows = spool.rows - left_out
            self.batches.append(
                LoadedBatch(loaded.batch, rows, len(spool.files), size, loaded.is_new)
            )
        rejected_here = self._keep_rejected(spool, key, around, state)
        self.loaded += spool.rows - left_out
        self.rejected_here += rejected_here
        self.rejected += rejected_here + aside + refused + left_out
        spool.remove()

    def _new_key(self, spool: BatchSpool, state: t.Any, passed: Sequence[str]) -> CommitKey:
        """The name of the next commit; one that has come before in this run gives another."""
        if not self._is_resumed_by(state):
            key = content_key(self._dataset, self._stream, spool.content())
            state = key.digest
        else:
            key = commit_key(self._dataset, self._stream, state, passed)
        times = self._times_named[key.digest]
        self._times_named[key.digest] += 1
        return self.key([state, times]) if times else key

    def _keep_rejected(
        self, spool: BatchSpool, key: CommitKey, around: Sequence[CommitKey], state: t.Any
    ) -> int:
        """Write the letters of what was never sent, unless a commit around has them; how many."""
        known = {digest for one in around for digest in self._dead_letters.digests(one)}
        letters = ({**letter, "state": state} for letter in spool.letters())
        fresh = (letter for letter in letters if letter_digest(letter) not in known)
        self._dead_letters.write(key, "rejected", fresh)
        return spool.rejected

    def _load(
        self, spool: BatchSpool, key: CommitKey, around: Sequence[CommitKey], state: t.Any
    ) -> tuple[Loaded | None, int, int]:
        """Load the rows, without those for which a whole batch fails.

        Returns:
            The batch, if there is one; how many rows are not in it for that; its size in bytes.
        """
        loaded, refused, size = None, 0, 0
        while spool.rows and loaded is None:
            size = sum(file.stat().st_size for file in spool.files)  # files may be moved away
            try:
                loaded = self._destination.load(self._stream, key, spool.files, around)
            except RowsRefusedError as error:
                refused += self._refused_rows.set_aside(error, spool, key, state)
        return loaded, refused, size

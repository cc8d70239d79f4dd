"""Loading a stream: its spools committed one by one, and every record accounted for."""

from __future__ import annotations

import logging
import typing as t
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from target_aep.commit_key import commit_key
from target_aep.dead_letters import make_letter
from target_aep.destination import RowsRefusedError
from target_aep.errors import BatchFailedError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.commit_key import CommitKey
    from target_aep.dead_letters import DeadLetters
    from target_aep.destination import Destination, Loaded
    from target_aep.row_errors import RowError
    from target_aep.spool import BatchSpool

logger = logging.getLogger("target-aep")

_JOINED_AT_ONCE = 5_000


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
        complaints: What the user must look at, though the STATE is right.
    """

    def __init__(
        self, destination: Destination, stream: str, dataset: str, dead_letters: DeadLetters
    ) -> None:
        """Bind the stream.

        Args:
            destination: Where batches go.
            stream: The stream.
            dataset: What tells its dataset from others.
            dead_letters: Where rejected records go.
        """
        self._destination = destination
        self._stream = stream
        self._dataset = dataset
        self._dead_letters = dead_letters
        self._with_letters = dead_letters.commits()
        self._times_named: Counter[str] = Counter()
        self.loaded = 0
        self.rejected = 0
        self.rejected_here = 0
        self.batches: list[LoadedBatch] = []
        self.complaints: list[str] = []

    def key(self, state: t.Any) -> CommitKey:
        """The name of the commit that ends at a STATE."""
        return commit_key(self._dataset, self._stream, state)

    def recognises(self, state: t.Any) -> bool:
        """Whether an earlier run has begun to commit the records up to this STATE."""
        digest = self.key(state).digest
        return digest in self._with_letters or digest in self._destination.committed(self._stream)

    def commit(self, spool: BatchSpool, state: t.Any) -> None:
        """Load a spool, and write down what was rejected; the spool is gone afterwards.

        Args:
            spool: The records.
            state: The STATE that covers them, None without any.

        Raises:
            TargetError: They could not be loaded; nothing may be claimed of them.
        """
        spool.finish()
        key = self._new_key(state)
        aside = spool.set_aside(self._dead_letters.set_aside(key))
        loaded, refused, size = self._load(spool, key, state)
        left_out = 0
        if loaded:
            left_out = self._account_for(loaded, spool, key, state)
            rows = spool.rows - left_out
            self.batches.append(
                LoadedBatch(loaded.batch, rows, len(spool.files), size, loaded.is_new)
            )
        local = ({**letter, "state": state} for letter in spool.letters())
        rejected_here = self._dead_letters.write(key, "rejected", local)
        self.loaded += spool.rows - left_out
        self.rejected_here += rejected_here
        self.rejected += rejected_here + aside + refused + left_out
        spool.remove()

    def _new_key(self, state: t.Any) -> CommitKey:
        """The name of the next commit; a STATE that has come before in this run gives another."""
        key = self.key(state)
        times = self._times_named[key.digest]
        self._times_named[key.digest] += 1
        return self.key([state, times]) if times else key

    def _load(
        self, spool: BatchSpool, key: CommitKey, state: t.Any
    ) -> tuple[Loaded | None, int, int]:
        """Load the rows, without those for which a whole batch fails.

        Returns:
            The batch, if there is one; how many rows are not in it for that; its size in bytes.
        """
        refused = 0
        while spool.rows:
            size = sum(file.stat().st_size for file in spool.files)  # files may be moved away
            try:
                return self._destination.load(self._stream, key, spool.files), refused, size
            except RowsRefusedError as error:
                refused += self._set_aside(error, spool, key, state)
        return None, refused, 0

    def _set_aside(
        self, refusal: RowsRefusedError, spool: BatchSpool, key: CommitKey, state: t.Any
    ) -> int:
        """Move the rows at fault to the dead letters.

        Raises:
            BatchFailedError: None of the rows is known.
        """
        letters = self._row_letters(refusal.row_errors, refusal.batch, spool, state)
        known = ({**letter, "aside": True} for letter in letters if letter["record"] is not None)
        self._dead_letters.write(key, refusal.batch, known)
        count = spool.set_aside(self._dead_letters.set_aside(key))
        if not count:
            raise BatchFailedError(
                f"{refusal}. Its row errors name none of the rows; the state stays where it was"
            ) from refusal
        logger.warning(
            "Stream '%s': %s. %d rows are in %s with Adobe's reasons; the others are loaded again",
            self._stream,
            refusal,
            count,
            self._dead_letters.folder,
        )
        return count

    def _account_for(self, loaded: Loaded, spool: BatchSpool, key: CommitKey, state: t.Any) -> int:
        """Keep the rows that a batch left out; how many there are."""
        letters = self._row_letters(loaded.row_errors, loaded.batch, spool, state)
        listed = self._dead_letters.write(key, f"{loaded.batch}-rows", letters)
        left_out = min(max(loaded.failed_rows, listed), spool.rows)
        missing = max(0, left_out - listed)
        if missing or loaded.problem:
            letter = self._remainder_letter(loaded, missing, state)
            self._dead_letters.write(key, f"{loaded.batch}-unlisted", [letter])
        if loaded.problem:
            self.complaints.append(
                f"batch {loaded.batch} is in without {_number(missing)} whose reasons could not be "
                f"read ({loaded.problem}). {self._dead_letters.folder} says so; find the rows by "
                "the batch in Experience Platform, which keeps its diagnostics for 30 days"
            )
        logger.info(
            "Stream '%s': batch %s loaded, %d rows, %d files",
            self._stream,
            loaded.batch,
            spool.rows - left_out,
            len(spool.files),
        )
        if left_out:
            logger.warning(
                "Stream '%s': batch %s was ingested without %d rows; %d of them are in %s with "
                "Adobe's reasons",
                self._stream,
                loaded.batch,
                left_out,
                min(listed, left_out),
                self._dead_letters.folder,
            )
        return left_out

    def _row_letters(
        self, errors: Iterable[RowError], batch: str, spool: BatchSpool, state: t.Any
    ) -> Iterator[dict[str, t.Any]]:
        """Letters of rows, with the records they were made of."""
        errors = iter(errors)
        while some := list(islice(errors, _JOINED_AT_ONCE)):
            records = spool.records_of({_id_of(error.row) for error in some} - {None})
            for error in some:
                yield make_letter(
                    stream=self._stream,
                    reason=error.message,
                    code=error.code,
                    field=None,
                    record=records.get(_id_of(error.row)),
                    xdm=error.row,
                    batch=batch,
                    state=state,
                )

    def _remainder_letter(self, loaded: Loaded, missing: int, state: t.Any) -> dict[str, t.Any]:
        """One letter for all rows that the batch left out without telling which."""
        told = loaded.problem or "the diagnostics do not list them"
        letter = make_letter(
            stream=self._stream,
            reason=f"the batch is in without {_number(missing)}: {told}",
            code="UNREADABLE" if loaded.problem else "UNLISTED",
            field=None,
            batch=loaded.batch,
            state=state,
        )
        return {**letter, "rows": missing or None}


def _id_of(row: t.Any) -> t.Any:
    identifier = row.get("_id") if isinstance(row, dict) else None
    return identifier if isinstance(identifier, str) else None


def _number(rows: int) -> str:
    return f"{rows} rows" if rows else "an unknown number of rows"

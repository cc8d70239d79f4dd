"""Loading a stream's batches: files handed over, committed, and every row accounted for."""

from __future__ import annotations

import logging
import typing as t

from target_aep.dead_letters import make_letter

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from target_aep.dead_letters import DeadLetterFile
    from target_aep.destination import Batch, Destination, Loaded
    from target_aep.spool import BatchSpool

logger = logging.getLogger("target-aep")


class StreamLoader:
    """Hands the spooled files of one stream to its destination, a batch at a time.

    Attributes:
        loaded: Records that are in.
        rejected: Records that are in the dead letters, or are known to be missing.
        batches: Batches that are in.
        unclaimed: Those of them that no written STATE covers yet.
        complaints: What the user must look at, though the STATE is right.
    """

    def __init__(self, destination: Destination, stream: str, dead_letters: DeadLetterFile) -> None:
        """Nothing is opened before the first file.

        Args:
            destination: Where batches go.
            stream: The stream.
            dead_letters: Where rejected records go.
        """
        self._destination = destination
        self._stream = stream
        self._dead_letters = dead_letters
        self._batch: Batch | None = None
        self._handed_over = 0
        self.loaded = 0
        self.rejected = 0
        self.batches = 0
        self.unclaimed: list[str] = []
        self.complaints: list[str] = []

    def hand_over(self, files: Sequence[Path]) -> None:
        """Give those files to the batch that it has not got yet; the first one opens it.

        Args:
            files: All files of the batch so far that won't change any more.

        Raises:
            TargetError: The batch can't be opened.
        """
        for file in files[self._handed_over :]:
            if self._batch is None:
                self._batch = self._destination.open_batch(self._stream)
            self._batch.add_file(file)
            self._handed_over += 1

    def commit(self, spool: BatchSpool) -> None:
        """Load a spool, and write down what was rejected.

        Raises:
            TargetError: The batch could not be loaded; nothing may be claimed of it.
        """
        spool.finish()
        self.hand_over(spool.files if spool.rows else [])
        left_out = 0
        if self._batch:
            loaded = self._batch.commit()
            self._batch, self._handed_over = None, 0
            self.batches += 1
            self.unclaimed.append(loaded.batch)
            left_out = self._account_for(loaded, spool)
        rejected_here = self._dead_letters.append_lines(spool.letters())
        self.loaded += spool.rows - left_out
        self.rejected += rejected_here + left_out

    def abandon(self) -> None:
        """Give up the open batch after a failure."""
        if self._batch:
            self._batch.abort()
        self._batch, self._handed_over = None, 0

    def _account_for(self, loaded: Loaded, spool: BatchSpool) -> int:
        """Keep the rows that a batch left out; how many there are."""
        listed = self._dead_letters.append(self._row_letters(loaded))
        left_out = min(max(loaded.failed_rows, listed), spool.rows)
        missing = max(0, left_out - listed)
        if missing or loaded.problem:
            self._dead_letters.append([self._remainder_letter(loaded, missing)])
        if loaded.problem:
            self.complaints.append(
                f"batch {loaded.batch} is in without {_number(missing)} whose reasons could not be "
                f"read ({loaded.problem}). {self._dead_letters.path} says so; find the rows by the "
                "batch in Experience Platform, which keeps its diagnostics for 30 days"
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
                self._dead_letters.path,
            )
        return left_out

    def _row_letters(self, loaded: Loaded) -> Iterator[dict[str, t.Any]]:
        for error in loaded.row_errors:
            yield make_letter(
                stream=self._stream,
                reason=error.message,
                code=error.code,
                field=None,
                xdm=error.row,
                batch=loaded.batch,
            )

    def _remainder_letter(self, loaded: Loaded, missing: int) -> dict[str, t.Any]:
        """One letter for all rows that the batch left out without telling which."""
        told = loaded.problem or "the diagnostics do not list them"
        letter = make_letter(
            stream=self._stream,
            reason=f"the batch is in without {_number(missing)}: {told}",
            code="UNREADABLE" if loaded.problem else "UNLISTED",
            field=None,
            batch=loaded.batch,
        )
        return {**letter, "rows": missing or None}


def _number(rows: int) -> str:
    return f"{rows} rows" if rows else "an unknown number of rows"

"""The rows that a batch was ingested without, or failed for: into the dead letters, counted."""

from __future__ import annotations

import logging
import typing as t
from itertools import islice

from target_aep.dead_letters import make_letter
from target_aep.errors import BatchFailedError

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_aep.commit_key import CommitKey
    from target_aep.dead_letters import DeadLetters, Letter
    from target_aep.destination import Loaded, RowsRefusedError
    from target_aep.row_errors import RowError
    from target_aep.spool import BatchSpool

logger = logging.getLogger("target-aep")

_JOINED_AT_ONCE = 5_000


class RefusedRows:
    """Keeps the rows of one stream that Experience Platform refused, with their source records.

    Attributes:
        complaints: What the user must look at, though the STATE is right.
    """

    def __init__(self, stream: str, dead_letters: DeadLetters) -> None:
        """Bind the stream.

        Args:
            stream: The stream.
            dead_letters: Where the rows go.
        """
        self._stream = stream
        self._dead_letters = dead_letters
        self._told_elsewhere = 0
        self.complaints: list[str] = []

    def set_aside(
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

    def account_for(self, loaded: Loaded, spool: BatchSpool, key: CommitKey, state: t.Any) -> int:
        """Keep the rows that a batch left out; how many there are."""
        letters = self._row_letters(loaded.row_errors, loaded.batch, spool, state)
        self._told_elsewhere = 0
        if not loaded.is_new:
            self._compare(loaded, spool)
            letters = self._sifted(letters, loaded, key)
        listed = self._dead_letters.write(key, f"{loaded.batch}-rows", letters)
        left_out = min(listed, spool.rows)
        if not loaded.is_wider:
            left_out = min(max(loaded.failed_rows - self._told_elsewhere, listed), spool.rows)
            self._tell_remainder(loaded, max(0, left_out - listed), key, state)
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

    def _tell_remainder(self, loaded: Loaded, missing: int, key: CommitKey, state: t.Any) -> None:
        """Keep that rows were left out without telling which."""
        if missing or loaded.problem:
            letter = self._remainder_letter(loaded, missing, state)
            self._dead_letters.write(key, f"{loaded.batch}-unlisted", [letter])
        if loaded.problem:
            self.complaints.append(
                f"batch {loaded.batch} is in without {_number(missing)} whose reasons could not be "
                f"read ({loaded.problem}). {self._dead_letters.folder} says so; find the rows by "
                "the batch in Experience Platform, which keeps its diagnostics for 30 days"
            )

    def _compare(self, loaded: Loaded, spool: BatchSpool) -> None:
        """Warn if an earlier run's batch can't hold all that this run has for the same STATE."""
        if loaded.rows is not None and loaded.rows < spool.rows:
            logger.warning(
                "Stream '%s': batch %s of an earlier run was sent %d rows for the same STATE, this "
                "run has %d, of which nothing is sent. Was the mapping changed between the two, or "
                "does the tap send other records under one STATE? Then delete that batch in "
                "Experience Platform and run from the STATE before it",
                self._stream,
                loaded.batch,
                loaded.rows,
                spool.rows,
            )

    def _sifted(
        self, letters: Iterable[Letter], loaded: Loaded, key: CommitKey
    ) -> Iterator[Letter]:
        """The letters of an earlier run's batch without those that another commit keeps.

        Of a batch that goes on to a later STATE, that is all rows which this run does not have: the
        run that comes to that STATE has them.
        """
        kept: Collection[str] | None = None
        for letter in letters:
            if letter["record"] is None and kept is None and not loaded.is_wider:
                kept = self._dead_letters.row_ids(but=key)
            if letter["record"] is None and (kept is None or _id_of(letter.get("xdm")) in kept):
                self._told_elsewhere += 1
            else:
                yield letter

    def _row_letters(
        self, errors: Iterable[RowError], batch: str, spool: BatchSpool, state: t.Any
    ) -> Iterator[Letter]:
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

    def _remainder_letter(self, loaded: Loaded, missing: int, state: t.Any) -> Letter:
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

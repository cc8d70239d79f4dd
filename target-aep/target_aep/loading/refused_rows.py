"""The rows that a batch was ingested without, or failed for: into the dead letters, counted."""

from __future__ import annotations

import logging
import typing as t
from functools import cached_property
from itertools import islice

from target_aep.errors import BatchFailedError
from target_aep.loading.dead_letters import letter_digest, make_letter

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_aep.api.row_errors import RowError
    from target_aep.loading.commit_key import CommitKey
    from target_aep.loading.dead_letters import DeadLetters, Letter
    from target_aep.loading.destination import Commit, Loaded, RowsRefusedError
    from target_aep.loading.spool import BatchSpool

logger = logging.getLogger("target-aep")

_JOINED_AT_ONCE = 5_000
_NOT_SENT = "unsent"


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
        self._dead_letters.write(key, refusal.batch or _NOT_SENT, known)
        count = spool.set_aside(self._dead_letters.set_aside(key))
        if not count:
            raise BatchFailedError(
                f"{refusal}. Its row errors name none of the rows; the state stays where it was"
            ) from refusal
        logger.warning(
            "Stream '%s': %s. %d rows are in %s with %s; the others are loaded %s",
            self._stream,
            refusal,
            count,
            self._dead_letters.folder,
            *(("Adobe's reasons", "again") if refusal.batch else ("the reasons", "without them")),
        )
        return count

    def account_for(self, loaded: Loaded, spool: BatchSpool, commit: Commit, state: t.Any) -> int:
        """Keep the rows that a batch left out; how many of this run's are not in by now."""
        letters = _SiftedLetters(
            self._row_letters(loaded.row_errors, loaded.batch, spool, state),
            loaded,
            commit,
            self._dead_letters,
        )
        self._dead_letters.write(commit.key, f"{loaded.batch}-rows", letters)
        missing = 0 if loaded.is_wider else max(0, loaded.failed_rows - letters.seen)
        missing = min(missing, spool.rows)
        self._tell_remainder(loaded, missing, commit.key, state)
        left_out = min(letters.waiting + letters.unknown + missing, spool.rows)
        self._log(loaded, spool, left_out, missing)
        return left_out

    def _log(self, loaded: Loaded, spool: BatchSpool, left_out: int, missing: int) -> None:
        if loaded.is_new:
            logger.info(
                "Stream '%s': batch %s loaded, %d rows, %d files",
                self._stream,
                loaded.batch,
                spool.rows - left_out,
                len(spool.files) if loaded.files is None else loaded.files,
            )
        else:
            logger.info(
                "Stream '%s': batch %s of an earlier run holds these records: nothing is sent",
                self._stream,
                loaded.batch,
            )
        if left_out:
            logger.warning(
                "Stream '%s': batch %s was ingested without %d rows; %d of them are in %s with "
                "Adobe's reasons",
                self._stream,
                loaded.batch,
                left_out,
                left_out - missing,
                self._dead_letters.folder,
            )
        expected = spool.rows - left_out
        if loaded.is_new and loaded.taken is not None and loaded.taken < expected:
            logger.warning(
                "Stream '%s': Catalog counts %d rows of batch %s in the dataset, where %d are "
                "expected: compare them (`target-aep status` shows the batch)",
                self._stream,
                loaded.taken,
                loaded.batch,
                expected,
            )

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

    def _row_letters(
        self, errors: Iterable[RowError], batch: str | None, spool: BatchSpool, state: t.Any
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


class _SiftedLetters:
    """The letters of a batch without those that are kept already.

    Of an earlier run's batch that goes on to a later STATE, rows that this run does not have are
    told by the run that comes to that STATE.

    Attributes:
        seen: How many rows the batch has left out, as far as they are listed.
        waiting: Those of them that are of this run's records, and not in yet.
        unknown: Those that are not in and whose records are not known.
    """

    def __init__(
        self, letters: Iterator[Letter], loaded: Loaded, commit: Commit, dead_letters: DeadLetters
    ) -> None:
        self._letters = letters
        self._loaded = loaded
        self._commit = commit
        self._dead_letters = dead_letters
        self.seen = 0
        self.waiting = 0
        self.unknown = 0

    def __iter__(self) -> Iterator[Letter]:
        retried = self._dead_letters.retried(self._commit.key, *self._commit.around)
        around = self._dead_letters.digests(*self._commit.around)
        for letter in self._letters:
            is_ours = letter["record"] is not None
            identifier = _id_of(letter.get("xdm"))
            self.seen += 1
            self.waiting += is_ours and identifier not in retried
            self.unknown += not is_ours and self._loaded.is_new
            if letter_digest(letter) not in around if is_ours else self._is_told(identifier):
                yield letter

    def _is_told(self, identifier: t.Any) -> bool:
        """Whether a row that is not this run's has to be told."""
        return self._loaded.is_new or not (
            self._loaded.is_wider or identifier in self._kept_identifiers
        )

    @cached_property
    def _kept_identifiers(self) -> Collection[str]:
        return self._dead_letters.row_ids()


def _id_of(row: t.Any) -> t.Any:
    identifier = row.get("_id") if isinstance(row, dict) else None
    return identifier if isinstance(identifier, str) else None


def _number(rows: int) -> str:
    return f"{rows} rows" if rows else "an unknown number of rows"

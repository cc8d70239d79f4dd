"""Records that were never sent: in the dead letters once, as long as no batch holds them."""

from __future__ import annotations

import logging
import typing as t

from target_aep.loading.dead_letters import letter_digest, now_text

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.loading.commit_key import CommitKey
    from target_aep.loading.dead_letters import DeadLetters
    from target_aep.loading.destination import Commit, Loaded
    from target_aep.loading.spool import BatchSpool

logger = logging.getLogger("target-aep")

_WHAT = "rejected"


class KeptRecords:
    """Keeps the records of one stream that can't be valid XDM."""

    def __init__(self, stream: str, dead_letters: DeadLetters) -> None:
        """Bind the stream.

        Args:
            stream: The stream.
            dead_letters: Where they go.
        """
        self._stream = stream
        self._dead_letters = dead_letters

    def write(
        self, key: CommitKey, around: Sequence[CommitKey], spool: BatchSpool, state: t.Any
    ) -> None:
        """Write the letters of a spool, unless the commit, or one around it, has them."""
        if not spool.rejected:
            return
        known = self._dead_letters.digests(*around)
        letters = ({**letter, "state": state} for letter in spool.letters())
        fresh = (letter for letter in letters if letter_digest(letter) not in known)
        self._dead_letters.write(key, _WHAT, fresh)

    def settle(self, loaded: Loaded | None, commit: Commit, spool: BatchSpool, state: t.Any) -> int:
        """Bring the letters of a commit in line with the batch that it is in.

        A run that repeats a commit with another mapping can place what the first could not, or the
        reverse: what counts is what the batch was sent.

        Returns:
            How many of the spool's records are in the dead letters without ever being sent.
        """
        if loaded is None:
            return spool.rejected
        if loaded.is_new:
            self._mark_sent(loaded, commit, spool)
            return spool.rejected
        if not loaded.is_same or loaded.rows is None:
            self.write(commit.key, commit.around, spool, state)
            return spool.rejected
        return self._settle_found(loaded, loaded.rows, commit, spool, state)

    def _settle_found(
        self, loaded: Loaded, sent: int, commit: Commit, spool: BatchSpool, state: t.Any
    ) -> int:
        """Settle with a batch of an earlier run that was made for just these records."""
        received = spool.rows + spool.rejected
        if sent >= received:
            self._mark_sent(loaded, commit, spool)
            return 0
        kept = self._dead_letters.count(commit.key, _WHAT)
        if sent + kept.written >= received:
            return min(kept.waiting, received)
        self.write(commit.key, commit.around, spool, state)
        self._warn_of_missing(loaded, spool.rows - sent)
        return received - min(sent, spool.rows)

    def _mark_sent(self, loaded: Loaded, commit: Commit, spool: BatchSpool) -> None:
        """Mark letters whose records are rows of the batch."""
        if not self._may_be_sent(commit, spool):
            return
        kept = self._dead_letters.digests(commit.key)
        texts = {_texts_of(record) for record in self._dead_letters.records(commit.key)}
        marks = {
            digest: {"batch": loaded.batch, "time": now_text(), "_id": identifier}
            for identifier, record in spool.records()
            if _texts_of(record) in texts
            and (digest := letter_digest({"stream": self._stream, "record": record})) in kept
        }
        self._dead_letters.mark(commit.key, _WHAT, marks)

    def _may_be_sent(self, commit: Commit, spool: BatchSpool) -> bool:
        """Whether a letter that waits may be of a record that is a row of the batch too.

        One that was rejected just now is so only if it came twice, and was taken at another moment.
        """
        waiting = self._dead_letters.waiting(commit.key, _WHAT)
        if not waiting or spool.may_hold_rejected:
            return bool(waiting)
        return not waiting <= set(map(letter_digest, spool.letters()))

    def _warn_of_missing(self, loaded: Loaded, missing: int) -> None:
        if missing <= 0:
            return
        logger.warning(
            "Stream '%s': batch %s of an earlier run was made for the same records, but was sent "
            "%d rows less, which are in no dead letters here either: they were rejected then, and "
            "are counted as rejected now. Look at the dead letters of that run, or delete the "
            "batch in Experience Platform and run from the STATE before it",
            self._stream,
            loaded.batch,
            missing,
        )


def _texts_of(record: t.Any) -> int:
    """A number that equal records have in common; far sooner made than a digest."""
    if not isinstance(record, dict):
        return 0
    return hash(frozenset(value for value in record.values() if type(value) is str))

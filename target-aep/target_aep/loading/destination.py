"""Where batches go: what the sink needs of a destination, whichever it is."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from target_aep.errors import BatchFailedError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from target_aep.api.row_errors import RowError
    from target_aep.loading.commit_key import CommitKey
    from target_aep.loading.known_commits import KnownCommits
    from target_aep.xdm.schema import XdmField


@dataclass(frozen=True)
class Binding:
    """What a stream is bound to before its first record.

    Attributes:
        schema: The dataset's schema, None if it is not known.
        tenant: The tenant, without underscore.
        dataset: What tells the dataset from others.
    """

    schema: XdmField | None
    tenant: str
    dataset: str = ""


@dataclass(frozen=True)
class Commit:
    """What is to be brought in.

    Attributes:
        key: Its name and what it holds.
        files: All its files; none if no record is left to be sent.
        around: Commits of earlier runs that may hold all of it, and more.
        before_sending: Called when no earlier batch holds it, before anything is uploaded.
    """

    key: CommitKey
    files: Sequence[Path]
    around: Sequence[CommitKey] = ()
    before_sending: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Loaded:
    """A batch that is in.

    Attributes:
        batch: Its name.
        failed_rows: How many rows it left out, as far as that is known.
        row_errors: Those rows, as far as they could be read; to be gone through once.
        problem: Why not all of them could be read; None if they could.
        is_new: Whether this run has made it; else it is an earlier run's of the same commit.
        is_wider: Whether that earlier commit goes on to a later STATE.
        is_same: Whether it is known to be of the same records, no more and no less.
        rows: How many rows it was sent, as far as that is known.
        taken: How many of them are in the dataset, as far as that is known.
        files: Its files; None if they are those of the commit, or as many. Of an earlier run's
            Parquet files 0 if it can't be told which of them are the commit's.
        size: Their bytes, in the same way.
    """

    batch: str
    failed_rows: int = 0
    row_errors: Iterable[RowError] = field(default=())
    problem: str | None = None
    is_new: bool = True
    is_wider: bool = False
    is_same: bool = False
    rows: int | None = None
    taken: int | None = None
    files: int | None = None
    size: int | None = None


class RowsRefusedError(BatchFailedError):
    """A batch failed as a whole because of rows in it, or could not be made of them.

    Attributes:
        batch: Its name; None if there is none, since nothing was sent.
        row_errors: Rows at fault, as far as they are listed; to be gone through once.
    """

    def __init__(self, message: str, batch: str | None, row_errors: Iterable[RowError]) -> None:
        super().__init__(message)
        self.batch = batch
        self.row_errors = row_errors


class OtherRecordsError(Exception):
    """A commit of this name is in, made for other records under the same STATE."""


class Destination(t.Protocol):
    """A place for batches."""

    def bind(self, stream: str) -> Binding:
        """Find out where a stream goes, before its first record."""

    def spool_folder(self, stream: str) -> Path:
        """A new folder of its own for a batch that is being collected."""

    def committed(self, stream: str) -> KnownCommits:
        """The stream's commits that earlier runs have begun, however they ended."""

    def load(self, stream: str, commit: Commit) -> Loaded | None:
        """Bring a commit in, unless it or one around it is in; callable from any thread.

        Returns:
            The batch that it is in; None if there is none, and no file to make one of.

        Raises:
            OtherRecordsError: A batch of its name holds others.
            RowsRefusedError: It can't be brought in with some of the rows.
        """

    def abandon(self) -> None:
        """Give up what is not committed, as far as that is possible, without waiting."""

    def stop(self) -> None:
        """Wait for nothing any more: the run is ending."""

    def remove_files(self) -> None:
        """Delete temporary files. Takes no lock, since a signal handler calls it."""

    def close(self) -> None:
        """Let go of all that the destination holds."""

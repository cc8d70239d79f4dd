"""Where batches go: what the sink needs of a destination, whichever it is."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from target_aep.row_errors import RowError
    from target_aep.xdm_schema import XdmField


@dataclass(frozen=True)
class Binding:
    """What a stream is bound to before its first record: schema (None: unknown) and tenant."""

    schema: XdmField | None
    tenant: str


@dataclass(frozen=True)
class Loaded:
    """A batch that is in.

    Attributes:
        batch: Its name.
        failed_rows: How many rows it left out, as far as that is known.
        row_errors: Those rows, as far as they could be read; to be gone through once.
        problem: Why not all of them could be read; None if they could.
    """

    batch: str
    failed_rows: int = 0
    row_errors: Iterable[RowError] = field(default=())
    problem: str | None = None


class Batch(t.Protocol):
    """A batch that is being handed over."""

    def add_file(self, path: Path) -> None:
        """Take a file that won't change any more; it may be handed over in the background."""

    def commit(self) -> Loaded:
        """Finish the batch and wait until it counts as loaded."""

    def abort(self) -> None:
        """Give the batch up, as far as that is possible, without waiting for anything."""


class Destination(t.Protocol):
    """A place for batches."""

    def bind(self, stream: str) -> Binding:
        """Find out where a stream goes, before its first record."""

    def spool_folder(self, stream: str) -> Path:
        """A new folder of its own for a batch that is being collected."""

    def open_batch(self, stream: str) -> Batch:
        """Begin to hand over a batch."""

    def stop(self) -> None:
        """Wait for nothing any more: the run is ending."""

    def remove_files(self) -> None:
        """Delete temporary files. Takes no lock, since a signal handler calls it."""

    def close(self) -> None:
        """Let go of all that the destination holds."""

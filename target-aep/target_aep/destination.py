"""Where batches go: what the sink needs of a destination, whichever it is."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterator
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
    """A batch that is in: its name, how many rows it left out, and a way to read those."""

    batch: str
    failed_rows: int
    row_errors: Iterator[RowError]


class Batch(t.Protocol):
    """A batch that is being handed over."""

    def add_file(self, path: Path) -> None:
        """Take a file that won't change any more; it may be handed over in the background."""

    def commit(self) -> Loaded:
        """Finish the batch and wait until it counts as loaded."""

    def abort(self) -> None:
        """Give the batch up, as far as that is possible."""


class Destination(t.Protocol):
    """A place for batches."""

    def bind(self, stream: str) -> Binding:
        """Find out where a stream goes, before its first record."""

    def spool_folder(self, stream: str) -> Path:
        """A new folder of its own for a batch that is being collected."""

    def open_batch(self, stream: str) -> Batch:
        """Begin to hand over a batch."""

    def close(self) -> None:
        """Let go of what the destination holds (temporary folders, threads)."""

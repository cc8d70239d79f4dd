"""What became of some records of one stream that came one after the other."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.mapping.counts import MappingCounts


class Rejection(t.NamedTuple):
    """A record that can't be valid XDM.

    Attributes:
        line: Its place in the block, from 0.
        field: The XDM field at fault; None where the record as a whole is.
        reason: Why.
        identifier: `RejectedRecordError.identifier`.
    """

    line: int
    field: str | None
    reason: str
    identifier: str | None = None


@dataclass
class MappedBlock:
    """Records that were mapped, in the order in which they came; it can be pickled.

    Attributes:
        taken: How many lines it is made of: the one after them is left to the ordinary way.
        rows: The rows as JSON lines.
        ends: Where each ends in them.
        ids: Their `_id`s.
        digests: `id_digest` of each that is a text, else None.
        oversized: The positions of rows that Profile drops.
        rejected: The records that gave no row.
        respelled: Lines, by their place, whose record is kept in another spelling.
        copies: What the rows were made of, packed by a worker; None where that is still to be done.
        number: What the records add to the sum of the commit.
        counts: What a worker's mapper has counted; None where the stream's own mapper did it.
    """

    taken: int = 0
    rows: bytearray | bytes = field(default_factory=bytearray)
    ends: list[int] = field(default_factory=list)
    ids: list[t.Any] = field(default_factory=list)
    digests: list[bytes | None] = field(default_factory=list)
    oversized: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    respelled: dict[int, bytes] = field(default_factory=dict)
    copies: bytes | None = None
    number: int = 0
    counts: MappingCounts | None = None

    def size_of(self, position: int) -> int:
        """The bytes of a row, without its newline."""
        start = self.ends[position - 1] if position else 0
        return self.ends[position] - start - len(b"\n")

    def sources(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """The lines that the rows were made of.

        Args:
            lines: All lines of the block, without their newlines.
        """
        if self.respelled:
            lines = [self.respelled.get(place, line) for place, line in enumerate(lines)]
        if self.rejected:
            without = {rejection.line for rejection in self.rejected}
            lines = [line for place, line in enumerate(lines) if place not in without]
        return lines

"""Lines that follow each other in the input, told by their places: most are never made."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from functools import cached_property
from operator import sub

from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterator


class LineRun(Sequence[bytes]):
    """Some lines of a chunk, without their newlines."""

    def __init__(self, chunk: bytes, start: int, ends: list[int]) -> None:
        """Bind the lines.

        Args:
            chunk: What they are in.
            start: Where the first begins.
            ends: Where each ends, behind its newline.
        """
        self._chunk = chunk
        self._start = start
        self._ends = ends

    @classmethod
    def alike(cls, chunk: bytes, start: int, prefix: bytes) -> LineRun:
        """The lines from a place on that begin alike.

        Args:
            chunk: Lines; one that has no newline is none.
            start: Where the first begins.
            prefix: How they begin.
        """
        at, ends = start, []
        find, begins = chunk.find, chunk.startswith
        while begins(prefix, at) and (at := find(b"\n", at) + 1):
            ends.append(at)
        return cls(chunk, start, ends)

    @property
    def end(self) -> int:
        """The place behind the last newline."""
        return self._ends[-1] if self._ends else self._start

    @property
    def size(self) -> int:
        """Bytes of the lines with their newlines."""
        return self.end - self._start

    @property
    def longest(self) -> int:
        """Bytes of the longest line with its newline."""
        starts = [self._start, *self._ends[:-1]]
        return max(map(sub, self._ends, starts), default=0)

    @property
    def text(self) -> bytes:
        """The lines as they are in the chunk, without the last newline."""
        return self._chunk[self._start : max(self._start, self.end - len(b"\n"))]

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.text.split(b"\n") if self._ends else []

    @override
    def __len__(self) -> int:
        return len(self._ends)

    @override
    def __iter__(self) -> Iterator[bytes]:
        return iter(self._lines)

    @t.overload
    def __getitem__(self, place: int) -> bytes: ...

    @t.overload
    def __getitem__(self, place: slice) -> LineRun: ...

    @override
    def __getitem__(self, place: int | slice) -> bytes | LineRun:
        if isinstance(place, int):
            return self._lines[place]
        first, last, _ = place.indices(len(self))
        start = self._ends[first - 1] if first else self._start
        return LineRun(self._chunk, start, self._ends[first:last])

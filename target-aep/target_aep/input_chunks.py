"""The input in large pieces, each as soon as it is there."""

from __future__ import annotations

import contextlib
import io
import os
import select
import typing as t

from target_aep.pipes import PIPE_BYTES, widen_pipe

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_ENOUGH = PIPE_BYTES // 2


class InputChunks:
    """Pieces of an input that end where a line does; only the last may end elsewhere.

    Attributes:
        descriptor: Tells when there is input; None where nothing lets wait for it.
    """

    def __init__(self, source: Iterable[t.Any]) -> None:
        """Look what the source can.

        Args:
            source: A file, or any lines, as bytes or as text.
        """
        self._source = source
        self.descriptor = _descriptor_of(source)
        self._read = _reader_of(source)
        if self.descriptor is not None:
            _let_wait(self.descriptor)
            widen_pipe(self.descriptor)

    def __iter__(self) -> Iterator[bytes]:
        """Read to the end."""
        return self._chunks(self._read) if self._read else self._lines()

    def _lines(self) -> Iterator[bytes]:
        for line in self._source:
            yield line.encode() if isinstance(line, str) else line

    def _chunks(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        parts: list[bytes] = []
        while piece := self._next_piece(read):
            end = piece.rfind(b"\n") + 1
            if not end:
                parts.append(piece)
                continue
            if parts or end < len(piece):
                yield b"".join((*parts, memoryview(piece)[:end]))
            else:
                yield piece
            parts = [piece[end:]] if end < len(piece) else []
        if parts:
            yield b"".join(parts)

    def _next_piece(self, read: Callable[[int], bytes]) -> bytes:
        """What is there, more of it where a pipe gives it in small parts."""
        piece = read(PIPE_BYTES)
        if not piece or self.descriptor is None or len(piece) >= _ENOUGH:
            return piece
        parts, size = [piece], len(piece)
        while size < _ENOUGH and piece and _has_input(self.descriptor):
            piece = read(PIPE_BYTES)
            parts.append(piece)
            size += len(piece)
        return b"".join(parts)


def _reader_of(source: t.Any) -> Callable[[int], bytes] | None:
    """What reads bytes as they come, None for lines of which nothing else is known."""
    if isinstance(source, io.TextIOBase):
        return lambda size: source.read(size).encode()
    read: Callable[[int], bytes] | None = getattr(source, "read1", None)
    return read


def _descriptor_of(source: t.Any) -> int | None:
    with contextlib.suppress(AttributeError, OSError, ValueError):
        descriptor: int = source.fileno()
        select.poll().register(descriptor)
        return descriptor
    return None


def _let_wait(descriptor: int) -> None:
    """Let reading wait for input: of a pipe that does not, a pause would look like the end."""
    with contextlib.suppress(OSError):
        os.set_blocking(descriptor, True)


def _has_input(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))

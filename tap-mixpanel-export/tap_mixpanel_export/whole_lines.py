"""Writes lines to stdout so that a signal ends the output after a whole one, and waits for nobody.

A signal's handler raises its exception within a write. How far that write came is known to an
``io.BufferedWriter`` alone: its accounting is in C, where no handler runs between a write and the
note of it. So what it has left is taken back from it, and the line that was begun is finished, as
long as somebody reads.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_NEWLINE = b"\n"[0]
_PATIENCE = 2.0
_MOST_PATIENCE = 5.0


def tell_nobody(_lines: int) -> None:
    """Do nothing with a number of lines."""


def opened(descriptor: int, most: int) -> io.BufferedWriter:
    """Return a writer for ``write_whole``, which leaves the file open.

    Args:
        descriptor: The file.
        most: Bytes of the longest piece.
    """
    # One byte more: from Python 3.13 on, a piece of the buffer's own size does not go through it.
    return io.BufferedWriter(io.FileIO(descriptor, "wb", closefd=False), most + 1)


def write_whole(
    output: io.BufferedWriter, lines: memoryview, told: Callable[[int], None] = tell_nobody
) -> None:
    """Write whole lines that fit into the writer's buffer, in which nothing is.

    After an exception the writer is of no more use.

    Args:
        output: The writer.
        lines: The lines.
        told: Called with the number of lines that are written, if an exception ends it.

    Raises:
        OSError: They cannot be written.
    """
    try:
        output.write(lines)
        output.flush()
    except BaseException as error:
        rest = _taken_back(output)
        begun = len(lines) - len(rest)
        is_within = bool(rest) and begun > 0 and lines[begun - 1] != _NEWLINE
        whole = bytes(lines[:begun]).count(b"\n")
        if is_within and not isinstance(error, OSError):
            whole += finish_line(output.fileno(), rest)
        told(whole)
        raise


def finish_line(descriptor: int, rest: bytes) -> bool:
    """Write the first line of what is left, unless nobody reads it or is known to.

    Args:
        descriptor: The file.
        rest: What is left; it begins within a line.

    Returns:
        Whether the line is finished.
    """
    line = memoryview(rest)[: rest.find(b"\n") + 1]
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    end = time.monotonic() + _MOST_PATIENCE
    with contextlib.suppress(OSError):
        while line and time.monotonic() < end and ready.poll(_PATIENCE * 1000):
            line = line[os.write(descriptor, line[: select.PIPE_BUF]) :]
    return not line


def _taken_back(output: io.BufferedWriter) -> bytes:
    """Empty a writer's buffer; from here on it writes nothing, also when it is freed."""
    rest = bytearray()

    def take(piece: memoryview) -> int:
        rest.extend(piece)
        return len(piece)

    vars(output.raw)["write"] = take
    output.flush()
    return bytes(rest)

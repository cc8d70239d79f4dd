"""Writes Singer messages to stdout: the SDK's one by one, lines that were made before in pieces."""

from __future__ import annotations

import io
import sys

from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter

_PIECE = 1 << 16  # what a pipe holds
_BUFFER = 1 << 20


class LineWriter(SimpleSingerWriter):
    """The SDK's writer, which can also write lines."""

    def __init__(self) -> None:
        super().__init__()
        self._output: io.BufferedWriter | None = None

    def write_lines(self, lines: bytes) -> None:
        """Write RECORD lines after everything that was written before; none stays in a buffer.

        A signal may end it after any line, but not within one.

        Args:
            lines: Whole lines in UTF-8.
        """
        sys.stdout.flush()
        output = self._opened()
        if output is None:
            sys.stdout.write(lines.decode())
            return
        whole = memoryview(lines)
        begin = 0
        try:
            while begin < len(whole):
                end = lines.find(b"\n", begin + _PIECE) + 1 or len(whole)
                output.write(whole[begin:end])
                output.flush()
                begin = end
        except BrokenPipeError:
            raise
        except BaseException:
            output.flush()  # what is left of the piece that was being written
            raise

    def _opened(self) -> io.BufferedWriter | None:
        """Return stdout as it is now, or None if it is no file."""
        try:
            descriptor = sys.stdout.fileno()
        except io.UnsupportedOperation:
            return None
        if self._output is None or self._output.fileno() != descriptor:
            # Its buffer holds a whole piece, and knows how much of it a signal has left.
            raw = io.FileIO(descriptor, "wb", closefd=False)
            self._output = io.BufferedWriter(raw, _BUFFER)
        return self._output

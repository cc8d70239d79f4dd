"""Writes Singer messages to stdout: the SDK's one by one, lines that were made before in pieces."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter

from tap_mixpanel_export.stdout_errors import messages_unwritable
from tap_mixpanel_export.stored_lines import StoredLines, takes_moves
from tap_mixpanel_export.whole_lines import opened, write_whole

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message

_PIECE = 1 << 16  # what a pipe holds
_BUFFER = 1 << 20


class LineWriter(SimpleSingerWriter):
    """The SDK's writer, which can also write lines.

    Attributes:
        lines_written: Where an exception has ended ``write_lines``: how many are written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines_written = 0
        self._output: io.BufferedWriter | None = None
        self._takes_moves = False

    def write_message(self, message: Message) -> None:
        """Write a message in UTF-8, as ``write_lines`` does."""
        self.write_lines(f"{self.format_message(message)}\n".encode())

    def write_lines(self, lines: bytes | StoredLines) -> None:
        """Write lines after everything that was written before; none stays in a buffer.

        A signal may end it after any line, but not within one, unless the reader has stopped.

        Args:
            lines: Whole lines in UTF-8.

        Raises:
            BrokenPipeError: Nobody reads them.
            OutputError: They cannot be written.
            StorageError: Stored lines cannot be read.
        """
        self.lines_written = 0
        try:
            self._write_lines(lines)
        except BaseException as error:
            # The call also has the handler of a signal run that came with the end of the reader.
            self._forget()
            if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
                raise messages_unwritable(error) from error
            raise

    def _write_lines(self, lines: bytes | StoredLines) -> None:
        sys.stdout.flush()
        output = self._opened()
        if isinstance(lines, StoredLines):
            if output is not None and self._takes_moves and lines.move(output, self._count):
                return
            lines = lines.read()
        if output is None:
            sys.stdout.write(lines.decode())
        else:
            self._write(output, lines)

    def _write(self, output: io.BufferedWriter, lines: bytes) -> None:
        whole = memoryview(lines)
        begin = within = 0

        def told(count: int) -> None:
            nonlocal within
            within = count

        try:
            while begin < len(whole):
                end = lines.find(b"\n", begin + _PIECE) + 1 or len(whole)
                size = end - begin
                fitting = output if size <= _BUFFER else opened(output.fileno(), size)
                write_whole(fitting, whole[begin:end], told)
                begin = end
        except BaseException:
            self._count(lines.count(b"\n", 0, begin) + within)
            raise

    def _count(self, lines: int) -> None:
        self.lines_written = lines

    def _forget(self) -> None:
        self._output = None

    def _opened(self) -> io.BufferedWriter | None:
        """Return stdout as it is now, or None if it is no file."""
        try:
            descriptor = sys.stdout.fileno()
        except io.UnsupportedOperation:
            return None
        if self._output is None or self._output.fileno() != descriptor:
            self._output = opened(descriptor, _BUFFER)
            self._takes_moves = takes_moves(descriptor)
        return self._output

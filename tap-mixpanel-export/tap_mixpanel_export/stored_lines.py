"""Lines that are in a file, and go from there into a pipe without a copy of them being made."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from typing import TYPE_CHECKING

from tap_mixpanel_export.spool_reading import reading, unreadable
from tap_mixpanel_export.whole_lines import finish_line, tell_nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_CUT = "it was cut"


class StoredLines:
    """Whole lines in a file, which is there as long as they are needed.

    Attributes:
        path: The file.
        spans: Where they begin and end in it, in their order.
    """

    __slots__ = ("path", "spans")

    def __init__(self, path: Path, spans: list[tuple[int, int]]) -> None:
        self.path = path
        self.spans = spans

    def parts(self, kept: Iterable[tuple[int, int]]) -> StoredLines:
        """Return parts of lines that are in one place of the file.

        Args:
            kept: Where these begin and end in the lines.
        """
        [(start, _)] = self.spans
        return StoredLines(
            self.path, [(start + begin, start + end) for begin, end in kept if begin < end]
        )

    def read(self) -> bytes:
        """Return the lines.

        Raises:
            StorageError: They cannot be read.
        """
        with reading(self.path), self._opened() as file:
            return b"".join(_read(file, *span) for span in self.spans)

    def move(self, output: io.BufferedWriter, told: Callable[[int], None] = tell_nobody) -> bool:
        """Have the system put the lines into a pipe; an exception ends that after a whole line.

        Args:
            output: The pipe, with nothing in its buffer.
            told: Called with the number of lines that are in the pipe, if a signal or the end of
                its reader ends it.

        Returns:
            True, or False if the system cannot do that with this file and has done nothing.

        Raises:
            BrokenPipeError: Nobody reads the pipe.
            StorageError: The file cannot be read.
        """
        with reading(self.path):
            source = self._opened()
        with source as file:
            try:
                for begin, end in self.spans:
                    _move(file, output, begin, end)
            except BrokenPipeError:
                told(self._count_until(file, file.tell()))
                raise
            except OSError as error:
                is_untouched = file.tell() == self.spans[0][0]
                if error.errno == errno.EINVAL and is_untouched:
                    return False
                raise unreadable(self.path, error.strerror or str(error)) from error
            except BaseException:
                with contextlib.suppress(OSError):
                    told(self._count_until(file, file.tell()))
                raise
        return True

    def _count_until(self, file: io.FileIO, at: int) -> int:
        """Count the lines that end before a place in the file, or there."""
        return sum(
            _read(file, begin, min(end, at)).count(b"\n") for begin, end in self.spans if begin < at
        )

    def _opened(self) -> io.FileIO:
        """Open the file, which is to be as long as it was."""
        file = io.FileIO(self.path)
        if self.spans and os.fstat(file.fileno()).st_size < self.spans[-1][1]:
            file.close()
            raise unreadable(self.path, _CUT)
        return file


def takes_moves(descriptor: int) -> bool:
    """Whether lines can be moved there: to a pipe, where the system can do that."""
    return hasattr(os, "splice") and stat.S_ISFIFO(os.fstat(descriptor).st_mode)


def _move(file: io.FileIO, output: io.BufferedWriter, begin: int, end: int) -> None:
    # The position of the file tells how far it came, also where an exception ends a call; in the
    # end it is after what was finished.
    at = file.seek(begin)
    try:
        while at < end:
            at += _splice(file, output, end - at)
    except BrokenPipeError:
        raise
    except BaseException:
        with contextlib.suppress(OSError):
            at = file.tell()
            line = _read(file, at - 1, end) if at > begin else b"\n"
            if not line.startswith(b"\n") and finish_line(output.fileno(), line[1:]):
                at += line.index(b"\n")
            file.seek(at)
        raise


def _splice(file: io.FileIO, output: io.BufferedWriter, most: int) -> int:
    moved = os.splice(file.fileno(), output.fileno(), most)
    if not moved:
        raise OSError(errno.EIO, _CUT)
    return moved


def _read(file: io.FileIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    read = file.read(end - begin)
    if len(read) < end - begin:
        raise OSError(errno.EIO, _CUT)
    return read

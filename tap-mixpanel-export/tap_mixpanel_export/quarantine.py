"""Malformed lines put aside, in ``state_dir/quarantine``, one file per window."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from typing import IO, TYPE_CHECKING

from tap_mixpanel_export.spool import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_mixpanel_export.windows import Window

MOST_REMEMBERED = 50_000


class Quarantine:
    """The directory of the malformed lines."""

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "quarantine"

    @contextmanager
    def of(self, window: Window) -> Iterator[WindowQuarantine]:
        """Take lines of one window; all are on the disk at the end.

        Raises:
            StorageError: They cannot be written.
        """
        kept = WindowQuarantine(self._directory, window)
        try:
            yield kept
        finally:
            with storage_errors(self._directory):
                kept.close()


class WindowQuarantine:
    """The file of one window: JSON lines of window, line number, reason, line.

    The lookback reads a day several times, so a line that the file already holds is not added
    again. Memory is bounded: the file's first ``MOST_REMEMBERED`` different lines are known, and
    of those after them some may be kept twice.

    Attributes:
        path: The file, which is there once a line was added.
        added: How many lines were added to it.
    """

    def __init__(self, directory: Path, window: Window) -> None:
        self._window = window
        self._known: set[bytes] = set()
        self._file: IO[str] | None = None
        self._stack = ExitStack()
        self.path = directory / f"{window.first_day}_{window.last_day}.jsonl"
        self.added = 0

    def add(self, number: int, reason: str, line: bytes) -> None:
        """Put a line aside.

        Args:
            number: Its number in the body, from 1.
            reason: Why it is no event.
            line: The line; bytes that are not UTF-8 become escapes of ``surrogateescape``.

        Raises:
            StorageError: It cannot be written.
        """
        text = line.decode("utf-8", errors="surrogateescape")
        with storage_errors(self.path.parent):
            file = self._file or self._open()
            if self._remember(text):
                entry = {
                    "window": {
                        "from_date": str(self._window.first_day),
                        "to_date": str(self._window.last_day),
                    },
                    "line_number": number,
                    "reason": reason,
                    "line": text,
                }
                file.write(json.dumps(entry) + "\n")
                self.added += 1

    def close(self) -> None:
        """Write what is buffered."""
        self._stack.close()

    def _open(self) -> IO[str]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Each entry is one write, so that processes that share state_dir do not mix theirs.
        file = self._stack.enter_context(self.path.open("a+", buffering=1, encoding="utf-8"))
        self._file = file
        file.seek(0)
        entry = "\n"
        for entry in file:
            self._remember(_line_of(entry))
        if not entry.endswith("\n"):
            file.write("\n")  # after an entry that a crash cut off
        return file

    def _remember(self, text: str) -> bool:
        """Return whether a line is not known to be in the file, and know it from now on."""
        # Earlier versions kept lines with their newline.
        content = text.rstrip("\n").encode("utf-8", errors="surrogateescape")
        digest = blake2b(content, digest_size=16).digest()
        if digest in self._known:
            return False
        if len(self._known) < MOST_REMEMBERED:
            self._known.add(digest)
        return True


def _line_of(entry: str) -> str:
    try:
        return str(json.loads(entry)["line"])
    except (ValueError, TypeError, KeyError):
        return entry

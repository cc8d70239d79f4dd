"""Malformed lines put aside, in ``state_dir/quarantine``, one file per window."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING

from tap_mixpanel_export.spool import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_mixpanel_export.windows import Window


class Quarantine:
    """Keeps the malformed lines of windows.

    The lookback reads a day several times, so a line that its window's file already holds is
    not added again.
    """

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "quarantine"
        self._window: Window | None = None
        self._kept: set[bytes] = set()

    def path_of(self, window: Window) -> Path:
        """Return the file of a window's lines: JSON lines of window, line number, reason, line."""
        return self._directory / f"{window.first_day}_{window.last_day}.jsonl"

    def add(self, window: Window, number: int, reason: str, line: bytes) -> None:
        """Put a line aside.

        Args:
            window: Where it was found.
            number: Its number in the body, from 1.
            reason: Why it is no event.
            line: The line; bytes that are not UTF-8 become escapes of ``surrogateescape``.

        Raises:
            StorageError: It cannot be written.
        """
        text = line.decode("utf-8", errors="surrogateescape")
        with storage_errors(self._directory):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._turn_to(window)
            if _digest(text) in self._kept:
                return
            entry = {
                "window": {"from_date": str(window.first_day), "to_date": str(window.last_day)},
                "line_number": number,
                "reason": reason,
                "line": text,
            }
            with self.path_of(window).open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            self._kept.add(_digest(text))

    def _turn_to(self, window: Window) -> None:
        if window != self._window:
            self._kept = {_digest(line) for line in _kept_lines(self.path_of(window))}
            self._window = window


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", errors="surrogateescape"), digest_size=16).digest()


def _kept_lines(path: Path) -> Iterator[str]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(entry)["line"] for entry in file)

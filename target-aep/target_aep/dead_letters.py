"""Rejected records, kept with the reason so that none disappears."""

from __future__ import annotations

import os
import re
import typing as t
from datetime import datetime, timezone

from target_aep.errors import TargetError
from target_aep.json_lines import encode_line
from target_aep.timestamps import format_date_time

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def make_letter(
    *,
    stream: str,
    reason: str,
    code: str,
    field: str | None,
    record: t.Any = None,
    xdm: t.Any = None,
    batch: str | None = None,
) -> dict[str, t.Any]:
    """One dead letter.

    Args:
        stream: The stream of the record.
        reason: Why it did not get in, in words.
        code: Adobe's error code, or `LOCAL` for a record that was not sent.
        field: The XDM field at fault, where one is.
        record: The source record, where it is at hand.
        xdm: The row that was sent, where Experience Platform rejected it.
        batch: The batch that it was sent in.
    """
    letter = {
        "stream": stream,
        "reason": reason,
        "code": code,
        "field": field,
        "batch": batch,
        "record": record,
        "time": format_date_time(datetime.now(timezone.utc)),
    }
    return letter if xdm is None else {**letter, "xdm": xdm}


def stream_file_name(stream: str) -> str:
    """A stream's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stream).strip(".") or "stream"


class DeadLetterFile:
    """The JSON lines file of one stream's dead letters."""

    def __init__(self, folder: Path, stream: str) -> None:
        """Point at `{folder}/{stream}.jsonl`; it is made with its first letter."""
        self.path = folder / f"{stream_file_name(stream)}.jsonl"

    def append(self, letters: Iterable[dict[str, t.Any]]) -> int:
        """Append letters; the rest as for `append_lines`."""
        return self.append_lines(map(encode_line, letters))

    def append_lines(self, lines: Iterable[bytes]) -> int:
        """Append encoded letters and wait until they are on disk, because a STATE will pass them.

        Args:
            lines: Each ends with its newline.

        Returns:
            How many there were.

        Raises:
            TargetError: They can't be written.
        """
        count = 0
        out: t.BinaryIO | None = None
        try:
            for line in lines:
                if out is None:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    out = self.path.open("ab")
                out.write(line)
                count += 1
            if out:
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise TargetError(
                f"dead_letter_path: can't write {self.path}: {error.strerror}"
            ) from error
        finally:
            if out:
                out.close()
        return count

"""Diagnostics files of a batch: rejected rows as JSON lines, in files of limited size.

Names and content: AdobeDocs/experience-platform.en `help/ingestion/quality/error-diagnostics.md`:
`conversion_errors_{n}.json` holds the rows with `_errors` and `_filename`,
`parsing_errors_{n}.json` those that could not be read, as `_corrupt_record`.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from emulators.aep.findings import Violation
    from emulators.aep.model import JsonObject

_MESSAGE_KEYS = ("code", "message", "keyword", "path")


class RowErrorWriter:
    """Writes rejected rows; use as a context manager.

    Args:
        folder: Where the files go; made when needed.
        file_bytes: A file is closed when it has reached this size.
    """

    def __init__(self, folder: Path, file_bytes: int) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._open: dict[str, BinaryIO] = {}
        self._written: dict[str, int] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def add_row(self, row: JsonObject, violations: Sequence[Violation], file: str) -> None:
        """Note a row that doesn't fit the schema."""
        self._write("conversion", {**row, **_notes(violations, file)})

    def add_corrupt(self, text: str, violations: Sequence[Violation], file: str) -> None:
        """Note text that is not a JSON object."""
        self._write("parsing", {"_corrupt_record": text, **_notes(violations, file)})

    def _write(self, kind: str, row: JsonObject) -> None:
        file = self._open.get(kind)
        if file is None or file.tell() >= self._file_bytes:
            file = self._next_file(kind)
        file.write(json.dumps(row).encode() + b"\n")

    def _next_file(self, kind: str) -> BinaryIO:
        number = self._written.get(kind, 0)
        self._written[kind] = number + 1
        if kind in self._open:
            self._open[kind].close()
        path = self._folder / f"{kind}_errors_{number}.json"
        file = self._open[kind] = self._stack.enter_context(path.open("wb"))
        return file


def validation_errors(path: Path) -> Iterator[bytes]:
    """A diagnostics file in the form that `/batches/{id}/failed` gives: `_validationErrors`."""
    with path.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            found = [
                {
                    "causingExceptions": [],
                    "keyword": error["keyword"],
                    "message": error["message"],
                    "pointerToViolation": "#/" + error["path"].replace(".", "/"),
                }
                for error in row.pop("_errors")
            ]
            row.pop("_filename")
            row["_validationErrors"] = found
            yield json.dumps(row).encode() + b"\n"


def _notes(violations: Sequence[Violation], file: str) -> dict[str, Any]:
    errors = [{key: getattr(found, key) for key in _MESSAGE_KEYS} for found in violations]
    return {"_errors": errors, "_filename": file}

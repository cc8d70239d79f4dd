"""A look at the first rows of what was uploaded to a batch, as `GET …/preview` gives it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from emulators.aep.promotion import read_lines

if TYPE_CHECKING:
    from pathlib import Path

    from emulators.aep.model import Batch, JsonObject

_DEFAULT_ROWS = 100


def preview(batch: Batch, folder: Path, *, rows: int, multi_line: bool) -> JsonObject:
    """Columns and rows in the shape of the OpenAPI document's `PreviewResponse`.

    Args:
        batch: A batch that is loading.
        folder: Where its files are.
        rows: How many rows to parse; 0 for 100.
        multi_line: Whether files hold JSON arrays.

    Raises:
        ValueError: When a row is not a JSON object.
    """
    columns: dict[str, int] = {}
    shown: list[dict[str, str]] = []
    for row in _first_rows(batch, folder, rows or _DEFAULT_ROWS, multi_line=multi_line):
        cells = {columns.setdefault(name, len(columns)): cell for name, cell in row.items()}
        shown.append({str(column): _text(cell) for column, cell in cells.items()})
    return {
        "formatParams": {"format": "json", "charset": "UTF-8"},
        "preview": {
            "columns": [{"cid": number, "name": name} for name, number in columns.items()],
            "rows": shown,
        },
    }


def _first_rows(
    batch: Batch, folder: Path, count: int, *, multi_line: bool
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path, file in sorted(batch.files.items()):
        if file.parts is not None:
            continue
        for line in read_lines(folder / file.name, multi_line=multi_line):
            if len(found) == count:
                return found
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"{path}: a row must be a JSON object")  # noqa: TRY004 - of the input
            found.append(row)
    return found


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell)

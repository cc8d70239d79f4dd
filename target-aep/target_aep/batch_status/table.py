"""Batches and rejected rows as text: aligned, and no wider than the terminal where that can be."""

from __future__ import annotations

import textwrap
import typing as t
from dataclasses import asdict
from datetime import datetime, timedelta, timezone

from target_aep.api.redaction import HIDDEN
from target_aep.loading.json_lines import json_text
from target_aep.preview.table import printable

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.api.row_errors import RowError
    from target_aep.batch_status.summary import BatchSummary

_TITLES = ("created (UTC)", "took", "status", "rows in", "failed", "size", "batch")
_RIGHT = frozenset({"took", "rows in", "failed", "size"})
_GAP = "  "
_INDENT = "    "
_EPOCH = datetime.fromtimestamp(0, timezone.utc)


def table(batches: Sequence[BatchSummary], width: int) -> Iterator[str]:
    """Batches as a table, what is odd about each below its line.

    Args:
        batches: In their order.
        width: Of the terminal, in characters.
    """
    rows = [_cells(batch) for batch in batches]
    widths = [max(map(len, column)) for column in zip(_TITLES, *rows, strict=True)]
    has_room = sum(widths) + len(_GAP) * (len(widths) - 1) <= width
    shown = len(_TITLES) if has_room else len(_TITLES) - 1
    yield _line(_TITLES[:shown], widths)
    for batch, cells in zip(batches, rows, strict=True):
        yield _line(cells[:shown], widths)
        for note in (*([] if has_room else [f"batch {batch.id}"]), *_notes(batch)):
            yield from indented(note, width)


def as_json(dataset: str, batch: BatchSummary) -> str:
    """A batch as a line of JSON: all that is known, times as RFC 3339 text.

    Args:
        dataset: Id of its dataset.
        batch: The batch.
    """
    times = {name: _moment(getattr(batch, name)) for name in ("created", "started", "completed")}
    return json_text(
        {
            "dataset": dataset,
            **asdict(batch),
            **times,
            "seconds": batch.seconds,
            "attempt": batch.attempt,
            "meaning": batch.meaning,
        }
    )


def row_lines(rows: Sequence[RowError], width: int) -> Iterator[str]:
    """Rejected rows: code, message and the row, cut to the width of the terminal."""
    for number, row in enumerate(rows, start=1):
        text = printable(row.row if isinstance(row.row, str) else json_text(row.row))
        yield from indented(f"{number}. {row.code} {row.message}", width, first="")
        room = max(width - len(_INDENT), 20)
        yield _INDENT + (text if len(text) <= room else f"{text[: room - 1]}…")


def row_as_json(batch: str, row: RowError) -> str:
    """A rejected row as a line of JSON, whole."""
    return json_text({"batch": batch, "code": row.code, "message": row.message, "row": row.row})


def indented(text: str, width: int, first: str = _INDENT) -> list[str]:
    """A text as lines, all but the first further in.

    Args:
        text: Any.
        width: Of the terminal.
        first: What the first line begins with.
    """
    return textwrap.wrap(
        printable(text), width, initial_indent=first, subsequent_indent=_INDENT * 2
    )


def _cells(batch: BatchSummary) -> tuple[str, ...]:
    created = _moment(batch.created)
    return (
        created[:16].replace("T", " ") if created else "?",
        _duration(batch.seconds),
        printable(batch.status),
        "-" if batch.rows is None else str(batch.rows),
        str(batch.failed),
        _size(batch.size),
        batch.id,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = [
        cell.rjust(width) if title in _RIGHT else cell.ljust(width)
        for title, cell, width in zip(_TITLES, cells, widths, strict=False)
    ]
    return _GAP.join(parts).rstrip()


def _notes(batch: BatchSummary) -> Iterator[str]:
    """What is worth a line: the status where the rows are not in, errors, and whose it is."""
    if batch.meaning:
        yield f"{batch.status}: {batch.meaning}"
    for error in batch.errors:
        yield str(error)
    if batch.commit is None:
        yield f"not made by target-aep{_maker(batch.client)}"
        return
    again = f", attempt {batch.attempt}" if batch.attempt != 1 else ""
    passed = f", {batch.passed} STATEs on its way" if batch.passed else ""
    replaces = f", replaces {', '.join(batch.replaces)}" if batch.replaces else ""
    yield f"commit {batch.commit}{again}{passed}{replaces}"


def _maker(client: str | None) -> str:
    if client == HIDDEN:
        return ", but with the same credential"
    return f" but by {client}" if client else ""


def _moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes}m{rest:02}s"
    return f"{minutes // 60}h{minutes % 60:02}m"


def _size(size: int | None) -> str:
    if size is None:
        return "-"
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:  # noqa: PLR2004 - as Adobe's limits count
            break
        number, unit = number / 1000, larger
    return f"{size} B" if unit == "B" else f"{number:.1f} {unit}"

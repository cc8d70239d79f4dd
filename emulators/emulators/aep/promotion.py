"""Promotion of a batch's rows: every row is validated, the good ones are stored.

Outcome rules: AdobeDocs/experience-platform.en `help/ingestion/batch-ingestion/partial.md` and
`help/ingestion/quality/error-diagnostics.md`; the empty file's 106:
`help/ingestion/batch-ingestion/troubleshooting.md`.
Without a partial-ingestion threshold one bad row fails the batch.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

from emulators.aep.findings import DESCRIPTIONS
from emulators.aep.lake import FILES
from emulators.aep.model import Outcome
from emulators.aep.parquet_input import RefusedFileError, read_parquet
from emulators.aep.row_errors import RowErrorWriter
from emulators.aep.row_validator import corrupt_row
from emulators.aep.rows import RowWriter, remove_rows

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from emulators.aep.config import Limits
    from emulators.aep.model import Batch, JsonObject
    from emulators.aep.row_validator import RowValidator

ROW_ERRORS = "row_errors"

_CHECK_EVERY = 2_000


class PromotionStoppedError(Exception):
    """The emulator ends while a batch is being validated."""


def promote(
    batch: Batch,
    folder: Path,
    validator: RowValidator,
    limits: Limits,
    stopping: threading.Event,
) -> Outcome:
    """Validate all rows of a batch and store the good ones in its folder.

    Args:
        batch: An accepted batch; it is not changed.
        folder: Its folder, holding the uploaded files.
        validator: For the schema of its dataset.
        limits: For the number of files and the size of diagnostics files.
        stopping: Ends the work early when set.

    Raises:
        PromotionStoppedError: When `stopping` was set.
    """
    refusal = _whole_batch_error(batch, limits)
    if refusal is not None:
        return Outcome("failed", [refusal], _metrics(batch, 0, 0, None), {refusal["code"]: 0})
    codes: Counter[str] = Counter()
    total = 0
    refused: JsonObject | None = None
    with (
        RowWriter(folder) as good,
        RowErrorWriter(folder / ROW_ERRORS, limits.row_error_file_bytes) as bad,
    ):
        try:
            for path, entry in _entries(batch, folder, validator):
                total += 1
                if total % _CHECK_EVERY == 0 and stopping.is_set():
                    raise PromotionStoppedError(batch.id)
                code = _place_row(entry, path, validator, good, bad)
                if code is not None:
                    codes[code] += 1
        except RefusedFileError as error:
            refused = error.refusal
    if refused is not None:
        remove_rows(folder)
        shutil.rmtree(folder / ROW_ERRORS)
        return Outcome("failed", [refused], _metrics(batch, 0, 0, None), {refused["code"]: 0})
    return _outcome(batch, folder, total, good, codes)


def _place_row(
    entry: bytes | JsonObject,
    path: str,
    validator: RowValidator,
    good: RowWriter,
    bad: RowErrorWriter,
) -> str | None:
    """Store or reject one row; the first code when it was rejected."""
    if isinstance(entry, dict):
        return _judge_row(entry, None, path, validator, good, bad)
    line = entry
    try:
        row = validator.parse(line)
        if row is not None:
            return _judge_row(row, line, path, validator, good, bad)
    except RecursionError:
        pass  # nested too deep to be written again: as unreadable as broken text
    violation = corrupt_row()
    bad.add_corrupt(line.decode("utf-8", "replace"), [violation], path)
    return violation.code


def _judge_row(
    row: JsonObject,
    line: bytes | None,
    path: str,
    validator: RowValidator,
    good: RowWriter,
    bad: RowErrorWriter,
) -> str | None:
    findings = validator.check(row)
    if findings.violations:
        bad.add_row(row, findings.violations, path)
        return findings.violations[0].code
    good.add(row, None if findings.coerced else line)
    return None


def _outcome(
    batch: Batch, folder: Path, total: int, good: RowWriter, codes: Counter[str]
) -> Outcome:
    if total == 0:
        remove_rows(folder)
        error = _empty_file()
        return Outcome("failed", [error], _metrics(batch, 0, 0, None), {error["code"]: 0})
    failed = total - good.count
    is_success = failed * 100 <= batch.allowed_percent * total
    if not is_success:
        remove_rows(folder)
    return Outcome(
        "success" if is_success else "failed",
        _errors(batch, good.count if is_success else 0, codes),
        _metrics(batch, total, failed, good if is_success else None),
        dict(codes),
    )


def _whole_batch_error(batch: Batch, limits: Limits) -> JsonObject | None:
    if len(batch.files) > limits.files_per_batch:
        return {
            "code": "INGEST-1100-400",
            "description": "Batch ingestion guardrails hit: the batch has "
            f"{len(batch.files)} files, more than {limits.files_per_batch}.",
            "rows": [],
        }
    if batch.input_format["format"] == "csv":
        return {
            "code": "EMULATOR-501",
            "description": "The emulator promotes JSON and Parquet only, not csv.",
            "rows": [],
        }
    if not batch.files or any(file.bytes == 0 for file in batch.files.values()):
        return _empty_file()
    return None


def _empty_file() -> JsonObject:
    return {
        "code": "106",
        "description": "Dataset file is empty. Please upload file with data.",
        "rows": [],
    }


def read_lines(stored: Path, *, multi_line: bool) -> Iterator[bytes]:
    """Each row's text in a file of JSON lines, or of one JSON array; blank lines are no rows."""
    if multi_line:
        yield from _multi_line_rows(stored.read_bytes())
        return
    with stored.open("rb") as lines:
        for line in lines:
            text = line.strip()
            if text:
                yield text


def _entries(
    batch: Batch, folder: Path, validator: RowValidator
) -> Iterator[tuple[str, bytes | JsonObject]]:
    """The rows of all files, each after its file's path: lines of JSON, or rows of Parquet."""
    if batch.input_format["format"] == "json":
        yield from _lines(batch, folder)
        return
    for path, file in sorted(batch.files.items()):
        for row in read_parquet(folder / FILES / file.name, path, validator.schema):
            yield path, row


def _lines(batch: Batch, folder: Path) -> Iterator[tuple[str, bytes]]:
    multi_line = bool(batch.input_format.get("isMultiLineJson"))
    for path, file in sorted(batch.files.items()):
        for line in read_lines(folder / FILES / file.name, multi_line=multi_line):
            yield path, line


def _multi_line_rows(content: bytes) -> list[bytes]:
    """The rows of a file that holds one JSON array or one JSON object, each as one line."""
    try:
        value: Any = json.loads(content)
    except ValueError:
        return [content.strip()]
    rows = value if isinstance(value, list) else [value]
    return [json.dumps(row).encode() for row in rows]


def _errors(batch: Batch, stored: int, codes: Counter[str]) -> list[JsonObject]:
    if not codes:
        return []
    if not batch.diagnostics:
        return [
            {
                "code": "INGEST-1211-400",
                "description": "Encountered errors while parsing, converting or otherwise "
                "validating the data. Resend it with error diagnostics enabled to learn more.",
            }
        ]
    summary = {
        "code": "INGEST-1212-400",
        "description": f"Encountered {codes.total()} errors in the data. Successfully ingested "
        f"{stored} rows. See the diagnostic files for details.",
    }
    by_code = [
        {"code": code, "description": DESCRIPTIONS[code], "recordCount": count}
        for code, count in sorted(codes.items())
    ]
    return [summary, *by_code]


def _metrics(batch: Batch, total: int, failed: int, good: RowWriter | None) -> dict[str, int]:
    metrics = {
        "inputByteSize": batch.input_bytes,
        "inputFileCount": len(batch.files),
        "inputRecordCount": total,
        "failedRecordCount": failed,
        "outputRecordCount": good.count if good else 0,
    }
    if good is not None:
        metrics |= {"outputByteSize": good.bytes, "outputFileCount": 1, "partitionCount": 1}
    return metrics

"""What Catalog's document of an ended batch tells about its rows.

The count of rejected rows has been seen in three places, some of which may be missing: in
`metrics`, beside `status` (the Batch model of static/swagger-specs/catalog.yaml in
AdobeDocs/experience-platform-apis), and per error code
(help/ingestion/quality/error-diagnostics.md in AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import typing as t

_SUMMARY_CODES = frozenset({"INGEST-1211-400", "INGEST-1212-400"})
"""Codes that speak of the whole batch, beside those of its rows."""


def errors_of(document: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """The errors that Catalog lists, as objects."""
    errors = document.get("errors")
    listed = errors if isinstance(errors, list) else []
    return [error for error in listed if isinstance(error, dict)]


def failed_row_count(document: t.Mapping[str, t.Any]) -> int:
    """How many rows were not ingested: the largest of the numbers that are given, else 0."""
    metrics = document.get("metrics")
    by_code = [
        (error.get("code") in _SUMMARY_CODES, _count(error.get("recordCount")))
        for error in errors_of(document)
    ]
    return max(
        _count(metrics.get("failedRecordCount")) if isinstance(metrics, dict) else 0,
        _count(document.get("failedRecordCount")),
        sum(count for is_summary, count in by_code if not is_summary),
        max((count for is_summary, count in by_code if is_summary), default=0),
    )


def tells_failed_rows(document: t.Mapping[str, t.Any]) -> bool:
    """Whether a count of rejected rows is there at all: some metrics may be missing."""
    metrics = document.get("metrics")
    return any(
        isinstance(each, dict) and each.get("failedRecordCount") is not None
        for each in (metrics, document)
    )


def taken_row_count(document: t.Mapping[str, t.Any]) -> int | None:
    """How many rows of the batch are in the dataset; None if that is not told."""
    metrics = document.get("metrics")
    taken = metrics.get("outputRecordCount") if isinstance(metrics, dict) else None
    return None if taken is None else _count(taken)


def sent_row_count(document: t.Mapping[str, t.Any]) -> int | None:
    """How many rows the batch was sent; None if that is not told."""
    metrics = document.get("metrics")
    sent = metrics.get("inputRecordCount") if isinstance(metrics, dict) else None
    return None if sent is None else _count(sent)


def sent_files(document: t.Mapping[str, t.Any]) -> tuple[int, int]:
    """How many files the batch was sent, and their bytes; 0 where that is not told."""
    metrics = document.get("metrics")
    told = metrics if isinstance(metrics, dict) else {}
    return _count(told.get("inputFileCount")), _count(told.get("inputByteSize"))


def file_format_of(document: t.Mapping[str, t.Any]) -> t.Any:
    """What the files of the batch are, such as `parquet`; None if that is not told."""
    declared = document.get("inputFormat")
    return declared.get("format") if isinstance(declared, dict) else None


def said_of(document: t.Mapping[str, t.Any]) -> str:
    """The errors in words."""
    said = [
        f"{error.get('code', '')} {error.get('description', '')}".strip()
        for error in errors_of(document)
    ]
    return "; ".join(said) or "Catalog gives no error"


def _count(value: t.Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError, OverflowError):
        return 0

"""Why rows of a batch did not get in, read from Data Access.

Diagnostics are kept for 30 days (help/ingestion/quality/error-diagnostics.md in
AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from target_aep.errors import PlatformError
from target_aep.platform_client import EXPORT

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.platform_client import PlatformClient

_PAGE = 100


@dataclass(frozen=True)
class RowError:
    """One row that was not ingested, as XDM (or as text, where it could not be parsed)."""

    code: str
    message: str
    row: t.Any


def rejected_rows(client: PlatformClient, batch_id: str) -> Iterator[RowError]:
    """The rows that a promoted batch left out."""
    yield from _rows(client, f"{EXPORT}/batches/{quote(batch_id, safe='')}/meta", "row_errors")


def failed_rows(client: PlatformClient, batch_id: str) -> Iterator[RowError]:
    """The rows of a wholly failed batch that say why; none where the platform keeps none."""
    path = f"{EXPORT}/batches/{quote(batch_id, safe='')}"
    for endpoint, folder in ((f"{path}/meta", "row_errors"), (f"{path}/failed", None)):
        try:
            yield from _rows(client, endpoint, folder)
        except PlatformError as error:
            if error.status != 404:  # noqa: PLR2004
                raise


def _rows(client: PlatformClient, endpoint: str, folder: str | None) -> Iterator[RowError]:
    for name in _file_names(client, endpoint, folder):
        with client.stream(endpoint, params={"path": f"{folder}/{name}" if folder else name}) as it:
            for line in it:
                error = _parse(line)
                if error:
                    yield error


def _file_names(client: PlatformClient, endpoint: str, folder: str | None) -> Iterator[str]:
    start = 0
    seen: set[str] = set()
    while True:
        params = {"start": str(start), "limit": str(_PAGE)}
        if folder:
            params["path"] = folder
        listing = client.get_json(endpoint, params=params)
        files = listing.get("data", []) if isinstance(listing, dict) else []
        names = [str(file["name"]).removeprefix(f"{folder}/") for file in files]
        yield from (name for name in names if name not in seen)
        # An endpoint that does not page would give the same files for ever.
        if len(files) < _PAGE or seen.issuperset(names):
            return
        seen.update(names)
        start += len(files)


def _parse(line: bytes) -> RowError | None:
    """One line of a diagnostics file; None if it tells of no error."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    errors = row.pop("_errors", None) or row.pop("_validationErrors", None)
    row.pop("_filename", None)
    if not errors:
        return None
    first = errors[0] if isinstance(errors, list) else errors
    if not isinstance(first, dict):
        return RowError(code="", message=str(first), row=row)
    return RowError(
        code=str(first.get("code", "")),
        message=str(first.get("message", first.get("description", ""))),
        row=row.get("_corrupt_record", row),
    )

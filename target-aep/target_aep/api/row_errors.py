"""Why rows of a batch did not get in, read from Data Access.

Diagnostics are kept for 30 days (help/ingestion/quality/error-diagnostics.md in
AdobeDocs/experience-platform.en). They are read into files first, so that an answer that breaks
off is read again and nothing is taken by halves.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from singer_sdk.singerlib.json import deserialize_json

from target_aep.api.answers import odd_answer
from target_aep.api.client import EXPORT
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_aep.api.client import PlatformClient

_PAGE = 100
_CORRUPT = "_corrupt_record"
_ID = re.compile(r'"_id"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class RowError:
    """One row that was not ingested.

    Attributes:
        code: Adobe's code of the error.
        message: Its words.
        row: The row as XDM; of one that could not be parsed its text, or an object with the text
            and the `_id` in it.
    """

    code: str
    message: str
    row: t.Any


@dataclass(frozen=True)
class Diagnostics:
    """The files of row errors that could be read, and why the others could not."""

    files: tuple[Path, ...] = ()
    problem: str | None = None

    def tells_rows(self) -> bool:
        """Whether there is an error of a row in the files, which stay as they are."""
        for file in self.files:
            with file.open("rb") as lines:
                if any(map(_parse, lines)):
                    return True
        return False

    def rows(self) -> Iterator[RowError]:
        """The errors, each file being deleted after its last one."""
        for file in self.files:
            with file.open("rb") as lines:
                yield from filter(None, map(_parse, lines))
            file.unlink()


def rejected_rows(client: PlatformClient, batch_id: str, folder: Path) -> Diagnostics:
    """Read the errors of a promoted batch's rows into a folder.

    Args:
        client: The platform.
        batch_id: The batch.
        folder: An empty one.

    Raises:
        TargetError: The files can't be written.
    """
    return _fetch(client, f"{EXPORT}/batches/{quote(batch_id, safe='')}/meta", "row_errors", folder)


def failed_rows(client: PlatformClient, batch_id: str, folder: Path) -> Diagnostics:
    """Read the errors of a wholly failed batch; arguments as for `rejected_rows`."""
    found = rejected_rows(client, batch_id, folder)
    if found.files:
        return found
    return _fetch(client, f"{EXPORT}/batches/{quote(batch_id, safe='')}/failed", None, folder)


def _fetch(
    client: PlatformClient, endpoint: str, directory: str | None, folder: Path
) -> Diagnostics:
    files: list[Path] = []
    try:
        for name in _file_names(client, endpoint, directory):
            file = folder / f"{len(files):05d}.jsonl"
            path = f"{directory}/{name}" if directory else name
            client.download(endpoint, file, params={"path": path})
            files.append(file)
    except PlatformError as error:
        return Diagnostics(tuple(files), str(error))
    return Diagnostics(tuple(files))


def _file_names(client: PlatformClient, endpoint: str, directory: str | None) -> Iterator[str]:
    params = {"start": "0", "limit": str(_PAGE), **({"path": directory} if directory else {})}
    seen: set[str] = set()
    while True:
        answer = client.get_json(endpoint, params=params)
        listing, items = _listed(endpoint, answer)
        names = list(_names(items, directory))
        fresh = [name for name in names if name not in seen]
        yield from fresh
        seen.update(fresh)
        following = _next_params(listing, params, len(names), len(items))
        # An endpoint that does not page would give the same files for ever.
        if not fresh or following is None:
            return
        params = following


def _listed(endpoint: str, answer: t.Any) -> tuple[dict[str, t.Any], list[t.Any]]:
    """A listing and the files in it; a directory that is empty may lack `data`."""
    data = answer.get("data", []) if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise odd_answer(f"GET {endpoint}", "a list of files")
    return answer, data


def _names(items: list[t.Any], directory: str | None) -> Iterator[str]:
    for item in items:
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name:
            yield name.removeprefix(f"{directory}/")


def _next_params(
    listing: dict[str, t.Any], params: dict[str, str], named: int, listed: int
) -> dict[str, str] | None:
    """The query of the next page, None after the last one.

    Only the query is taken from a link, so that no token follows it to another host.
    """
    start = int(params["start"]) if params["start"].isdecimal() else 0
    further = {**params, "start": str(start + named)}
    links = listing.get("_links")
    link = links.get("next") if isinstance(links, dict) else None
    href = link.get("href") if isinstance(link, dict) else link
    if isinstance(href, str) and href:
        return {**further, **dict(parse_qsl(urlsplit(href).query))}
    page = listing.get("_page")
    limit, count = (
        (page.get("limit"), page.get("count")) if isinstance(page, dict) else (None, None)
    )
    is_full = listed >= (limit if isinstance(limit, int) and limit > 0 else _PAGE)
    is_counted = isinstance(count, int) and count > start + named
    return further if is_full or is_counted else None


def _parse(line: bytes) -> RowError | None:
    """One line of a diagnostics file; None if it tells of no error."""
    try:
        row: t.Any = deserialize_json(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    errors = row.pop("_errors", None) or row.pop("_validationErrors", None)
    row.pop("_filename", None)
    if not errors:
        return None
    first = errors[0] if isinstance(errors, list) else errors
    if not isinstance(first, dict):
        return RowError(code="", message=str(first), row=_whole(row))
    return RowError(
        code=str(first.get("code", "")),
        message=str(first.get("message", first.get("description", ""))),
        row=_whole(row),
    )


def _whole(row: dict[str, t.Any]) -> t.Any:
    """The row itself where the diagnostics have its text: by its `_id` its record is found."""
    text = row.get(_CORRUPT, row)
    if not isinstance(text, str):
        return text
    try:
        parsed: t.Any = deserialize_json(text)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        return parsed
    identifier = _id_in(text)
    return text if identifier is None else {"_id": identifier, _CORRUPT: text}


def _id_in(text: str) -> str | None:
    """The first `_id` in the text of a row, which may be cut."""
    found = _ID.search(text)
    try:
        return None if found is None else str(deserialize_json(found[1]))
    except ValueError:
        return None

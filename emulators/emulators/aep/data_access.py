"""Data Access API (`/data/foundation/export`): diagnostics and rejected rows of batches.

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/data-access.yaml` and
AdobeDocs/experience-platform.en `help/ingestion/quality/error-diagnostics.md`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from emulators.aep import params
from emulators.aep.errors import problem
from emulators.aep.promotion import ROW_ERRORS
from emulators.aep.row_errors import validation_errors
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from werkzeug.wrappers import Request

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.lifecycle import Lifecycle
    from emulators.aep.model import Batch, JsonObject

PREFIX = "/data/foundation/export"

_MOST = 100
_CHUNK = 1 << 18
_INPUT_FILES = "input_files"
_INPUT_METADATA = "fileMetaData1.json"
_NUMBERED = re.compile(r"(.*)_(\d+)\.json")


class DataAccessApi:
    """The endpoints; each method answers one."""

    def __init__(self, lake: Lake, lifecycle: Lifecycle) -> None:
        self._lake = lake
        self._lifecycle = lifecycle

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        batch = f"{PREFIX}/batches/<batch_id>"
        return [
            Rule(f"{batch}/meta", methods=["GET"], endpoint=self.meta),
            Rule(f"{batch}/failed", methods=["GET"], endpoint=self.failed),
        ]

    def meta(self, request: Request, caller: Caller, batch_id: str) -> Response:
        """`GET /batches/{id}/meta`: a listing, or the content of one file."""
        batch = self._lake.batch(batch_id, caller.sandbox)
        self._lifecycle.status(batch)
        folder, _, name = request.args.get("path", "").strip("/").partition("/")
        if not folder:
            return _listing(request, self._meta_folders(batch))
        if folder == _INPUT_FILES:
            content = _input_metadata(batch)
            if not name:
                return _listing(request, [(_INPUT_METADATA, len(content))])
            if name == _INPUT_METADATA:
                return _download(iter([content]))
        elif folder == ROW_ERRORS and self._has_diagnostics(batch):
            files = self._error_files(batch)
            if not name:
                return _listing(request, [(file.name, file.stat().st_size) for file in files])
            return _download(_content(_named(files, name)))
        raise problem(404, "Not Found", f"Batch {batch_id} has no such path.")

    def failed(self, request: Request, caller: Caller, batch_id: str) -> Response:
        """`GET /batches/{id}/failed`: the rejected rows of a batch that failed whole."""
        batch = self._lake.batch(batch_id, caller.sandbox)
        self._lifecycle.status(batch)
        files = self._error_files(batch) if batch.state == "failed" else []
        path = request.args.get("path")
        if path is None:
            return _listing(request, [(file.name, _failed_length(file)) for file in files])
        return _download(validation_errors(_named(files, path)))

    def _meta_folders(self, batch: Batch) -> list[tuple[str, int]]:
        folders = [ROW_ERRORS] if self._has_diagnostics(batch) else []
        return [(name, 0) for name in [*folders, _INPUT_FILES]]

    def _has_diagnostics(self, batch: Batch) -> bool:
        return batch.diagnostics and batch.completed is not None and batch.outcome is not None

    def _error_files(self, batch: Batch) -> list[Path]:
        folder = self._lake.batch_folder(batch.id) / ROW_ERRORS
        return sorted(folder.glob("*.json"), key=_file_order)


def _listing(request: Request, files: Sequence[tuple[str, int]]) -> Response:
    limit = params.integer(request, "limit", _MOST, _MOST) or _MOST
    start = params.integer(request, "start", 0)
    base = request.base_url
    folder = request.args.get("path", "").strip("/")
    prefix = f"{folder}/" if folder else ""
    page = files[start : start + limit]
    body: JsonObject = {
        "data": [
            {
                "name": name,
                "length": str(length),
                "_links": {"self": {"href": f"{base}?path={quote(prefix + name, safe='')}"}},
            }
            for name, length in page
        ],
        "_page": {"limit": limit, "count": len(page)},
    }
    if start + limit < len(files):
        query = {"path": folder} if folder else {}
        following = urlencode({**query, "start": start + limit, "limit": limit})
        body["_links"] = {"next": {"href": f"{base}?{following}"}}
    return json_response(body)


def _download(content: Iterator[bytes]) -> Response:
    return Response(content, content_type="application/octet-stream")


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _named(files: Sequence[Path], name: str) -> Path:
    for file in files:
        if file.name == name:
            return file
    raise problem(404, "Not Found", f"There is no file {name}.")


def _failed_length(path: Path) -> int:
    return sum(len(line) for line in validation_errors(path))


def _file_order(path: Path) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(path.name)
    return (match[1], int(match[2])) if match else (path.name, 0)


def _input_metadata(batch: Batch) -> bytes:
    lines = [json.dumps({"path": path}) + "\n" for path in sorted(batch.files)]
    return "".join(lines).encode()

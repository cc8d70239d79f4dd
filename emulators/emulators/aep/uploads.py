"""Files of a batch that is loading: whole uploads and large files in parts.

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/batch-ingestion.yaml`.
"""

from __future__ import annotations

import re
import secrets
import shutil
from typing import TYPE_CHECKING, Any

from emulators.aep.errors import problem
from emulators.aep.model import StoredFile

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.wrappers import Request

    from emulators.aep.config import Limits
    from emulators.aep.lake import Lake
    from emulators.aep.lifecycle import Lifecycle
    from emulators.aep.model import Batch

_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})(?:/(?:\d+|\*))?", re.ASCII)


class Uploads:
    """Receives files; bodies go to the disk as they come in."""

    def __init__(self, lake: Lake, lifecycle: Lifecycle, limits: Limits) -> None:
        self._lake = lake
        self._lifecycle = lifecycle
        self._limits = limits

    def put(self, batch: Batch, path: str, request: Request) -> bool:
        """Store a whole file; True when it is new, False when it replaced one.

        Raises:
            ApiError: 415 for another content type, 413 over the size limit, 400 when the batch is
                not loading.
        """
        self._require_loading(batch)
        name, size = self._receive(batch, request, self._limits.file_bytes)
        with self._lake.lock:
            self._require_loading(batch, name)
            old = batch.files.get(path)
            batch.files[path] = StoredFile(name, size)
            self._lake.save_batch(batch)
        if old is not None:
            self._remove(batch, old)
        return old is None

    def initialize(self, batch: Batch, path: str) -> None:
        """Begin a large file.

        Raises:
            ApiError: 400 when the batch is not loading.
        """
        with self._lake.lock:
            self._require_loading(batch)
            batch.files[path] = StoredFile("", 0, [])
            self._lake.save_batch(batch)

    def put_part(self, batch: Batch, path: str, request: Request) -> StoredFile:
        """Store a part of a large file; a part sent again replaces the earlier one.

        Raises:
            ApiError: 404 when the file was not initialized, 400 when the range doesn't fit the
                body or the batch is not loading, 415 and 413 as for whole files.
        """
        self._require_loading(batch)
        self._large_file(batch, path)
        match = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
        if match is None:
            raise problem(400, "Bad Request", "Content-Range must be like bytes 0-1023")
        first, last = int(match[1]), int(match[2])
        name, size = self._receive(batch, request, self._limits.part_bytes)
        if size != last - first + 1:
            (self._folder(batch) / name).unlink()
            raise problem(400, "Bad Request", "Content-Range does not fit the size of the body")
        with self._lake.lock:
            self._require_loading(batch, name)
            file, parts = self._large_file(batch, path)
            parts[:] = [part for part in parts if part[:2] != [first, last]]
            parts.append([first, last, name])
            file.bytes = sum(part[1] - part[0] + 1 for part in parts)
            self._lake.save_batch(batch)
        return file

    def last_byte(self, batch: Batch, path: str) -> int | None:
        """The highest byte position received of a file; None when there is nothing yet.

        Raises:
            ApiError: 404 when the batch has no such file.
        """
        file = batch.files.get(path)
        if file is None:
            raise problem(404, "Not Found", f"The batch has no file {path}.")
        if file.parts is None:
            return file.bytes - 1 if file.bytes else None
        return max((part[1] for part in file.parts), default=None)

    def complete(self, batch: Batch, path: str) -> StoredFile:
        """Put the parts of a large file together.

        Raises:
            ApiError: 404 when it was not initialized, 400 when parts overlap or are missing.
        """
        with self._lake.lock:
            if (whole := batch.files.get(path)) is not None and whole.parts is None:
                return whole
            self._require_loading(batch)
            file, parts = self._large_file(batch, path)
            parts.sort()
            expected = 0
            for first, last, _ in parts:
                if first != expected:
                    raise problem(400, "Bad Request", "chunks of the file overlap or are missing")
                expected = last + 1
            file.name = self._join(batch, [part[2] for part in parts])
            file.parts = None
            self._lake.save_batch(batch)
            return file

    def _join(self, batch: Batch, names: list[str]) -> str:
        joined = _new_name()
        with (self._folder(batch) / joined).open("wb") as target:
            for name in names:
                with (self._folder(batch) / name).open("rb") as part:
                    shutil.copyfileobj(part, target)
                (self._folder(batch) / name).unlink()
        return joined

    def _receive(self, batch: Batch, request: Request, limit: int) -> tuple[str, int]:
        if request.mimetype != "application/octet-stream":
            raise problem(415, "Unsupported Media Type", "use application/octet-stream")
        too_large = problem(413, "Payload Too Large", f"A body may have up to {limit} bytes.")
        if (request.content_length or 0) > limit:
            raise too_large
        name, size = _new_name(), 0
        stored = self._folder(batch) / name
        with stored.open("wb") as file:
            while size <= limit and (chunk := request.stream.read(_CHUNK)):
                size += file.write(chunk)
        if size > limit:
            stored.unlink()
            raise too_large
        return name, size

    def _large_file(self, batch: Batch, path: str) -> tuple[StoredFile, list[list[Any]]]:
        file = batch.files.get(path)
        if file is None or file.parts is None:
            raise problem(404, "Not Found", f"The large file {path} was not initialized.")
        return file, file.parts

    def _require_loading(self, batch: Batch, received: str | None = None) -> None:
        status = self._lifecycle.status(batch)
        if status != "loading" or batch.state != "loading":
            if received is not None:
                (self._folder(batch) / received).unlink(missing_ok=True)
            raise problem(400, "Bad Request", f"Batch {batch.id} is in status {status}.")

    def _remove(self, batch: Batch, file: StoredFile) -> None:
        for name in [file.name, *(part[2] for part in file.parts or [])]:
            if name:
                (self._folder(batch) / name).unlink(missing_ok=True)

    def _folder(self, batch: Batch) -> Path:
        folder = self._lake.files_folder(batch.id)
        folder.mkdir(exist_ok=True)
        return folder


def _new_name() -> str:
    return secrets.token_hex(8)

"""`destination=local`: the files that would be uploaded, on disk, without any credential."""

from __future__ import annotations

import json
import shutil
import typing as t
import uuid
from datetime import datetime, timezone
from pathlib import Path

from target_aep.dead_letters import stream_file_name
from target_aep.destination import Binding, Loaded
from target_aep.errors import SchemaError, TargetError
from target_aep.xdm_schema import parse_schema, tenant_of

if t.TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_TENANT: t.Final = "tenant"


class LocalDestination:
    """Writes `{local_path}/{stream}/{batch}/{stream}-00001.json`; a batch appears as a whole."""

    def __init__(self, root: Path, binding: Binding) -> None:
        """Keep the folder and what `read_binding` found; nothing is written yet."""
        self._root = root
        self._binding = binding
        self._hidden: list[Path] = []

    def bind(self, stream: str) -> Binding:  # noqa: ARG002
        """The schema file and the tenant are the same for all streams."""
        return self._binding

    def spool_folder(self, stream: str) -> Path:
        """A hidden folder beside the batches, so that finishing is a rename."""
        return self._hidden_folder(self._root / stream_file_name(stream))

    def open_batch(self, stream: str) -> LocalBatch:
        """Nothing happens before the commit."""
        folder = self._root / stream_file_name(stream)
        return LocalBatch(folder, lambda: self._hidden_folder(folder))

    def stop(self) -> None:
        """Nothing is waited for."""

    def remove_files(self) -> None:
        """Delete the hidden folders, which hold what is not finished."""
        for folder in self._hidden:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Delete the hidden folders."""
        self.remove_files()

    def _hidden_folder(self, parent: Path) -> Path:
        folder = parent / f".{_batch_name()}"
        self._hidden.append(folder)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise TargetError(f"local_path: can't write {folder}: {error.strerror}") from error
        return folder


class LocalBatch:
    """Collects finished files and moves them into place together."""

    def __init__(self, folder: Path, new_staging: Callable[[], Path]) -> None:
        """Keep where the batch will be, and how to make a folder for it to be put together in."""
        self._folder = folder
        self._new_staging = new_staging
        self._files: list[Path] = []

    def add_file(self, path: Path) -> None:
        """Remember a file."""
        self._files.append(path)

    def commit(self) -> Loaded:
        """Move the files into place.

        Raises:
            TargetError: The disk refuses.
        """
        staging = self._new_staging()
        name = staging.name.removeprefix(".")
        try:
            for file in self._files:
                file.rename(staging / file.name)
            staging.rename(self._folder / name)
        except OSError as error:
            raise TargetError(f"local_path: can't write {staging}: {error.strerror}") from error
        return Loaded(batch=name)

    def abort(self) -> None:
        """Forget the files."""
        self._files.clear()


def read_binding(schema_path: str | None, tenant_id: str | None) -> Binding:
    """The schema of the file, if one is given, and the tenant: as set, of the schema, or a name.

    Raises:
        SchemaError: The file can't be read, or is not an XDM schema.
    """
    if not schema_path:
        return Binding(None, tenant_id or DEFAULT_TENANT)
    document = _read_schema_file(schema_path)
    try:
        schema = parse_schema(document)
    except SchemaError as error:
        raise SchemaError(f"schema_path: {schema_path}: {error}") from error
    return Binding(schema, tenant_id or tenant_of(document, schema) or DEFAULT_TENANT)


def _read_schema_file(path: str) -> dict[str, t.Any]:
    try:
        document = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise SchemaError(f"schema_path: can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise SchemaError(f"schema_path: {path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SchemaError(f"schema_path: {path} is not an XDM schema")
    return document


def _batch_name() -> str:
    moment = datetime.now(timezone.utc)
    return f"{moment:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"

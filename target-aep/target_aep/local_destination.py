"""`destination=local`: the files that would be uploaded, on disk, without any credential."""

from __future__ import annotations

import json
import shutil
import typing as t
import uuid
from datetime import datetime, timezone
from pathlib import Path

from target_aep.commit_key import CommitKey
from target_aep.dead_letters import stream_file_name
from target_aep.destination import Binding, Loaded
from target_aep.errors import SchemaError, TargetError
from target_aep.known_commits import KnownCommits
from target_aep.xdm_schema import parse_schema, tenant_of

if t.TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_TENANT: t.Final = "tenant"
_PASSES_NAME = ".passes"


class LocalDestination:
    """Writes `{local_path}/{stream}/{batch}/{stream}-00001.json`; a batch appears as a whole."""

    def __init__(self, root: Path, binding: Binding) -> None:
        """Keep the folder and what `read_binding` found; nothing is written yet."""
        self._root = root
        self._binding = binding
        self._hidden: list[Path] = []
        self._committed: dict[str, KnownCommits] = {}

    def bind(self, stream: str) -> Binding:  # noqa: ARG002
        """The schema file and the tenant are the same for all streams."""
        return self._binding

    def spool_folder(self, stream: str) -> Path:
        """A hidden folder beside the batches, so that finishing is a rename."""
        return self._hidden_folder(self._folder(stream))

    def committed(self, stream: str) -> KnownCommits:
        """The commits whose batches are in the stream's folder."""
        if stream not in self._committed:
            folders = self._folder(stream).glob("[!.]*-*")
            self._committed[stream] = KnownCommits(map(_commit_of, folders))
        return self._committed[stream]

    def load(
        self, stream: str, key: CommitKey, files: Sequence[Path], around: Sequence[CommitKey] = ()
    ) -> Loaded:
        """Move the files of a commit into place, unless an earlier run has.

        Raises:
            TargetError: The disk refuses.
        """
        for commit in (key, *around):
            there = next(self._folder(stream).glob(f"[!.]*-{commit.digest}"), None)
            if there is not None:
                return Loaded(batch=there.name, is_new=False, is_wider=commit is not key)
        staging = self._hidden_folder(self._folder(stream))
        name = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{key.digest}"
        try:
            for file in files:
                file.rename(staging / file.name)
            if key.passes:
                (staging / _PASSES_NAME).write_text("\n".join(key.passes), "ascii")
            staging.rename(self._folder(stream) / name)
        except OSError as error:
            raise TargetError(f"local_path: can't write {staging}: {error.strerror}") from error
        return Loaded(batch=name)

    def abandon(self) -> None:
        """Nothing is open."""

    def stop(self) -> None:
        """Nothing is waited for."""

    def remove_files(self) -> None:
        """Delete the hidden folders, which hold what is not finished."""
        for folder in self._hidden:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Delete the hidden folders."""
        self.remove_files()

    def _folder(self, stream: str) -> Path:
        return self._root / stream_file_name(stream)

    def _hidden_folder(self, parent: Path) -> Path:
        folder = parent / f".{uuid.uuid4().hex}"
        self._hidden.append(folder)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise TargetError(f"local_path: can't write {folder}: {error.strerror}") from error
        return folder


def _commit_of(folder: Path) -> CommitKey:
    """The commit of a batch's folder, with those that end within it."""
    passes = folder / _PASSES_NAME
    names = passes.read_text("ascii").split() if passes.exists() else []
    return CommitKey(folder.name.rpartition("-")[2], tuple(names))


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

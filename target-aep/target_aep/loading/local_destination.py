"""`destination=local`: the files that would be uploaded, on disk, without any credential."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from target_aep.errors import SchemaError, TargetError
from target_aep.loading.dead_letters import stream_file_name
from target_aep.loading.destination import Binding, Loaded, OtherRecordsError
from target_aep.loading.folder_note import count_rows, read_folder_note, write_folder_note
from target_aep.loading.known_commits import KnownCommits
from target_aep.loading.work_folder import WorkFolder
from target_aep.xdm.schema import parse_schema, tenant_of

if t.TYPE_CHECKING:
    from target_aep.loading.destination import Commit
    from target_aep.loading.file_format import FileFormat

DEFAULT_TENANT: t.Final = "tenant"


class LocalDestination:
    """Writes `{local_path}/{stream}/{batch}/{stream}-00001.json`; a batch appears as a whole."""

    def __init__(self, root: Path, binding: Binding, file_format: FileFormat) -> None:
        """Nothing is written yet.

        Args:
            root: The folder.
            binding: What `read_binding` found.
            file_format: What the files of batches are.
        """
        self._root = root
        self._binding = binding
        self._format = file_format
        self._work: dict[str, WorkFolder] = {}
        self._committed: dict[str, KnownCommits] = {}

    def bind(self, stream: str) -> Binding:  # noqa: ARG002
        """The schema file and the tenant are the same for all streams."""
        return self._binding

    def spool_folder(self, stream: str) -> Path:
        """A folder in a hidden one beside the batches, so that finishing is a rename."""
        folder = self._folder(stream)
        work = self._work.setdefault(folder.name, WorkFolder(folder, ".target-aep-"))
        return work.subfolder("spool")

    def committed(self, stream: str) -> KnownCommits:
        """The commits whose batches are in the stream's folder."""
        if stream not in self._committed:
            folders = self._folder(stream).glob("[!.]*-*")
            self._committed[stream] = KnownCommits(map(read_folder_note, folders))
        return self._committed[stream]

    def load(self, stream: str, commit: Commit) -> Loaded | None:
        """Move the files of a commit into place, unless an earlier run has.

        Raises:
            OtherRecordsError: A batch of the commit's name holds others.
            RowsRefusedError: Some rows can't be written in the format.
            TargetError: The disk refuses.
        """
        there = self._found(stream, commit)
        if there or not commit.files:
            if not there:
                commit.before_sending()
            return there
        staging = self.spool_folder(stream)
        files = self._format.made_of(commit.files, self._binding.schema, lambda: staging)
        commit.before_sending()
        size = sum(file.stat().st_size for file in files)
        name = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{commit.key.digest}"
        try:
            for file in files:
                file.rename(staging / file.name)
            write_folder_note(staging, commit.key)
            staging.rename(self._folder(stream) / name)
        except OSError as error:
            raise TargetError(f"local_path: can't write {staging}: {error.strerror}") from error
        return Loaded(batch=name, files=len(files), size=size)

    def _found(self, stream: str, commit: Commit) -> Loaded | None:
        """The batch of an earlier run that holds the records of a commit."""
        key, has_others = commit.key, False
        for digest in dict.fromkeys((key.digest, *(other.digest for other in commit.around))):
            folder = next(self._folder(stream).glob(f"[!.]*-{digest}"), None)
            if folder is None:
                continue
            found = read_folder_note(folder)
            is_wider = found.passes_through(key)
            if is_wider or found.ends_with(key.records):
                is_same = not is_wider and found.records == key.records
                rows = count_rows(folder)
                loaded = Loaded(
                    folder.name, is_new=False, is_wider=is_wider, is_same=is_same, rows=rows
                )
                return _with_parquet_size(loaded, folder)
            has_others = has_others or digest == key.digest
        if has_others:
            raise OtherRecordsError
        return None

    def abandon(self) -> None:
        """Nothing is open."""

    def stop(self) -> None:
        """Nothing is waited for."""

    def remove_files(self) -> None:
        """Delete the hidden folders, which hold what is not finished."""
        for work in list(self._work.values()):
            work.remove()

    def close(self) -> None:
        """Delete the hidden folders."""
        self.remove_files()

    def _folder(self, stream: str) -> Path:
        return self._root / stream_file_name(stream)


def _with_parquet_size(loaded: Loaded, folder: Path) -> Loaded:
    """What an earlier run has left, with the size of its files where they are no JSON lines."""
    sizes = [file.stat().st_size for file in folder.glob("[!.]*.parquet")]
    if not sizes:
        return loaded
    files, size = (0, 0) if loaded.is_wider else (len(sizes), sum(sizes))
    return replace(loaded, files=files, size=size)


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

"""The Parquet files of a commit, made of the JSON lines of its spool.

One file takes several of the spool, since they become about a tenth of their size. Compressed with
Snappy, which every reader of Parquet has; Adobe names no codec. A row group takes as many rows as
the memory for them allows: Parquet's own advice is large ones
(https://parquet.apache.org/docs/file-format/configurations/), and Adobe names no size.
"""

from __future__ import annotations

import contextlib
import threading
import typing as t

import pyarrow as pa
import pyarrow.parquet

from target_aep.api.row_errors import RowError
from target_aep.errors import DiskError
from target_aep.loading.destination import RowsRefusedError
from target_aep.loading.json_lines import read_json
from target_aep.loading.parquet_arrays import widened
from target_aep.loading.parquet_blocks import BlockReader
from target_aep.loading.parquet_columns import Column
from target_aep.loading.parquet_rows import columns_of_rows, row_values
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from target_aep.xdm.schema import XdmField

_BLOCK_BYTES = 4 << 20
GROUP_BYTES: t.Final = 32 << 20
"""JSON of one row group, unless one block has more: memory is shared with worker processes."""

_one_at_a_time = threading.Lock()
"""Streams are loaded side by side; the memory is for one conversion."""


def write_parquet(
    files: Sequence[Path], schema: XdmField, folder: Path, file_max_bytes: int
) -> list[Path]:
    """Convert files of JSON lines.

    Args:
        files: The files of a spool, in order.
        schema: The dataset's.
        folder: Where the new files go, with the names of the old ones but for the ending.
        file_max_bytes: No row group is begun that could make a file larger.

    Returns:
        The new files, in order.

    Raises:
        RowsRefusedError: Some rows don't fit the schema.
        DiskError: The disk is full.
    """
    with _one_at_a_time:
        writer = _Writer(folder, files[0].stem.rpartition("-")[0], file_max_bytes)
        try:
            _convert(files, Column(schema), writer)
        except UnconvertibleError as error:
            writer.remove()
            raise _refusal(files, schema, error) from error
        except OSError as error:
            writer.remove()
            raise DiskError("Parquet files", error) from error
        finally:
            pa.default_memory_pool().release_unused()
        return writer.paths


def _convert(files: Sequence[Path], root: Column, writer: _Writer) -> None:
    reader = BlockReader(root)
    group: list[dict[str, pa.Array]] = []
    size = 0
    for block in _blocks(files):
        if group and size + len(block) > writer.group_bytes:
            writer.write(group, root)
            group, size = [], 0
        columns = reader.read(block)
        group.append(columns_of_rows(bytes(block), root) if columns is None else columns)
        size += len(block)
    if group:
        writer.write(group, root)
    writer.close()


def _blocks(files: Sequence[Path]) -> Iterator[memoryview]:
    """The files in pieces of whole lines, each valid until the next one is asked for."""
    buffer = bytearray(_BLOCK_BYTES)
    for path in files:
        kept = 0
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(memoryview(buffer)[kept:]):
                end = buffer.rfind(b"\n", 0, kept + count) + 1
                if end:
                    yield memoryview(buffer)[:end]
                else:
                    buffer = buffer + bytes(len(buffer))  # a line that is longer
                kept += count - end
                buffer[:kept] = buffer[end : end + kept]


class _Writer:
    """Writes row groups to files, a new one where the last is large or lacks a column."""

    def __init__(self, folder: Path, prefix: str, file_max_bytes: int) -> None:
        self._folder = folder
        self._prefix = prefix
        self._limit = file_max_bytes
        self._out: t.BinaryIO | None = None
        self._parquet: pa.parquet.ParquetWriter | None = None
        self.group_bytes = min(GROUP_BYTES, file_max_bytes)
        self.paths: list[Path] = []

    def write(self, group: list[dict[str, pa.Array]], root: Column) -> None:
        """Write rows as a row group, with all columns that have been used so far."""
        schema = pa.schema(root.fields())
        if self._parquet is None or not self._parquet.schema.equals(schema):
            self.close()
            self._open(schema, [path for path, field in root.leaves() if _repeats(path, field)])
        table = pa.table([_joined(group, field) for field in schema], schema)
        writer = t.cast("pa.parquet.ParquetWriter", self._parquet)
        writer.write_table(table, row_group_size=table.num_rows)
        if t.cast("t.BinaryIO", self._out).tell() + self.group_bytes > self._limit:
            self.close()

    def _open(self, schema: pa.Schema, repeating: list[str]) -> None:
        path = self._folder / f"{self._prefix}-{len(self.paths) + 1:05d}.parquet"
        self._out = path.open("wb")
        self.paths.append(path)
        # Statistics help who looks for some rows of a file; these are read as a whole, once.
        self._parquet = pa.parquet.ParquetWriter(
            self._out,
            schema,
            compression="snappy",
            use_dictionary=repeating,
            write_statistics=False,
            store_schema=False,
        )

    def close(self) -> None:
        """End the file, if there is one."""
        parquet, self._parquet = self._parquet, None
        out, self._out = self._out, None
        with out or contextlib.nullcontext():
            if parquet is not None:
                parquet.close()

    def remove(self) -> None:
        """Delete all files."""
        with contextlib.suppress(OSError):
            self.close()
        for path in self.paths:
            path.unlink(missing_ok=True)


def _repeats(path: str, field: XdmField) -> bool:
    """Whether a column may have values more than once, for which a dictionary is worth its work."""
    return path != "_id" and field.kind != "date-time"


def _joined(group: list[dict[str, pa.Array]], field: pa.Field) -> pa.ChunkedArray:
    return pa.chunked_array(
        [
            widened(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(_row_count(columns), field.type)
            for columns in group
        ],
        field.type,
    )


def _row_count(columns: dict[str, pa.Array]) -> int:
    return len(next(iter(columns.values())))


def _refusal(
    files: Sequence[Path], schema: XdmField, first: UnconvertibleError
) -> RowsRefusedError:
    return RowsRefusedError(
        "some rows don't fit the Parquet columns that their schema gives them: "
        f"{first.path or 'the row'}: {first.reason}",
        None,
        _row_errors(files, schema),
    )


def _row_errors(files: Sequence[Path], schema: XdmField) -> Iterator[RowError]:
    """All rows that don't fit, with why."""
    root = Column(schema)
    for path in files:
        with path.open("rb") as lines:
            for line in lines:
                row = read_json(line)
                try:
                    row_values(row, root)
                except UnconvertibleError as error:
                    yield RowError("LOCAL", f"{error.path or 'the row'}: {error.reason}", row)

"""What a batch's folder of `destination=local` tells of its commit, in a hidden file."""

from __future__ import annotations

import typing as t

from target_aep.loading.commit_key import CommitKey, read_passed

if t.TYPE_CHECKING:
    from pathlib import Path

_NAME = ".commit"
_BUFFER = 1 << 20


def write_folder_note(folder: Path, key: CommitKey) -> None:
    """Write the sum of the commit's records, then the STATEs that it passes, a line each.

    Raises:
        OSError: It can't be written.
    """
    records = "" if key.records is None else f"{key.records:x}"
    lines = [records, *map(str, key.passes)]
    (folder / _NAME).write_text("\n".join(lines), "ascii")


def read_folder_note(folder: Path) -> CommitKey:
    """The commit of a folder; only its name is known where there is no note."""
    digest = folder.name.rpartition("-")[2]
    try:
        records, *lines = (folder / _NAME).read_text("ascii").split("\n")
        passes = tuple(filter(None, map(read_passed, lines)))
        return CommitKey(digest, int(records, 16) if records else None, passes)
    except (OSError, ValueError):
        return CommitKey(digest)


def count_rows(folder: Path) -> int:
    """How many rows are in the files of a folder."""
    return sum(map(_rows_of, folder.glob("[!.]*")))


def _rows_of(path: Path) -> int:
    if path.suffix == ".parquet":
        from pyarrow.parquet import read_metadata  # noqa: PLC0415 - only where it is needed

        return int(read_metadata(path).num_rows)
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_BUFFER), b""))

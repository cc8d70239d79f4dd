"""In which form rows are brought to a destination: the spool's own JSON lines, or Parquet."""

from __future__ import annotations

import typing as t

from target_aep.errors import TargetError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from target_aep.xdm.schema import XdmField


class FileFormat(t.Protocol):
    """What a destination needs of a format.

    Attributes:
        name: As `inputFormat.format` of a batch has it (static/swagger-specs/batch-ingestion.yaml
            in AdobeDocs/experience-platform-apis).
    """

    name: str

    def made_of(
        self, files: Sequence[Path], schema: XdmField | None, make_folder: Callable[[], Path]
    ) -> Sequence[Path]:
        """The files to bring in.

        Args:
            files: Files of JSON lines, at least one; they stay where they are.
            schema: The dataset's.
            make_folder: Gives an empty folder for other files.

        Raises:
            RowsRefusedError: Some rows can't be written in this format.
            DiskError: The disk is full.
        """


class JsonLines:
    """The files of the spool as they are."""

    name = "json"

    def made_of(
        self,
        files: Sequence[Path],
        schema: XdmField | None,  # noqa: ARG002
        make_folder: Callable[[], Path],  # noqa: ARG002
    ) -> Sequence[Path]:
        """The same files."""
        return files


class Parquet:
    """Files whose columns are the fields of the dataset's schema."""

    name = "parquet"

    def __init__(self, file_max_bytes: int) -> None:
        """Keep the limit of a file."""
        self._file_max_bytes = file_max_bytes

    def made_of(
        self, files: Sequence[Path], schema: XdmField | None, make_folder: Callable[[], Path]
    ) -> Sequence[Path]:
        """New files; raises as `FileFormat.made_of`, and TargetError without a schema."""
        if schema is None:
            raise TargetError(NO_SCHEMA)
        # Imported here, since a run with JSON never needs the library, which takes long to load.
        from target_aep.loading.parquet_files import write_parquet  # noqa: PLC0415

        return write_parquet(files, schema, make_folder(), self._file_max_bytes)


NO_SCHEMA: t.Final = (
    "file_format: parquet takes the types of its columns from the dataset's schema: export it "
    "(Accept: application/vnd.adobe.xed-full+json; version=1) and set schema_path to the file, or "
    "set file_format to json"
)


def make_file_format(name: str, file_max_bytes: int) -> FileFormat:
    """The format that the settings name.

    Args:
        name: `json` or `parquet`.
        file_max_bytes: Largest file of a batch.
    """
    return Parquet(file_max_bytes) if name == "parquet" else JsonLines()

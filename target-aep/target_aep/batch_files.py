"""The files of a BATCH message, a record at a time.

Files on this machine are opened here, because the SDK's storage does not decode their URLs
(`file:///a%20b`) and makes the folders that it does not find; others go through it (fsspec).
"""

from __future__ import annotations

import gzip
import typing as t
import zlib
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from singer_sdk.helpers._batch import BatchFileFormat, StorageTarget
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.singerlib.json import deserialize_json

from target_aep.nesting import (
    DEEPEST_LINE,
    UNREADABLE,
    is_deeper,
    is_line_too_deep,
    may_be_deeper,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.message_shapes import Message


def read_records(message: Message) -> Iterator[dict[str, t.Any]]:
    """Read the records of a BATCH message's files; memory does not grow with them.

    Args:
        message: Of the form that `message_shapes` has checked.

    Yields:
        Each record, numbers with a fraction being Decimal.

    Raises:
        InvalidInputLine: The encoding is not available, or a file can't be read.
    """
    is_compressed = _is_compressed(message["encoding"])
    for url in message["manifest"]:
        try:
            with _open(url) as file, _decompressed(file, is_compressed) as lines:
                for number, line in enumerate(lines, start=1):
                    yield _parse(line, f"BATCH file {url}, line {number}")
        except (OSError, EOFError, ImportError, ValueError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InvalidInputLine(f"BATCH file {url} can't be read: {reason}") from error


def _is_compressed(encoding: dict[str, t.Any]) -> bool:
    form, compression = encoding.get("format"), encoding.get("compression")
    if form != BatchFileFormat.JSONL.value:
        raise InvalidInputLine(f"BATCH files of the format {form!r} are not available, only jsonl")
    if compression not in (None, "none", "gzip"):
        raise InvalidInputLine(
            f"BATCH files with the compression {compression!r} are not available, only gzip"
        )
    return compression == "gzip"


@contextmanager
def _open(url: str) -> Iterator[t.IO[bytes]]:
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        path = Path(url2pathname(parts.path)) if parts.scheme else Path(url)
        with path.open("rb") as file:
            yield file
        return
    folder, name = StorageTarget.split_url(url)
    with StorageTarget.from_url(folder).open(name, "rb") as remote:
        yield remote


def _decompressed(
    file: t.IO[bytes], is_compressed: bool
) -> AbstractContextManager[Iterable[bytes]]:
    return gzip.GzipFile(fileobj=file) if is_compressed else nullcontext(file)


def _parse(line: bytes, where: str) -> dict[str, t.Any]:
    try:
        record: t.Any = deserialize_json(line)
    except (ValueError, RecursionError) as error:
        reason = UNREADABLE if is_line_too_deep(line) else "not JSON"
        raise InvalidInputLine(f"{where}: {reason}") from error
    if may_be_deeper(line, DEEPEST_LINE) and is_deeper(record, DEEPEST_LINE):
        raise InvalidInputLine(f"{where}: {UNREADABLE}")
    if not isinstance(record, dict):
        raise InvalidInputLine(f"{where}: not a record, which is a JSON object")
    return record

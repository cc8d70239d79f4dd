"""Records to look at: out of Singer messages, as the target reads them, or bare as JSON lines."""

from __future__ import annotations

import sys
import typing as t
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.singerlib.json import deserialize_json

from target_aep.batch_files import read_records
from target_aep.errors import TargetError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_aep.message_reader import NumberedReader
    from target_aep.target import TargetAEP

Record = dict[str, t.Any]
Take = t.Callable[[str, Record], None]

_MESSAGES = frozenset({"SCHEMA", "RECORD", "STATE", "BATCH", "ACTIVATE_VERSION"})
_METADATA = (
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_batched_at",
    "_sdc_deleted_at",
    "_sdc_sequence",
    "_sdc_table_version",
    "_sdc_sync_started_at",
)


class _Enough(Exception):  # noqa: N818 - no error
    """As many records as wanted were taken."""


@contextmanager
def open_input(path: str | None) -> Iterator[t.IO[bytes]]:
    """Open a file, or stdin for none.

    Raises:
        TargetError: It can't be read.
    """
    if path is None or path == "-":
        if sys.stdin.isatty():
            raise TargetError("no input: give --input FILE, or pipe messages or JSON lines in")
        yield sys.stdin.buffer
        return
    with ExitStack() as opened:
        try:
            file = opened.enter_context(Path(path).open("rb"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not the name of a file"
            raise TargetError(f"can't read the records of {path}: {reason}") from error
        yield file


def take_records(
    target: TargetAEP, source: Iterable[bytes], stream: str, limit: int, take: Take
) -> None:
    """Hand over the first records of an input.

    Args:
        target: Its stream maps are used, and its reader, which knows the line for messages.
        source: Lines. Messages are told from records by the `type` of the first.
        stream: The stream of bare records.
        limit: The most records.
        take: Gets the stream and the record.

    Raises:
        TargetError: A line is not a record.
        InvalidInputLine: A line is not a message.
    """
    taken = 0

    def count(name: str, record: Record) -> None:
        nonlocal taken
        take(name, record)
        taken += 1
        if taken >= limit:
            raise _Enough

    lines = iter(source)
    head = list(_up_to_first(lines))
    try:
        if head and _is_message(head[-1]):
            _read_messages(target, chain(head, lines), count)
        else:
            _read_bare(chain(head, lines), stream, count)
    except _Enough:
        pass


def read_bare_records(path: str) -> list[Record]:
    """All records of a file of JSON lines; those of a file of messages, as they are there.

    Raises:
        TargetError: The file can't be read, or a line is not a record.
    """
    found: list[Record] = []
    with open_input(path) as lines:
        _read_bare(lines, "", lambda _, record: found.append(record))
    return [
        each["record"] if _is_record_message(each) else each
        for each in found
        if not _is_other_message(each)
    ]


def _up_to_first(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines up to the first that is not blank."""
    for line in lines:
        yield line
        if line.strip():
            return


def _is_message(line: bytes) -> bool:
    try:
        document = deserialize_json(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("type") in _MESSAGES


def _is_record_message(document: Record) -> bool:
    return document.get("type") == "RECORD" and isinstance(document.get("record"), dict)


def _is_other_message(document: Record) -> bool:
    return document.get("type") in _MESSAGES and not _is_record_message(document)


def _read_bare(lines: Iterable[bytes], stream: str, take: Take) -> None:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = deserialize_json(line)
        except RecursionError:
            raise TargetError(f"line {number} of the input: nested too deeply") from None
        except ValueError:
            raise TargetError(
                f"line {number} of the input: not JSON; give one record, or one Singer message, "
                "a line"
            ) from None
        if not isinstance(record, dict):
            raise TargetError(f"line {number} of the input: not a record, which is an object")
        take(stream, record)


def _read_messages(target: TargetAEP, lines: Iterable[bytes], take: Take) -> None:
    def take_schema(message: Record) -> None:
        target.mapper.register_raw_stream_schema(
            message["stream"], message["schema"], message.get("key_properties")
        )

    def take_record(message: Record) -> None:
        _transform(target, message["stream"], message["record"], take)

    def take_batch(message: Record) -> None:
        for record in read_records(message):
            _transform(target, message["stream"], record, take)

    callbacks: dict[str, Callable[[Record], None]] = {
        "SCHEMA": take_schema,
        "RECORD": take_record,
        "BATCH": take_batch,
        "STATE": lambda _: None,
        "ACTIVATE_VERSION": lambda _: None,
    }
    reader = t.cast("NumberedReader", target.message_reader)
    reader.process_lines(t.cast("t.IO[t.Any]", lines), callbacks)
    if reader.mistake:
        raise reader.mistake
    if reader.was_cut:
        raise InvalidInputLine("not whole")


def _transform(target: TargetAEP, stream: str, record: Record, take: Take) -> None:
    stream_maps = target.mapper.stream_maps.get(stream)
    if stream_maps is None:
        raise InvalidInputLine(
            f"a RECORD of the stream {stream!r} before its SCHEMA: give the whole output of the "
            "tap, or bare records"
        )
    for stream_map in stream_maps:
        transformed = stream_map.transform(dict(record))
        if transformed is None:  # a filter of the stream map
            continue
        for name in _METADATA:
            transformed.pop(name, None)
        take(stream_map.stream_alias, transformed)

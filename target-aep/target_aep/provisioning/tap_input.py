"""What a plan is made from: the streams of an input, their schemas and their first records."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field

from target_aep.errors import TargetError
from target_aep.preview.records import open_input, take_records

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.target import TargetAEP

Record = dict[str, t.Any]

_PATIENCE_SECONDS = 30


@dataclass
class StreamSample:
    """A stream as the input shows it.

    Attributes:
        stream: Its name.
        schema: The JSON schema of its records, empty if the input has no SCHEMA.
        records: The first of them.
    """

    stream: str
    schema: dict[str, t.Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)


def read_samples(
    target: TargetAEP, lines: Iterable[bytes], stream: str, limit: int
) -> list[StreamSample]:
    """Read the streams of an input and their first records.

    Args:
        target: Its stream maps are used.
        lines: Singer messages, or bare records.
        stream: The stream of bare records.
        limit: The most records.

    Returns:
        The streams, none of an input without SCHEMA and record.

    Raises:
        TargetError: A line is not a record.
        InvalidInputLine: A line is not a message.
    """
    samples: dict[str, StreamSample] = {}

    def take(name: str, record: Record) -> None:
        samples.setdefault(name, StreamSample(name)).records.append(record)

    take_records(target, lines, stream, limit, take)
    for maps in target.mapper.stream_maps.values():
        for stream_map in maps:
            name = stream_map.stream_alias
            sample = samples.setdefault(name, StreamSample(name))
            sample.schema = stream_map.transformed_schema
    return list(samples.values())


@contextlib.contextmanager
def input_lines(path: str | None, tap: str | None) -> Iterator[Iterable[bytes]]:
    """Open what the options name: a file, a tap that is run, or stdin if something is piped in.

    Args:
        path: A file; `-` for stdin.
        tap: The command of a tap.

    Raises:
        TargetError: The file can't be read, or the tap can't be run or fails.
    """
    if tap is not None:
        with _run(tap) as lines:
            yield lines
    elif path is None and sys.stdin.isatty():
        yield ()
    else:
        with open_input(path) as lines:
            yield lines


@contextlib.contextmanager
def _run(command: str) -> Iterator[Iterable[bytes]]:
    """Run a tap until enough of its output is read.

    Raises:
        TargetError: It can't be run, or ends with an error before enough is read.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise TargetError(f"--from-tap: {command!r} is not a command ({error})") from None
    if not words:
        raise TargetError("--from-tap: name the command of a tap, e.g. 'tap --config tap.json'")
    try:
        tap = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)  # noqa: S603 - the user's own command
    except OSError as error:
        raise TargetError(f"--from-tap: {words[0]} can't be run: {error.strerror}") from None
    output = t.cast("t.IO[bytes]", tap.stdout)
    ended = False

    def lines() -> Iterator[bytes]:
        nonlocal ended
        yield from output
        ended = True

    try:
        yield lines()
    finally:
        if not ended:
            tap.terminate()
        output.close()
        try:
            status = tap.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            tap.kill()
            status = tap.wait()
    if ended and status:
        raise TargetError(
            f"--from-tap: {words[0]} ended with exit code {status}: put right what it says, then "
            "run again"
        )

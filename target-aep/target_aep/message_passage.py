"""The way of the input's lines, in their order: one by one, or runs of RECORDs together."""

from __future__ import annotations

import functools
import typing as t
from collections import Counter

from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_aep.loading.json_lines import read_json
from target_aep.nesting import is_line_too_deep

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.input_chunks import InputChunks
    from target_aep.message_reader import NumberedReader
    from target_aep.message_shapes import Message
    from target_aep.record_runs import RecordRuns


class MessagePassage:
    """Hands the messages of one input to their callbacks.

    Attributes:
        counts: The messages that were handled, by their type.
    """

    def __init__(
        self,
        reader: NumberedReader,
        callbacks: dict[str, Callable[[Message], None]],
        runs: RecordRuns | None,
    ) -> None:
        """Bind the callbacks.

        Args:
            reader: Reads single lines, and is told how far the input is handled.
            callbacks: Take the messages, by their type.
            runs: Takes RECORD lines that need nothing but to be mapped; None for none.
        """
        self._reader = reader
        self._runs = runs
        self.counts: t.Counter[str] = Counter()
        self._callbacks = {
            kind: _guarded(kind, callback, self.counts) for kind, callback in callbacks.items()
        }

    def read(self, chunks: InputChunks) -> None:
        """Handle all lines, up to one that is cut.

        Raises:
            InvalidInputLine: A line can't be right; those before it are handled.
        """
        pieces = iter(chunks)
        while not self._reader.was_cut:
            if self._runs:
                self._runs.await_input(chunks.descriptor, self)
            chunk = next(pieces, None)
            if chunk is None:
                break
            *lines, rest = chunk.split(b"\n")
            self._take(lines)
            if rest:
                self._take_last(rest)
        self._drain()

    def _take(self, lines: list[bytes], *, is_here: bool = False) -> None:
        """Handle lines, or let workers do it unless it must be here and now."""
        runs, at = self._runs, 0
        while at < len(lines):
            route = runs.routes.of(lines[at]) if runs else None
            if runs is None or route is None:
                self._take_line(lines[at], is_here=is_here)
                at += 1
                continue
            end = _end_of_run(lines, at, route.prefix)
            take = runs.take_here if is_here else runs.take
            at += take(route, lines[at:end], self)
            if at < end:
                self._take_line(lines[at], is_here=is_here)
                at += 1

    def _take_line(self, line: bytes, *, is_here: bool) -> None:
        runs = self._runs
        if runs and runs.is_waiting and not is_here:
            if state := self._state_in(line):
                runs.put_behind(line, state, self)
                return
            runs.drain(self)
        self._count(line)
        if line and not line.isspace():
            self._handle(line, self._reader.deserialize_json(line))

    def _take_last(self, line: bytes) -> None:
        """Handle the last line, which has no end: it is whole if it is JSON."""
        if line.isspace() or _is_json(line):
            self._take_line(line, is_here=False)
            size = -1
        else:
            self._drain()
            self._reader.line_number += 1
            self._reader.was_cut = True
            size = len(line)
        self._reader.bytes_read += size

    def _state_in(self, line: bytes) -> Message | None:
        try:
            message = self._reader.deserialize_json(line)
        except InvalidInputLine:
            return None  # told when its turn comes
        return message if message["type"] == "STATE" else None

    def _handle(self, line: bytes, message: Message) -> None:
        kind = message["type"]
        callback = self._callbacks.get(kind)
        if callback is None:
            self._reader.refuse_unknown(message)
        callback(message)
        if self._runs is None:
            return
        if kind == "RECORD":
            self._runs.routes.learn(line, message["stream"])
        elif kind == "SCHEMA":
            self._runs.routes.forget()

    def _count(self, line: bytes) -> None:
        self._reader.line_number += 1
        self._reader.bytes_read += len(line) + len(b"\n")

    def _drain(self) -> None:
        if self._runs:
            self._runs.drain(self)

    def handle(self, lines: list[bytes]) -> None:
        """Handle lines in this process, before any that comes later."""
        self._take(lines, is_here=True)

    def pass_records(self, lines: list[bytes]) -> None:
        """Count the next lines, which are records that were handled."""
        self._reader.line_number += len(lines)
        self._reader.bytes_read += sum(map(len, lines)) + len(lines)
        self.counts["RECORD"] += len(lines)

    def pass_message(self, line: bytes, message: Message) -> None:
        """Handle the message of the next line."""
        self._count(line)
        self._handle(line, message)


def _end_of_run(lines: list[bytes], start: int, prefix: bytes) -> int:
    """The end of the lines from a place on that begin alike."""
    for place in range(start + 1, len(lines)):
        if not lines[place].startswith(prefix):
            return place
    return len(lines)


def _is_json(line: bytes) -> bool:
    try:
        read_json(line)
    except (ValueError, RecursionError):
        return is_line_too_deep(line)  # then it is refused as any other line of its kind
    return True


def _guarded(
    kind: str, callback: Callable[[Message], None], counts: t.Counter[str]
) -> Callable[[Message], None]:
    """A callback that refuses what is nested too deeply, and counts what it has done."""

    @functools.wraps(callback)
    def guarded(message: Message) -> None:
        try:
            callback(message)
        except RecursionError as error:
            raise InvalidInputLine("nested too deeply") from error
        counts[kind] += 1

    return guarded

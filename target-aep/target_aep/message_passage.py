"""The way of the input's lines, in their order: one by one, or runs of RECORDs together."""

from __future__ import annotations

import functools
import typing as t
from collections import Counter

from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_aep.line_run import LineRun
from target_aep.loading.json_lines import read_json
from target_aep.nesting import is_line_too_deep

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_aep.input_chunks import InputChunks
    from target_aep.message_reader import NumberedReader
    from target_aep.message_shapes import Message
    from target_aep.record_routes import Route
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
            self._take(chunk)
            if rest := chunk[chunk.rfind(b"\n") + 1 :]:
                self._take_last(rest)
        self._drain()

    def _take(self, chunk: bytes) -> None:
        """Handle the lines of a chunk, or let workers do it."""
        at = 0
        while end := chunk.find(b"\n", at) + 1:
            route = self._runs.routes.of(chunk[at : end - 1]) if self._runs else None
            if self._runs is None or route is None:
                self._take_line(chunk[at : end - 1])
                at = end
                continue
            if route.assignment is None:  # so it is here that most are mapped
                self._drain()
                self.handle(chunk[at:].split(b"\n")[:-1])
                return
            at = self._take_run(route, LineRun.alike(chunk, at, route.prefix), self._runs)

    def _take_run(self, route: Route, run: LineRun, runs: RecordRuns) -> int:
        """Handle lines of a route, or let workers do it; the place behind what was taken."""
        taken = runs.take(route, run, self)
        if taken < len(run):
            self._take_line(run[taken])
        return run[: taken + 1].end

    def _take_line(self, line: bytes) -> None:
        runs = self._runs
        if runs and runs.is_waiting:
            if state := self._state_in(line):
                runs.put_behind(line, state, self)
                return
            runs.drain(self)
        self._handle_line(line)

    def _handle_line(self, line: bytes) -> None:
        self._count(line)
        if line and not line.isspace():
            self._handle(line, self._reader.deserialize_json(line))

    def _take_last(self, line: bytes) -> None:
        """Handle the last line, which has no end: it is whole if it is JSON."""
        if line.isspace() or _is_json(line):
            self._take_line(line)
            self._drain()  # which counts it as a line with its end
            self._reader.bytes_read -= len(b"\n")
            return
        self._drain()
        self._reader.line_number += 1
        self._reader.bytes_read += len(line)
        self._reader.was_cut = True

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

    def handle(self, lines: Sequence[bytes]) -> None:
        """Handle lines in this process, before any that comes later."""
        runs, at = self._runs, 0
        while at < len(lines):
            route = runs.routes.of(lines[at]) if runs else None
            if runs and route:
                end = _end_of_run(lines, at, route.prefix)
                at += runs.take_here(route, lines[at:end], self)
                if at == end:
                    continue
            self._handle_line(lines[at])
            at += 1

    def pass_records(self, count: int, size: int) -> None:
        """Count the next lines, which are records that were handled."""
        self._reader.line_number += count
        self._reader.bytes_read += size
        self.counts["RECORD"] += count

    def pass_message(self, line: bytes, message: Message) -> None:
        """Handle the message of the next line."""
        self._count(line)
        self._handle(line, message)


def _end_of_run(lines: Sequence[bytes], start: int, prefix: bytes) -> int:
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

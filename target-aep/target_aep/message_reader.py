"""Singer messages from stdin, up to the line that can't be one, with its number for errors."""

from __future__ import annotations

import sys
import typing as t

from singer_sdk.exceptions import SingerSDKError
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine, SingerError
from typing_extensions import override

from target_aep.input_chunks import InputChunks
from target_aep.loading.json_lines import read_json
from target_aep.message_passage import MessagePassage
from target_aep.message_shapes import check_shape
from target_aep.nesting import (
    DEEPEST_LINE,
    UNREADABLE,
    is_deeper,
    is_line_too_deep,
    may_be_deeper,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.message_shapes import Message
    from target_aep.record_runs import RecordRuns


_NOT_JSON = (
    "not JSON. Does something else than the tap's messages come from its stdout, like a log? Look "
    "at that line of what it writes; it is not shown here, because it may hold personal data"
)


class NumberedReader(GenericSingerReader[bytes]):
    """Counts lines, keeps records out of its errors, and stops where the input can't be right.

    Bytes are read, because a locale may decode stdin to something else than UTF-8, and because a
    cut may go through a character.

    Attributes:
        line_number: Of the line that was read last, from 1.
        bytes_read: Size of all lines so far.
        was_cut: The last line has no end and is not JSON: who wrote it died over it.
        mistake: What is wrong with the last line, None if nothing is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line_number = 0
        self.bytes_read = 0
        self.was_cut = False
        self.mistake: Exception | None = None
        self._taken_from: Callable[[Message], None] | None = None
        self._runs: RecordRuns | None = None

    @property
    def ended_early(self) -> bool:
        """Whether the tap had more to say than could be read."""
        return self.was_cut or self.mistake is not None

    @property
    @override
    def default_input(self) -> t.IO[bytes]:
        return sys.stdin.buffer

    def let_take(self, callback: Callable[[Message], None], runs: RecordRuns) -> None:
        """Let RECORD lines that need nothing but to be mapped be taken together.

        Args:
            callback: Where it would take RECORD messages.
            runs: Takes them instead.
        """
        self._taken_from, self._runs = callback, runs

    @override
    def process_lines(
        self, file_input: t.IO[t.Any] | None, callbacks: dict[str, Callable[[Message], None]]
    ) -> t.Counter[str]:
        source = file_input or self.default_input
        chunks = InputChunks(getattr(source, "buffer", source))
        runs = self._runs if callbacks.get("RECORD") == self._taken_from else None
        passage = MessagePassage(self, callbacks, runs)
        try:
            passage.read(chunks)
        except (SingerError, SingerSDKError) as error:
            # Like the death of the tap: what the last STATE covers is loaded before it is raised.
            self.mistake = error
        finally:
            if runs:
                runs.end()
        return passage.counts

    @override
    def deserialize_json(self, line: bytes) -> Message:
        try:
            message = read_json(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputLine(UNREADABLE if is_line_too_deep(line) else _NOT_JSON) from error
        if may_be_deeper(line, DEEPEST_LINE) and is_deeper(message, DEEPEST_LINE):
            raise InvalidInputLine(UNREADABLE)
        return check_shape(message)

    def refuse_unknown(self, message: Message) -> t.NoReturn:
        """Refuse a message of a type that there is not.

        Raises:
            InvalidInputLine: It is one.
        """
        raise InvalidInputLine(f"unknown message type {message['type']!r}")

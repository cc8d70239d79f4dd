"""Singer messages from stdin, up to the line that can't be one, with its number for errors."""

from __future__ import annotations

import functools
import sys
import typing as t
from collections import Counter

from singer_sdk.exceptions import SingerSDKError
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine, SingerError
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override

from target_aep.message_shapes import check_shape

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_aep.message_shapes import Message


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

    @property
    def ended_early(self) -> bool:
        """Whether the tap had more to say than could be read."""
        return self.was_cut or self.mistake is not None

    @property
    @override
    def default_input(self) -> t.IO[bytes]:
        return sys.stdin.buffer

    @override
    def process_lines(
        self, file_input: t.IO[t.Any] | None, callbacks: dict[str, Callable[[Message], None]]
    ) -> t.Counter[str]:
        source = file_input or self.default_input
        lines = self._whole_lines(getattr(source, "buffer", source))
        counts: t.Counter[str] = Counter()
        guarded = {kind: _guarded(kind, callback, counts) for kind, callback in callbacks.items()}
        try:
            super().process_lines(t.cast("t.IO[bytes]", lines), guarded)
        except (SingerError, SingerSDKError) as error:
            # Like the death of the tap: what the last STATE covers is loaded before it is raised.
            self.mistake = error
        return counts

    def _whole_lines(self, source: Iterable[t.Any]) -> Iterator[bytes]:
        for line in source:
            encoded = line.encode() if isinstance(line, str) else line
            self.line_number += 1
            self.bytes_read += len(encoded)
            if encoded.isspace():
                continue
            if not encoded.endswith(b"\n") and not _is_json(encoded):
                self.was_cut = True
                return
            yield encoded

    @override
    def deserialize_json(self, line: bytes) -> Message:
        try:
            message = deserialize_json(line)
        except RecursionError as error:
            raise InvalidInputLine("nested too deeply") from error
        except ValueError as error:
            raise InvalidInputLine(_NOT_JSON) from error
        return check_shape(message)

    @override
    def _process_unknown_message(self, message_dict: Message) -> None:
        raise InvalidInputLine(f"unknown message type {message_dict['type']!r}")


def _is_json(line: bytes) -> bool:
    try:
        deserialize_json(line)
    except RecursionError:
        return True  # so it is refused as any other line of its kind
    except ValueError:
        return False
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

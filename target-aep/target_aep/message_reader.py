"""Singer messages from stdin, with the number of the line for errors."""

from __future__ import annotations

import functools
import sys
import typing as t

from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override

from target_aep.message_shapes import check_shape

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_aep.message_shapes import Message


class NumberedReader(GenericSingerReader[bytes]):
    """Counts lines, keeps records out of its errors, and notices an input that was cut.

    Bytes are read, because a locale may decode stdin to something else than UTF-8, and because a
    cut may go through a character.

    Attributes:
        line_number: Of the line that was read last, from 1.
        bytes_read: Size of all lines so far.
        was_cut: The last line has no end and is not JSON: who wrote it died over it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line_number = 0
        self.bytes_read = 0
        self.was_cut = False

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
        guarded = {kind: _not_too_deep(callback) for kind, callback in callbacks.items()}
        return super().process_lines(t.cast("t.IO[bytes]", lines), guarded)

    def _whole_lines(self, source: Iterable[t.Any]) -> Iterator[bytes]:
        for line in source:
            encoded = line.encode() if isinstance(line, str) else line
            self.line_number += 1
            self.bytes_read += len(encoded)
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
            raise InvalidInputLine("not JSON") from error
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


def _not_too_deep(callback: Callable[[Message], None]) -> Callable[[Message], None]:
    @functools.wraps(callback)
    def guarded(message: Message) -> None:
        try:
            callback(message)
        except RecursionError as error:
            raise InvalidInputLine("nested too deeply") from error

    return guarded

"""Singer messages from stdin, with the number of the line for errors."""

from __future__ import annotations

import typing as t

from singer_sdk.io_base import SingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override


class NumberedReader(SingerReader):
    """The SDK's reader, which also counts lines and keeps records out of its errors."""

    def __init__(self) -> None:
        super().__init__()
        self.line_number = 0

    @override
    def deserialize_json(self, line: str) -> dict[str, t.Any]:
        self.line_number += 1
        try:
            message = deserialize_json(line)  # the SDK's own method logs the line
        except ValueError as error:
            raise InvalidInputLine("not JSON") from error
        if not isinstance(message, dict):
            raise InvalidInputLine("not a Singer message, which is a JSON object")
        return message

    @override
    def _process_unknown_message(self, message_dict: dict[str, t.Any]) -> None:
        raise InvalidInputLine(f"unknown message type {message_dict['type']!r}")

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, t.Any], requires: set[str]) -> None:
        missing = sorted(requires - line_dict.keys())
        if missing:
            kind = line_dict.get("type", "message")
            raise InvalidInputLine(f"a {kind} without {', '.join(missing)}")

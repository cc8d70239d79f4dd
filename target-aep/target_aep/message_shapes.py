"""What each Singer message must look like, so that the target may rely on it.

By the Singer specification (hub.meltano.com/singer/spec); ACTIVATE_VERSION is no business of a
target that only appends, so any form of it passes.
"""

from __future__ import annotations

import typing as t

from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_aep.nesting import DEEPEST, is_deeper

if t.TYPE_CHECKING:
    from collections.abc import Callable

Message = dict[str, t.Any]


def check_shape(message: t.Any) -> Message:
    """A decoded line as a message.

    Raises:
        InvalidInputLine: It is none, or not of its type's form; says what is wrong.
    """
    if not isinstance(message, dict):
        raise InvalidInputLine("not a Singer message, which is a JSON object")
    _require(message, "type", str, "a text", "message")
    check = _CHECKS.get(message["type"])
    if check:
        check(message)
    return message


def _require(message: Message, key: str, kind: type, words: str, what: str) -> None:
    if key not in message:
        raise InvalidInputLine(f"a {what} without {key}")
    if not isinstance(message[key], kind):
        raise InvalidInputLine(f"a {what} whose {key} is not {words}")


def _check_record(message: Message) -> None:
    _require(message, "stream", str, "a text", "RECORD")
    _require(message, "record", dict, "an object", "RECORD")


def _check_schema(message: Message) -> None:
    _require(message, "stream", str, "a text", "SCHEMA")
    _require(message, "schema", dict, "an object", "SCHEMA")
    _require(message["schema"], "properties", dict, "an object", "SCHEMA's schema")
    key = message.get("key_properties")
    if key is not None and not _is_texts(key):
        raise InvalidInputLine("a SCHEMA whose key_properties are not a list of texts")
    _check_depth(message["schema"], "SCHEMA")


def _check_state(message: Message) -> None:
    _require(message, "value", dict, "an object", "STATE")
    _check_depth(message["value"], "STATE")


def _check_batch(message: Message) -> None:
    _require(message, "stream", str, "a text", "BATCH")
    _require(message, "encoding", dict, "an object", "BATCH")
    _require(message, "manifest", list, "a list", "BATCH")
    if not _is_texts(message["manifest"]):
        raise InvalidInputLine("a BATCH whose manifest is not a list of texts")


def _is_texts(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check_depth(value: t.Any, what: str) -> None:
    if is_deeper(value, DEEPEST):
        raise InvalidInputLine(f"a {what} that is nested too deeply (more than {DEEPEST} levels)")


_CHECKS: dict[str, Callable[[Message], None]] = {
    "RECORD": _check_record,
    "SCHEMA": _check_schema,
    "STATE": _check_state,
    "BATCH": _check_batch,
}

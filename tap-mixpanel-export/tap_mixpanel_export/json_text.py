"""JSON texts of parsed events, in ASCII and with every number as it was written.

The same texts as the SDK's ``serialize_json`` makes, by the standard library alone: the processes
that help with lines would take longer to import the SDK than to do their work.
"""

from __future__ import annotations

import codecs
import json
import re
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any

quoted = encode_basestring_ascii
"""Writes a text."""

DELETE = 0x7F
"""The one character of ASCII that is not printable and that JSON may hold as it is."""

_DELETE_ESCAPED = quoted(chr(DELETE))[1:-1].encode()
_ESCAPES = "tap-mixpanel-export.json-escapes"
_MARK = "\0number "
_MARKED = re.compile(f'{quoted(_MARK)[:-1]}([^"]*)"'.replace("\\", "\\\\"))


def json_text(value: object, *, sort_keys: bool = False) -> str:
    """Write what ``parse_event`` has read: dict, list, str, int, Decimal, bool or None."""
    marked = 0

    def mark(number: object) -> str:
        nonlocal marked
        marked += 1
        return f"{_MARK}{number}"

    text = json.dumps(value, separators=(",", ":"), sort_keys=sort_keys, default=mark)
    if not marked:
        return text
    # The library does not write a Decimal, so each is written as a text, which is undone here.
    text, undone = _MARKED.subn(r"\1", text)
    return text if undone == marked else _with_decimals(value, sort_keys=sort_keys)


def _with_decimals(value: Any, *, sort_keys: bool) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        items = sorted(value.items()) if sort_keys else value.items()
        parts = (f"{quoted(k)}:{_with_decimals(v, sort_keys=sort_keys)}" for k, v in items)
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        return f"[{','.join(_with_decimals(each, sort_keys=sort_keys) for each in value)}]"
    return json.dumps(value)


def escaped(text: bytes) -> bytes:
    """Return JSON as ``msgspec`` writes it with all escapes that ``quoted`` makes."""
    text = text.decode().encode("ascii", _ESCAPES)
    return text.replace(bytes([DELETE]), _DELETE_ESCAPED) if DELETE in text else text


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return quoted(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPES, _escape)

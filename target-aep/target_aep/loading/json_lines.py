"""JSON as it is written: compact, numbers as they came, in UTF-8."""

from __future__ import annotations

import typing as t

from singer_sdk.singerlib.json import serialize_json


def json_text(value: t.Any) -> str:
    """A value as compact JSON text, non-ASCII characters as they are."""
    return serialize_json(value, ensure_ascii=False)


def encode_line(document: t.Any) -> bytes:
    """A JSON line in UTF-8; half a surrogate pair, which UTF-8 can't hold, becomes U+FFFD."""
    text = json_text(document) + "\n"
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()

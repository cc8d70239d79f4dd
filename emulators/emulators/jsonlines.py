"""Events as lines of JSON."""

from __future__ import annotations

import json
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_encode_ascii = json.JSONEncoder(separators=(",", ":")).encode


def encode_event(event: dict[str, Any]) -> bytes:
    """Compact JSON in UTF-8; escapes only where a lone surrogate leaves no choice."""
    try:
        return _encode(event).encode()
    except UnicodeEncodeError:
        return _encode_ascii(event).encode()

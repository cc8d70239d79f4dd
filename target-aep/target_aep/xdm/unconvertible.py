"""The refusal of a value that does not fit its XDM field."""

from __future__ import annotations

import typing as t


class UnconvertibleError(Exception):
    """A value does not fit its XDM field; `path` leads to the part that does not."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


def type_name(value: t.Any) -> str:
    """What kind of JSON value it is, in words."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "a text" if isinstance(value, str) else "a number"

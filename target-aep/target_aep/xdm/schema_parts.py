"""The parts of a schema's node that fields are read from: each of the type that JSON Schema has."""

from __future__ import annotations

import typing as t

from target_aep.errors import SchemaError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER: t.Final = ((int, float), "a number")
_FORMS: t.Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "properties": (dict, "an object"),
    "allOf": (list, "a list"),
    "required": (list, "a list"),
    "enum": (list, "a list"),
    "pattern": (str, "a text"),
    "format": (str, "a text"),
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "minLength": _NUMBER,
    "maxLength": _NUMBER,
}


def checked_parts(node: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A node of a schema without its nulls.

    Raises:
        SchemaError: One of its parts is of another type than JSON Schema has for it.
    """
    parts = {name: value for name, value in node.items() if value is not None}
    for name, (kind, word) in _FORMS.items():
        if name in parts and (not isinstance(parts[name], kind) or isinstance(parts[name], bool)):
            raise SchemaError(
                f"the XDM schema makes no sense: {name} is {str(parts[name])[:40]!r}, not {word}"
            )
    if not all(isinstance(name, str) for name in parts.get("required", ())):
        raise SchemaError("the XDM schema makes no sense: required is not a list of names")
    return parts

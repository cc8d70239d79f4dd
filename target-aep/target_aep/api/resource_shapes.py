"""Resources of the Schema Registry whose parts are what they should be, at every depth."""

from __future__ import annotations

import typing as t

from target_aep.api.answers import odd_answer

_DEEPEST = 64
_SHAPES: t.Final[dict[str, tuple[type, str]]] = {
    "properties": (dict, "an object"),
    "definitions": (dict, "an object"),
    "required": (list, "a list"),
    "allOf": (list, "a list"),
    "meta:immutableTags": (list, "a list"),
    "meta:intendedToExtend": (list, "a list"),
}


def checked_resource(document: t.Any, call: str) -> dict[str, t.Any]:
    """A resource whose parts have the types that they should.

    Args:
        document: What was answered.
        call: Method and path, for messages.

    Raises:
        PlatformError: It is something else.
    """
    if not isinstance(document, dict):
        raise odd_answer(call, "a resource")
    _check(document, call, 0)
    return document


def _check(node: dict[str, t.Any], call: str, depth: int) -> None:
    for name, (expected, words) in _SHAPES.items():
        if node.get(name) is not None and not isinstance(node[name], expected):
            raise odd_answer(call, f"{words} as {name}")
    if depth > _DEEPEST:
        return
    fields = (node.get("properties") or {}).values()
    definitions = (node.get("definitions") or {}).values()
    for part in (*fields, *definitions, *(node.get("allOf") or ())):
        if not isinstance(part, dict):
            raise odd_answer(call, "an object for each field")
        _check(part, call, depth + 1)

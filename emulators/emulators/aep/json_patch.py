"""JSON Patch (RFC 6902) with JSON Pointer (RFC 6901): all operations, applied as a whole or not."""

from __future__ import annotations

import copy
import re
from typing import Any

_INDEX = re.compile(r"0|[1-9]\d*")


class PatchError(ValueError):
    """A patch that can't be applied."""


def apply_patch(document: Any, operations: Any) -> Any:
    """A copy of the document after all operations; the document itself stays.

    Args:
        document: JSON.
        operations: The patch: a list of operations.

    Raises:
        PatchError: For something that is no patch, a path that is not there, or a failed `test`.
    """
    if not isinstance(operations, list):
        raise PatchError("a JSON Patch is a list of operations")
    changed = copy.deepcopy(document)
    for operation in operations:
        if not isinstance(operation, dict):
            raise PatchError("an operation must be an object")
        changed = _applied(changed, operation)
    return changed


def _applied(document: Any, operation: dict[str, Any]) -> Any:
    name = operation.get("op")
    path = _pointer(operation, "path")
    if name in ("add", "replace", "test") and "value" not in operation:
        raise PatchError(f"{name} {operation['path']}: value is missing")
    value = copy.deepcopy(operation.get("value"))
    if name == "add":
        return _add(document, path, value)
    if name == "remove":
        return _remove(document, path)
    if name == "replace":
        return _add(_remove(document, path) if path else document, path, value)
    if name == "test":
        if not _equal(_read(document, path), value):
            raise PatchError(f"test {operation['path']}: the value is another one")
        return document
    if name in ("move", "copy"):
        source = _pointer(operation, "from")
        if name == "move" and path[: len(source)] == source and path != source:
            raise PatchError(f"move {operation['path']}: nothing can move into itself")
        moved = copy.deepcopy(_read(document, source))
        return _add(_remove(document, source) if name == "move" else document, path, moved)
    raise PatchError(f"there is no operation {name!r}")


def _pointer(operation: dict[str, Any], key: str) -> list[str]:
    text = operation.get(key)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError(f"{key} must be a JSON Pointer such as /title, not {text!r}")
    parts = text.split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _read(document: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(document, list):
            document = document[_index(document, part, len(document) - 1)]
        elif isinstance(document, dict) and part in document:
            document = document[part]
        else:
            raise PatchError(f"there is nothing at /{'/'.join(path)}")
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _read(document, path[:-1])
    if isinstance(parent, list):
        last = path[-1]
        parent.insert(len(parent) if last == "-" else _index(parent, last, len(parent)), value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise PatchError(f"there is no object or list at /{'/'.join(path[:-1])}")
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise PatchError("the whole document can't be removed")
    _read(document, path)
    parent = _read(document, path[:-1])
    del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]
    return document


def _index(items: list[Any], part: str, most: int) -> int:
    if not _INDEX.fullmatch(part) or int(part) > most:
        raise PatchError(f"there is no item {part} in a list of {len(items)}")
    return int(part)


def _equal(left: Any, right: Any) -> bool:
    """Equality of JSON, where true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)

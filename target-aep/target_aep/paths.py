r"""Paths of mapping sets: where a value is read in a record, and where it is put in XDM.

Names are joined by dots, a dot inside a name is written `\.`, `[n]` picks an element of a list,
and a whole path may stand in `${...}`. A key of the record that is literally spelled like the
rest of the path wins over a walk, because exports hold flat dotted columns too
(help/data-prep/mapping-set.md and help/data-prep/home.md in AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import re
import typing as t

from target_aep.errors import MappingSetError

Step = str | int
Path = tuple[Step, ...]

Read = t.Callable[[t.Any], t.Any]

MISSING: t.Final = object()

_STEP = re.compile(r"((?:\\+.|[^.\[\]\\])+)?((?:\[\d+\])*)(\.|$)")
_INDEX = re.compile(r"\[(\d+)\]")


def parse_path(text: str) -> Path:
    """Split a path into names and list indexes.

    Args:
        text: The path as a mapping set spells it.

    Returns:
        The steps, names as str and indexes as int.

    Raises:
        MappingSetError: The path is empty, malformed, or uses `[*]`.
    """
    plain = text.strip()
    if plain.startswith("${") and plain.endswith("}"):
        plain = plain[2:-1]
    if "[*]" in plain:
        raise MappingSetError(f"path {text!r}: [*] is not available in this version")
    steps: list[Step] = []
    position, separator = 0, "."
    while position < len(plain):
        match = _STEP.match(plain, position)
        if not match or match.end() == position or not match[1]:
            raise MappingSetError(f"path {text!r}: can't be read from {plain[position:]!r} on")
        steps.append(re.sub(r"\\+(.)", r"\1", match[1]))
        steps.extend(int(index) for index in _INDEX.findall(match[2]))
        position, separator = match.end(), match[3]
    if separator:
        raise MappingSetError(f"path {text!r}: a name is missing")
    return tuple(steps)


def compile_reader(path: Path) -> Read:
    """Compile a path into a function from record to value, MISSING where there is none."""
    steps = [(step, _literal_key(path, position)) for position, step in enumerate(path)]

    def read(record: t.Any) -> t.Any:
        value = record
        for step, literal in steps:
            if isinstance(value, dict):
                if literal in value:
                    return value[literal]
                value = value.get(step, MISSING)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return MISSING
        return value

    return read


def _literal_key(path: Path, position: int) -> str | None:
    """The rest of the path as one key, None where it is one anyway or holds an index."""
    rest = path[position:]
    if len(rest) == 1 or any(isinstance(step, int) for step in rest):
        return None
    return ".".join(map(str, rest))


def put_value(document: dict[str, t.Any], names: tuple[str, ...], value: t.Any) -> None:
    """Put a value at a path of names, making the objects on the way; an object is merged in."""
    for name in names[:-1]:
        document = document.setdefault(name, {})
    last = names[-1]
    if isinstance(value, dict) and isinstance(document.get(last), dict):
        document[last].update(value)
    else:
        document[last] = value

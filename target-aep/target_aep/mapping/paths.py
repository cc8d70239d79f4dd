r"""Paths of mapping sets: where a value is read in a record, and where it is put in XDM.

Names are joined by dots, a dot inside a name is written `\.`, `[n]` picks an element of a list,
`[*]` stands for each, and a whole path or a step of it may stand in `${...}`. A key of the record
that is literally spelled like the next names of the path wins over a walk, the longest first,
because exports hold flat dotted columns too (help/data-prep/mapping-set.md and
help/data-prep/home.md in AdobeDocs/experience-platform.en).
"""

from __future__ import annotations

import re
import typing as t
from enum import Enum
from itertools import takewhile

from target_aep.errors import MappingSetError


class Each(Enum):
    """The step `[*]`."""

    EACH = "[*]"


EACH: t.Final = Each.EACH

Step = str | int
Path = tuple[Step, ...]
WildStep = str | int | t.Literal[Each.EACH]
WildPath = tuple[WildStep, ...]

Read = t.Callable[[t.Any], t.Any]

MISSING: t.Final = object()

MAX_STEPS: t.Final = 64
"""How many names and positions a path may have."""

# A published template or two escape twice; any number of backslashes escapes what follows.
_NAME = re.compile(r"(?:\\+[^\\]|[^.\[\]\\])+", re.DOTALL)
_WRAPPED = re.compile(r"\$\{((?:\\+[^\\]|[^{}\\])+)\}", re.DOTALL)
_POSITIONS = re.compile(r"(?:\[(?:\d{1,9}|\*)\])*", re.ASCII)
_POSITION = re.compile(r"\[(\d+|\*)\]")
_ESCAPE = re.compile(r"\\+(.)", re.DOTALL)


def parse_path(text: str) -> Path:
    """Split a path without `[*]` into names and list indexes.

    Args:
        text: The path as a mapping set spells it.

    Returns:
        The steps, names as str and indexes as int.

    Raises:
        MappingSetError: The path is empty, malformed, or uses `[*]`.
    """
    steps = parse_wild_path(text)
    if EACH in steps:
        raise MappingSetError(f"path {text!r}: [*] has no meaning here, name an element as [0]")
    return t.cast("Path", steps)


def parse_wild_path(text: str, *, keeps_blanks: bool = False) -> WildPath:
    """Split a path into names, list indexes and EACH.

    Args:
        text: The path as a mapping set spells it.
        keeps_blanks: Whether blanks around it are part of its names.

    Returns:
        The steps.

    Raises:
        MappingSetError: The path is empty, malformed or has more than MAX_STEPS steps.
    """
    steps = _read_steps(text, keeps_blanks=keeps_blanks)
    if len(steps) > MAX_STEPS:
        raise MappingSetError(
            f"path {text[:80]!r}…: it has {len(steps)} steps, more than the {MAX_STEPS} that are "
            "possible"
        )
    return steps


def _read_steps(text: str, *, keeps_blanks: bool) -> WildPath:
    plain = text if keeps_blanks else text.strip()
    if plain.startswith("${") and plain.endswith("}") and "}" not in plain[:-1]:
        plain = plain[2:-1]
    steps: list[WildStep] = []
    position = 0
    while True:
        names, position = _read_names(plain, position, text, keeps_blanks=keeps_blanks)
        steps.extend(names)
        positions = t.cast("re.Match[str]", _POSITIONS.match(plain, position))
        steps.extend(
            EACH if spelled == "*" else int(spelled) for spelled in _POSITION.findall(positions[0])
        )
        position = positions.end()
        if position == len(plain):
            return tuple(steps)
        if plain[position] != ".":
            raise MappingSetError(f"path {text!r}: can't be read from {plain[position:]!r} on")
        position += 1


def _read_names(
    plain: str, position: int, text: str, *, keeps_blanks: bool
) -> tuple[WildPath, int]:
    """The names of one step, several where it is a path in `${...}`, and where it ends."""
    wrapped = _WRAPPED.match(plain, position)
    if wrapped and plain[wrapped.end() : wrapped.end() + 1] in ("", ".", "["):
        return _read_steps(wrapped[1], keeps_blanks=keeps_blanks), wrapped.end()
    name = _NAME.match(plain, position)
    if name is None:
        rest = plain[position:]
        problem = f"can't be read from {rest!r} on" if rest else "a name is missing"
        raise MappingSetError(f"path {text!r}: {problem}")
    return (_ESCAPE.sub(r"\1", name[0]),), name.end()


def path_text(path: WildPath) -> str:
    """A path as messages spell it, names as they are: `lines[*].sku`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, str):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{'*' if step is EACH else step}]")
    return "".join(parts)


def compile_reader(path: Path) -> Read:
    """Compile a path into a function from record to value, MISSING where there is none."""
    if len(path) == 1 and isinstance(path[0], str):
        return _reader_of_key(path[0])
    steps = [(step, joined_names(path[position:])) for position, step in enumerate(path)]
    end = len(path)

    def read(record: t.Any) -> t.Any:
        value, position = record, 0
        while position < end:
            step, joined = steps[position]
            if isinstance(value, dict):
                for key, length, wanted in joined:
                    if key in value and isinstance(value[key], wanted):
                        value = value[key]
                        position += length
                        break
                else:
                    value = value.get(step, MISSING)
                    position += 1
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
                position += 1
            else:
                return MISSING
        return value

    return read


def _reader_of_key(key: str) -> Read:
    return lambda record: record.get(key, MISSING) if isinstance(record, dict) else MISSING


def compile_value_reader(path: Path) -> Read:
    """Compile a path into a function from record to value, None where there is none."""
    read = compile_reader(path)

    def read_or_none(record: t.Any) -> t.Any:
        value = read(record)
        return None if value is MISSING else value

    return read_or_none


def joined_names(rest: WildPath) -> tuple[tuple[str, int, type], ...]:
    """The keys that stand for several of the next names of a path, the longest first.

    Args:
        rest: The path from an object on.

    Returns:
        Each key with how many names it stands for, and what its value must be to count: anything
        at the end of the path, else what the next step needs.
    """
    names = list(takewhile(lambda step: isinstance(step, str), rest))
    return tuple(
        (".".join(t.cast("list[str]", names[:length])), length, _wanted(rest[length:]))
        for length in range(len(names), 1, -1)
    )


def _wanted(rest: WildPath) -> type:
    if not rest:
        return object
    return dict if isinstance(rest[0], str) else list


def put_value(document: dict[str, t.Any], names: tuple[str, ...], value: t.Any) -> None:
    """Put a value at a path of names, making the objects on the way; an object is merged in."""
    *above, last = names
    for name in above:
        below = document.get(name)
        document = document.setdefault(name, {}) if below is None else below
    if last in document and isinstance(value, dict) and isinstance(document[last], dict):
        document[last].update(value)
    else:
        document[last] = value

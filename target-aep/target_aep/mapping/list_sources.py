"""Values of paths with `[*]`: one for each element, with the positions that it was found at."""

from __future__ import annotations

import typing as t

from target_aep.mapping.paths import EACH, MISSING, compile_reader, path_text
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_aep.mapping.paths import Path, Read, WildPath

Positions = tuple[int, ...]
Found = tuple[Positions, t.Any]


def compile_iterator(path: WildPath) -> Callable[[t.Any], Iterator[Found]]:
    """Compile a path into a function from record to positions and values.

    There is one position for each `[*]`. An element without a value gives none. The function
    raises UnconvertibleError where something other than a list stands before `[*]`.
    """
    parts = _parts(path)
    readers = [compile_reader(part) for part in parts]
    lists = [path_text(path[:position]) for position, step in enumerate(path) if step is EACH]

    def find(value: t.Any, depth: int, positions: Positions) -> Iterator[Found]:
        found = readers[depth](value)
        if found is MISSING or found is None:
            return
        if depth == len(lists):
            yield positions, found
            return
        if not isinstance(found, list):
            raise UnconvertibleError(f"{lists[depth]} is not a list, which [*] needs")
        for position, item in enumerate(found):
            yield from find(item, depth + 1, (*positions, position))

    return lambda record: find(record, 0, ())


def compile_collector(path: WildPath, kept: int) -> Callable[[t.Any], Iterator[Found]]:
    """Compile a path into a function that collects its values in lists.

    Args:
        path: With more than `kept` times `[*]`.
        kept: How many positions stay apart; what is found below the same ones is one flat list.
    """
    iterate = compile_iterator(path)

    def collect(record: t.Any) -> Iterator[Found]:
        lists: dict[Positions, list[t.Any]] = {}
        for positions, value in iterate(record):
            lists.setdefault(positions[:kept], []).append(value)
        yield from lists.items()

    return collect


def compile_list_reader(path: WildPath) -> Read:
    """Compile a path with `[*]` into a function from record to one flat list, None if empty."""
    collect = compile_collector(path, kept=0)
    return lambda record: next((values for _, values in collect(record)), None)


def _parts(path: WildPath) -> list[Path]:
    """The path cut at each `[*]`."""
    parts: list[list[t.Any]] = [[]]
    for step in path:
        if step is EACH:
            parts.append([])
        else:
            parts[-1].append(step)
    return [tuple(part) for part in parts]

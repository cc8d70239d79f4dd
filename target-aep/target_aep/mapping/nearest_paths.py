"""The path of a schema that somebody may have meant."""

from __future__ import annotations

import difflib
import typing as t
from functools import lru_cache
from itertools import islice

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.xdm.schema import XdmField

_MOST = 20_000
_MOST_COMPARED = 3_000
_DEEPEST = 20


def nearest_path(wanted: str, schema: XdmField) -> str | None:
    """The path of a schema that is spelled most like another.

    Fields that have the wanted one's name, or stand beside where it would be, come before others.

    Args:
        wanted: A path that the schema does not have, names joined by dots.
        schema: The root field.

    Returns:
        A path, lists in it as `[*]`; None if none is near.
    """
    paths = _all_paths(_ById(schema))
    above, _, name = wanted.rpartition(".")
    likely = [path for path in paths if _leaf(path) == name.lower() or _above(path) == above]
    for candidates, cutoff in ((likely, 0.5), (paths[:_MOST_COMPARED], 0.6)):
        near = difflib.get_close_matches(wanted, candidates, n=1, cutoff=cutoff)
        if near:
            return near[0]
    return None


def _leaf(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _above(path: str) -> str:
    return path.rpartition(".")[0]


class _ById:
    """A schema as a key of the cache: the same object is the same schema."""

    def __init__(self, schema: XdmField) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.schema is self.schema


@lru_cache(maxsize=4)
def _all_paths(key: _ById) -> tuple[str, ...]:
    return tuple(islice(_paths(key.schema, "", 0), _MOST))


def _paths(field: XdmField, above: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if field.kind == "array" and field.items:
        yield from _paths(field.items, f"{above}[*]", depth + 1)
    for name, part in field.properties.items():
        path = f"{above}.{name}" if above else name
        yield path
        yield from _paths(part, path, depth + 1)

"""Functions of maps: help/data-prep/functions.md, "Hierarchies - Map" and the map rows before it.

A map is an object whose names are data. Names that are not text are taken as their text.
"""

from __future__ import annotations

import typing as t

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.functions.equality import equal, value_key
from target_aep.data_prep.functions.pairs import pairs_of
from target_aep.data_prep.java_text import text_of

if t.TYPE_CHECKING:
    from target_aep.data_prep.function import Value

CATEGORY = Category("Hierarchies - Map")

Map = dict[str, t.Any]

_MOST_COMPARISONS = 1_000_000


@CATEGORY.define("map_get_values(MAP: object, KEY: any) -> any")
def map_get_values(values: Map, key: Value) -> Value:
    """What a map has by a name; of an array of names all that it has by them, each once."""
    if key is None:
        return None
    if not isinstance(key, list):
        return values.get(text_of(key))
    return _distinct([values[name] for name in map(text_of, key) if name in values])


def _distinct(values: list[Value]) -> list[Value]:
    seen: dict[t.Hashable, list[Value]] = {}
    kept, comparisons = [], 0
    for value in values:
        alike = seen.setdefault(value_key(value), [])
        comparisons += len(alike)
        if comparisons > _MOST_COMPARISONS:
            raise EvaluationError("map_get_values: too many values")
        if not any(equal(value, other) for other in alike):
            alike.append(value)
            kept.append(value)
    return kept


@CATEGORY.define("map_has_keys(MAP: object, KEY: any) -> boolean")
def map_has_keys(values: Map, key: Value) -> bool:
    """Whether a map has a name, or any of an array of names."""
    keys = key if isinstance(key, list) else [key]
    return any(text_of(name) in values for name in keys if name is not None)


@CATEGORY.define("add_to_map(MAP: object|null, MAPS: object+) -> object")
def add_to_map(*maps: Map | None) -> Map | None:
    """All that several maps have; of a name that comes twice the first value stays."""
    present = [values for values in maps if values is not None]
    return (
        {name: value for values in reversed(present) for name, value in values.items()}
        if present
        else None
    )


@CATEGORY.define("object_to_map(ARGS: any+) -> object")
def object_to_map(*inputs: Value) -> Map | None:
    """Make a map of names and values in turn, of an object, or of objects and their key's name."""
    first = inputs[0]
    if len(inputs) == 1 and isinstance(first, dict):
        return dict(first)
    if first is None and len(inputs) <= len(("objects", "key")):
        return None
    if isinstance(first, list):
        if len(inputs) != len(("objects", "key")):
            raise EvaluationError("object_to_map: objects are followed by the name of their key")
        return None if inputs[1] is None else array_to_map(first, text_of(inputs[1]))
    return dict(pairs_of("object_to_map", inputs))


@CATEGORY.define("array_to_map(INPUT: array, KEY: text) -> object")
def array_to_map(objects: list[Value], key: str) -> Map:
    """Make a map of objects by what each has by a name.

    Those that have nothing there are left out, and of several with the same the last one stays.
    """
    if not all(value is None or isinstance(value, dict) for value in objects):
        raise EvaluationError("array_to_map: INPUT has elements that are no objects")
    keyed = [(value.get(key), value) for value in objects if value is not None]
    return {text_of(name): value for name, value in keyed if name is not None}


@CATEGORY.define("to_map(INPUT: any+) -> object")
def to_map(*inputs: Value) -> Map | None:
    """Make a map of names and values in turn; null of null."""
    return None if inputs == (None,) else dict(pairs_of("to_map", inputs))

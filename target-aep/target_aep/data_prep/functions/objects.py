"""Functions of objects: help/data-prep/functions.md, "Hierarchies - Objects"."""

from __future__ import annotations

import typing as t
from functools import lru_cache

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.functions.equality import equal
from target_aep.data_prep.functions.pairs import pairs_of
from target_aep.data_prep.functions.strings import WHITE_SPACE
from target_aep.data_prep.java_text import text_of
from target_aep.data_prep.limits import MADE_ELEMENTS
from target_aep.errors import MappingSetError
from target_aep.mapping.paths import MISSING, compile_reader, parse_path

if t.TYPE_CHECKING:
    from target_aep.data_prep.function import Value
    from target_aep.mapping.paths import Read

CATEGORY = Category("Hierarchies - Objects")

_OBJECT_SIZE = 8
"""What an object takes beside what is in it, in elements of a list."""


@CATEGORY.define("is_empty(INPUT: any) -> boolean")
def is_empty(value: Value) -> bool:
    """Whether there is nothing in a value: null, or a text, array or object of length 0."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


@CATEGORY.define("arrays_to_objects(INPUT: any+) -> array", "arrays_to_object")
def arrays_to_objects(*inputs: Value) -> list[Value] | None:
    """Make objects of parallel arrays: the n-th one has the n-th element of each, by its name.

    There are as many as the longest array has elements; what a shorter one lacks is left out.
    """
    arrays = {
        name: array for name, array in pairs_of("arrays_to_objects", inputs) if array is not None
    }
    if not all(isinstance(array, list) for array in arrays.values()):
        raise EvaluationError("arrays_to_objects: what follows a name is not an array")
    if not arrays:
        return None
    longest = max(map(len, arrays.values()))
    if sum(map(len, arrays.values())) + _OBJECT_SIZE * longest > MADE_ELEMENTS:
        raise EvaluationError("arrays_to_objects: the arrays have too many elements")
    return [
        {name: array[index] for name, array in arrays.items() if index < len(array)}
        for index in range(longest)
    ]


@CATEGORY.define("to_object(INPUT: any+) -> object", form="to_object")
def to_object(*inputs: Value) -> dict[str, Value]:
    """Make an object of names and values in turn."""
    return dict(pairs_of("to_object", inputs))


@CATEGORY.define(
    "str_to_object(STRING: text, VALUE_DELIMITER: text?, FIELD_DELIMITER: text?) -> object"
)
def str_to_object(
    text: str, value_delimiter: str | None = None, field_delimiter: str | None = None
) -> dict[str, str | None]:
    """Read an object from text such as `a:1,b:2`; white space around names and values is dropped.

    A piece without a delimiter is a name without a value, one without a name is left out.
    """
    delimiter = value_delimiter or ":"
    fields: dict[str, str | None] = {}
    for piece in text.split(field_delimiter or ","):
        name, found, value = piece.partition(delimiter)
        if name := name.strip(WHITE_SPACE):
            fields[name] = value.strip(WHITE_SPACE) if found else None
    return fields


@CATEGORY.define(
    "get_values(STRING: text, KEY: text, VALUE_DELIMITER: text|null, "
    "FIELD_DELIMITER: text?) -> text"
)
def get_values(
    text: str, key: str, value_delimiter: str | None, field_delimiter: str | None = None
) -> str | None:
    """The value of one name in text such as `a:1,b:2`."""
    return str_to_object(text, value_delimiter, field_delimiter).get(key.strip(WHITE_SPACE))


@CATEGORY.define("get(OBJECT: any, KEY: any) -> any", is_method=True)
def get(value: Value, key: Value) -> Value:
    """What an object has by a name, or an array at an index; null where it has none."""
    if value is None:
        return None
    if isinstance(value, dict):
        return value.get(text_of(key))
    if isinstance(value, list) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if 0 <= key < len(value) else None
    raise EvaluationError("get: neither an object nor an array with an index")


@CATEGORY.define("equals(STRING1: any, STRING2: any) -> boolean", is_method=True, form="equals")
def equals(value: Value, other: Value) -> bool | None:
    """Whether two values are equal and of one type; null where there is none to ask."""
    return None if value is None else equal(value, other)


@CATEGORY.define("equalsIgnoreCase(STRING1: text, STRING2: text|null) -> boolean", is_method=True)
def equals_ignore_case(text: str, other: str | None) -> bool:
    """Whether two texts are equal but for upper and lower case."""
    return other is not None and text.upper().lower() == other.upper().lower()


@lru_cache(maxsize=512)
def _reader(path: str) -> Read:
    try:
        return compile_reader(parse_path(path))
    except MappingSetError as error:
        raise EvaluationError(f"contains_key: {error}") from None


@CATEGORY.define("contains_key(INPUT: text) -> boolean", needs_record=True)
def contains_key(record: Value, path: str) -> bool:
    """Whether the record has a path, even if what is there is null."""
    return _reader(path)(record) is not MISSING


CATEGORY.define(
    "is_set(INPUT: text) -> boolean",
    needs_record=True,
    caveat="is_set is deprecated; its name is now contains_key",
)(contains_key)


@CATEGORY.define("nullify() -> any")
def nullify() -> None:
    """Null, so that nothing is copied."""


@CATEGORY.define("get_keys(OBJECT: object) -> array")
def get_keys(value: dict[str, Value]) -> list[str]:
    """The names of what an object or map has."""
    return list(value)

"""Methods of Java's texts and collections that expressions may call beside Adobe's three.

JEXL would allow every public method; these are the ones that are safe and mean here what they mean
in Java. Adobe documents `equals`, `equalsIgnoreCase` and `get` (among the functions).
"""

from __future__ import annotations

import typing as t

from target_aep.data_prep import java_regex
from target_aep.data_prep.comparison import matches as is_member
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.function import Function, Kind, Parameter
from target_aep.data_prep.java_text import (
    MOST_CHARACTERS,
    bounded,
    character_index,
    text_of,
    unit_index,
    unit_length,
    unit_slice,
)
from target_aep.data_prep.numeric import is_number, type_name

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_aep.data_prep.function import Value

_BLANKS = "".join(map(chr, range(0x21)))


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise EvaluationError(f"expected a text, not {type_name(value)}")


def _index(value: Value) -> int:
    if is_number(value) and isinstance(value, int):
        return value
    raise EvaluationError(f"expected an integer, not {type_name(value)}")


def _collection(value: Value) -> list[Value] | dict[str, Value]:
    if isinstance(value, (list, dict)):
        return value
    raise EvaluationError(f"expected an array or an object, not {type_name(value)}")


def _contains(value: Value, part: Value) -> bool:
    if isinstance(value, str):
        return _text(part) in value
    return is_member([part], _collection(value)) if isinstance(value, list) else _refuse(value)


def _refuse(value: Value) -> t.Any:
    raise EvaluationError(f"expected a text or an array, not {type_name(value)}")


def _contains_key(value: Value, key: Value) -> bool:
    if isinstance(value, dict):
        return key is not None and text_of(key) in value
    raise EvaluationError(f"expected an object, not {type_name(value)}")


def _is_empty(value: Value) -> bool:
    return not (value if isinstance(value, str) else _collection(value))


def _index_of(value: Value, part: Value, start: Value = 0) -> int:
    text = _text(value)
    found = text.find(_text(part), character_index(text, max(_index(start), 0)))
    return unit_index(text, found) if found >= 0 else -1


def _substring(value: Value, begin: Value, end: Value = None) -> str:
    text = _text(value)
    length = unit_length(text)
    first, last = _index(begin), length if end is None else _index(end)
    if not 0 <= first <= last <= length:
        raise EvaluationError(f"the text of {length} characters has none from {first} to {last}")
    return unit_slice(text, first, last)


def _replace(value: Value, old: Value, new: Value) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    if len(text) + text.count(before) * len(after) > MOST_CHARACTERS:
        raise EvaluationError("the text would be longer than 1 MiB")
    return text.replace(before, after)


def _method(
    name: str, returns: Kind, call: Callable[..., Value], *required: Kind, last: Kind | None = None
) -> Function:
    parameters = [Parameter("the value")]
    parameters += [Parameter(kind.upper(), kind) for kind in required]
    if last:
        parameters.append(Parameter(last.upper(), last, required=False))
    return Function(name, "method", tuple(parameters), returns, call, is_method=True)


METHODS: Mapping[str, Function] = {
    method.name: method
    for method in (
        _method("concat", "text", lambda value, end: bounded(_text(value) + _text(end)), "text"),
        _method("contains", "boolean", _contains, "any"),
        _method("containsKey", "boolean", _contains_key, "any"),
        _method(
            "endsWith", "boolean", lambda value, end: _text(value).endswith(_text(end)), "text"
        ),
        _method("indexOf", "integer", _index_of, "text", last="integer"),
        _method("isEmpty", "boolean", _is_empty),
        _method("length", "integer", lambda value: unit_length(_text(value))),
        _method(
            "matches",
            "boolean",
            lambda value, pattern: java_regex.matches(_text(pattern), _text(value)),
            "text",
        ),
        _method("replace", "text", _replace, "text", "text"),
        _method("size", "integer", lambda value: len(_collection(value))),
        _method(
            "startsWith",
            "boolean",
            lambda value, start: _text(value).startswith(_text(start)),
            "text",
        ),
        _method("substring", "text", _substring, "integer", last="integer"),
        _method("toLowerCase", "text", lambda value: _text(value).lower()),
        _method("toString", "text", text_of),
        _method("toUpperCase", "text", lambda value: bounded(_text(value).upper())),
        _method("trim", "text", lambda value: _text(value).strip(_BLANKS)),
    )
}
"""By name; the first argument is what stands before the dot."""

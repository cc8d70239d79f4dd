"""Values of properties as the map of text has them: JSON."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import msgspec

from target_aep.loading.json_lines import json_text
from target_aep.xdm.coercion import has_value

_encode: t.Final = msgspec.json.Encoder(decimal_format="number").encode
_PLAIN: t.Final = frozenset({str, int, bool, type(None)})
_TEXT: t.Final = frozenset({str})


def property_text(value: t.Any) -> str:
    """A value as `json_text` has it, much faster for what JSON can be read as.

    Floats are left to `json_text`: others write their exponents in another way.
    """
    if value.__class__ is Decimal:
        return str(value) if value.is_finite() else json_text(value)
    if not _is_plain(value):
        return json_text(value)
    try:
        return _encode(value).decode()
    except (UnicodeEncodeError, ValueError, RecursionError):
        return json_text(value)


def spell_as_texts(properties: dict[str, t.Any]) -> None:
    """Replace values by their texts, and take out those that are nothing.

    Args:
        properties: By name; they are changed.
    """
    nothing: list[str] = []
    for name, value in properties.items():  # values are replaced on the way: no name comes or goes
        kind = value.__class__
        if kind is str:
            if not value:
                nothing.append(name)
        elif kind is bool:
            properties[name] = "true" if value else "false"
        elif kind is int or (kind is Decimal and value.is_finite()):
            properties[name] = str(value)
        elif not has_value(value):
            nothing.append(name)
        else:
            properties[name] = value if isinstance(value, str) else property_text(value)
    for name in nothing:
        del properties[name]


def _is_plain(value: t.Any) -> bool:
    kind = value.__class__
    if kind in _PLAIN:
        return True
    if kind is dict:
        if not _TEXT.issuperset(map(type, value)):
            return False
        value = value.values()
    elif kind is not list:
        return kind is Decimal and t.cast("Decimal", value).is_finite()
    return _PLAIN.issuperset(map(type, value)) or all(map(_is_plain, value))

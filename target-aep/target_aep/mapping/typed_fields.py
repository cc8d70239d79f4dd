"""The typed fields that properties may fill: one of their own, and its siblings of other types."""

from __future__ import annotations

import functools
import re
import typing as t

from target_aep.mapping.field_names import (
    SIBLING_KINDS,
    matching_field,
    owners_of,
    sibling_kinds,
    typed_sibling,
)
from target_aep.provisioning.value_kinds import kind_of
from target_aep.xdm.coercion import OMITTED
from target_aep.xdm.exact_coercion import compile_exact_coercer
from target_aep.xdm.scalar_coercion import takes_any_text
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.xdm.scalar_coercion import Coercer
    from target_aep.xdm.schema import XdmField

_SIBLING = re.compile(rf"_(?:{'|'.join(SIBLING_KINDS)})_[0-9a-f]+\Z")
_FITTING: t.Final = {
    "boolean": ("boolean", "string"),
    "integer": ("integer", "number", "string"),
    "number": ("number", "string"),
    "large": ("string",),
    "string": ("string",),
    "date-time": ("string",),
    "object": ("object",),
    "array": ("array",),
}
"""The siblings that a value may go to, by its kind: none of them changes what it says."""


class Place(t.NamedTuple):
    """Where the values of a property may go.

    Attributes:
        field: The field of its own; None if the schema has none.
        coerce: Converts a value to that field.
        as_it_is: The type of values that it takes as they are, but for the empty text; None if
            there is none.
        siblings: Fields for values of other types, with their conversions, by kind.
    """

    field: str | None
    coerce: Coercer
    as_it_is: type | None
    siblings: Mapping[str, tuple[str, Coercer]]

    def aside(self, value: t.Any) -> tuple[str, t.Any] | None:
        """The sibling that takes a value, and what becomes of it there; None if none does."""
        if not self.siblings:
            return None
        for kind in _FITTING[kind_of(value)]:
            name, coerce = self.siblings.get(kind, ("", None))
            converted = _converted(coerce, value) if coerce else OMITTED
            if converted is not OMITTED:
                return name, converted
        return None

    def takes(self, value: t.Any, *, in_own: bool) -> bool:
        """Whether a field here takes a value.

        Args:
            value: Neither null nor empty.
            in_own: Whether the property's own field counts.
        """
        is_own = in_own and self.field and _converted(self.coerce, value) is not OMITTED
        return bool(is_own) or self.aside(value) is not None


class TypedFields:
    """Finds the fields of properties; each property is looked up once."""

    def __init__(self, fields: Mapping[str, XdmField]) -> None:
        """Keep the fields of the object that holds typed properties, by their names."""
        self._fields = fields
        self._owners = owners_of(fields)
        self._has_siblings = any(map(_SIBLING.search, fields))
        self.place = functools.lru_cache(maxsize=10_000)(self._find)

    def _find(self, name: str) -> Place | None:
        field = matching_field(name, self._fields, self._owners)
        kinds = sibling_kinds(name, self._fields, self._owners) if self._has_siblings else ()
        if field is None and not kinds:
            return None
        return Place(
            field,
            compile_exact_coercer(self._fields[field]) if field else _nothing,
            _taken_as_it_is(self._fields[field]) if field else None,
            {kind: self._with_coercer(typed_sibling(name, kind)) for kind in kinds},
        )

    def _with_coercer(self, field: str) -> tuple[str, Coercer]:
        return field, compile_exact_coercer(self._fields[field])


def _taken_as_it_is(field: XdmField) -> type | None:
    if field.kind == "boolean":
        return bool
    return str if takes_any_text(field) else None


def _nothing(_value: t.Any) -> t.Any:
    return OMITTED


def _converted(coerce: Coercer, value: t.Any) -> t.Any:
    try:
        return coerce(value)
    except UnconvertibleError:
        return OMITTED

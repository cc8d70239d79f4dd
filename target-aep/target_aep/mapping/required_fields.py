"""Fields that the schema requires of objects within a record, wherever those were put together."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.xdm.schema import XdmField


class Required(t.NamedTuple):
    """What an object requires, and what the objects and lists in it require of theirs."""

    names: tuple[str, ...] = ()
    below: Mapping[str, Required] = MappingProxyType({})
    items: Required | None = None


_NOTHING = Required()


def required_below(field: XdmField) -> Required:
    """What is required below a field; of its own fields only those within objects and lists."""
    return _required(field)._replace(names=())


def missing_required(value: t.Any, required: Required) -> str | None:
    """The path of the first required field that is missing in a value, None if none is."""
    if required.items is not None and isinstance(value, list):
        for index, item in enumerate(value):
            missing = missing_required(item, required.items)
            if missing:
                return f"[{index}].{missing}"
    if not isinstance(value, dict):
        return None
    for name in required.names:
        if name not in value:
            return name
    for name, part in required.below.items():
        if name in value:
            missing = missing_required(value[name], part)
            if missing:
                return f"{name}{'' if missing.startswith('[') else '.'}{missing}"
    return None


def _required(field: XdmField) -> Required:
    if field.kind == "array":
        items = _required(field.items) if field.items else _NOTHING
        return Required(items=None if items == _NOTHING else items)
    if field.kind != "object":
        return _NOTHING
    parts = {name: _required(part) for name, part in field.properties.items()}
    below = {name: part for name, part in parts.items() if part != _NOTHING}
    return Required(field.required, below)


def unfilled_required(
    schema: XdmField | None, compiled: Iterable[CompiledMapping], *, has_identities: bool
) -> Iterator[str]:
    """A warning for each root field that the schema requires and no mapping fills.

    Args:
        schema: The dataset's schema, None if it is not known.
        compiled: All mappings of the set.
        has_identities: Whether `identityMap` is filled beside them.
    """
    filled = {each.steps[0] for each in compiled}
    for name in schema.required if schema else ():
        if name not in filled and not (name == "identityMap" and has_identities):
            yield (
                f"no mapping fills {name}, which the dataset's schema requires: every record will "
                "be rejected"
            )

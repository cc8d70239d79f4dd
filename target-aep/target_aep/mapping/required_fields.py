"""Fields that the schema requires of objects within a record, wherever those were put together."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from target_aep.mapping.destination_paths import field_at
from target_aep.mapping.paths import parse_path, path_text

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.model import Remainder
    from target_aep.mapping.paths import WildPath
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


def required_of(required: Required, paths: Iterable[WildPath]) -> Required:
    """What is required of objects that may be in a row at all.

    Args:
        required: Of the row, or of an object in it.
        paths: What is filled, from there on; anything may be below the end of a path.
    """
    by_name: dict[t.Any, list[WildPath]] = {}
    for path in paths:
        if not path or required.items:
            return required
        by_name.setdefault(path[0], []).append(path[1:])
    parts = {
        name: required_of(part, by_name[name])
        for name, part in required.below.items()
        if name in by_name
    }
    return Required(
        required.names, {name: part for name, part in parts.items() if part != _NOTHING}
    )


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


class Unfilled(t.NamedTuple):
    """A field that the schema requires and that nothing fills.

    Attributes:
        path: The field.
        above: The object that requires it; empty for the row itself.
        is_certain: Whether every record gets that object, as far as that can be told: something
            in it comes from a column or a constant.
    """

    path: str
    above: str
    is_certain: bool

    def __str__(self) -> str:
        """As a warning."""
        place, records = ("", "record") if not self.above else (f" in {self.above}", "")
        records = records or f"record with a value in {self.above}"
        return (
            f"no mapping fills {self.path}, which the dataset's schema requires{place}: every "
            f"{records} will be rejected"
        )


def unfilled_fields(
    schema: XdmField | None,
    compiled: Iterable[CompiledMapping],
    rule: Remainder | None,
    *,
    has_identities: bool,
) -> Iterator[Unfilled]:
    """The fields that the schema requires and that nothing fills.

    Of the objects in a row, those count that mappings put something into: what is required in
    others does not matter. One that is copied as a whole may have anything in it.

    Args:
        schema: The dataset's schema, None if it is not known.
        compiled: All mappings of the set.
        rule: Where properties without a mapping go; None for nowhere.
        has_identities: Whether `identityMap` is filled beside them.
    """
    if schema is None:
        return
    mappings = [each for each in compiled if field_at(schema, each.steps) is not None]
    others = [parse_path(path) for path in (rule.fields, rule.rest)] if rule else []
    if has_identities:
        others.append(("identityMap",))
    filled: list[WildPath] = [*(each.steps for each in mappings), *others]
    objects = [(), *(path[:length] for path in filled for length in range(1, len(path)))]
    for above in dict.fromkeys(objects):
        field = field_at(schema, above)
        if field is None or any(_begins(above, path) for path in filled):
            continue
        for name in field.required:
            if not any(_begins(path, (*above, name)) for path in filled):
                yield Unfilled(
                    path_text((*above, name)),
                    path_text(above),
                    any(_is_certain(each) and _begins(each.steps, above) for each in mappings)
                    or not above,
                )


def unfilled_required(
    schema: XdmField | None,
    compiled: Iterable[CompiledMapping],
    rule: Remainder | None = None,
    *,
    has_identities: bool,
) -> Iterator[str]:
    """A warning for each of `unfilled_fields`, which tells of the arguments."""
    return map(str, unfilled_fields(schema, compiled, rule, has_identities=has_identities))


def _begins(path: WildPath, start: WildPath) -> bool:
    """Whether a path is another one or leads below it; any position of a list counts as any."""
    return len(path) >= len(start) and all(
        step == other or not (isinstance(step, str) or isinstance(other, str))
        for step, other in zip(path, start, strict=False)
    )


def _is_certain(mapping: CompiledMapping) -> bool:
    reads = mapping.source.reads
    return not reads or any(len(path) == 1 for path in reads)

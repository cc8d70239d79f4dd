"""The tenant's own fields that a mapping set fills, typed by the tap's schema and by samples."""

from __future__ import annotations

import functools
import typing as t

from target_aep.data_prep.evaluation import Evaluation
from target_aep.mapping.compiled_mapping import compile_mappings
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.provisioning.field_group import put_node
from target_aep.provisioning.json_schema_types import LONG, node_of_json_schema, schema_at
from target_aep.provisioning.property_types import ITEMS, SeenTypes
from target_aep.xdm.schema import STANDARD_ROOTS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.model import MappingSet
    from target_aep.mapping.paths import WildPath
    from target_aep.provisioning.tap_input import StreamSample

Resource = dict[str, t.Any]

_TEXT: t.Final[Resource] = {"type": "string"}
_KNOWN_TYPES: t.Final[dict[str, Resource]] = {
    "mp_api_timestamp_ms": LONG,
    "mp_processing_time_ms": LONG,
    "import": {"type": "boolean"},
}
"""Columns of `tap-mixpanel-export` that are no text; see its `events_schema.py`."""

_SHAPES: t.Final = frozenset({"object", "array"})


def tenant_fields(
    sample: StreamSample, mapping_set: MappingSet, tenant: str, policies: Policies
) -> Resource | None:
    """The definition of the tenant's object, as far as a mapping set fills it.

    A field has the type that the tap's schema gives its source, else the type of the sample's
    values, else, in the built-in set `mixpanel`, that of the tap's column, else it is text. What
    the remainder rule fills is not in it.

    Args:
        sample: The stream.
        mapping_set: With the tenant's id in it.
        tenant: The tenant, without underscore.
        policies: How expressions are read.

    Returns:
        A definition of an object; None if the set fills no field of the tenant.
    """
    compiled, _ = compile_mappings(mapping_set, policies, Evaluation())
    own = [each for each in compiled if each.steps[0] == f"_{tenant}"]
    if not own:
        return None
    seen = _seen_values(sample, mapping_set, own, policies)
    root: Resource = {"type": "object"}
    # Objects that are copied whole come first: fields below them are put into them.
    for mapping in sorted(own, key=lambda each: len(each.steps)):
        known = _known_type(mapping, mapping_set)
        node = _node(mapping, sample.schema, seen[mapping.number], known)
        put_node(root, _field_path(mapping.steps), node)
    definition: Resource = root["properties"][f"_{tenant}"]
    return definition


def _seen_values(
    sample: StreamSample,
    mapping_set: MappingSet,
    mappings: Sequence[CompiledMapping],
    policies: Policies,
) -> dict[int, SeenTypes]:
    """What the sample's records become at the destination of each mapping, by its number."""
    seen = {each.number: SeenTypes() for each in mappings}
    mapper = RecordMapper(mapping_set, None, policies=policies)
    mapper.learn_columns(sample.schema)
    for record in sample.records:
        try:
            xdm = mapper.map(record)
        except RejectedRecordError:
            continue
        for mapping in mappings:
            for value in _values_at(xdm, mapping.steps):
                seen[mapping.number].observe(value)
    return seen


def _values_at(value: t.Any, steps: WildPath) -> Iterator[t.Any]:
    if not steps:
        yield value
        return
    step, below = steps[0], steps[1:]
    if isinstance(step, str):
        if isinstance(value, dict) and step in value:
            yield from _values_at(value[step], below)
    elif isinstance(value, list):
        for item in value:
            yield from _values_at(item, below)


def untyped_columns(sample: StreamSample, mapping_set: MappingSet, policies: Policies) -> list[str]:
    """The sources of the tenant's fields whose type nothing tells, so that they are text.

    Args:
        sample: The stream; without any record there is nothing to tell.
        mapping_set: With the tenant's id in it.
        policies: How expressions are read.
    """
    compiled, _ = compile_mappings(mapping_set, policies, Evaluation())
    own = [each for each in compiled if _is_of_tenant(each) and each.source.constant is None]
    if not sample.records or not own:
        return []
    seen = _seen_values(sample, mapping_set, own, policies)
    return sorted(
        {
            each.mapping.source
            for each in own
            if not seen[each.number].total
            and _told(each, sample.schema) is None
            and _known_type(each, mapping_set) is None
        }
    )


def knows_columns(mapping_set: MappingSet) -> bool:
    """Whether the types of what a mapping set reads are known without any SCHEMA or record."""
    return bool(_columns_of(mapping_set.name))


def _is_of_tenant(mapping: CompiledMapping) -> bool:
    root = str(mapping.steps[0])
    return root.startswith("_") and root not in STANDARD_ROOTS


def _known_type(mapping: CompiledMapping, mapping_set: MappingSet) -> Resource | None:
    """The type of a column that the built-in set for Mixpanel reads; None for other sets."""
    path, name = mapping.source.path, mapping.mapping.source
    if path is None or len(path) != 1 or name not in _columns_of(mapping_set.name):
        return None
    return _KNOWN_TYPES.get(name, _TEXT)


@functools.lru_cache(maxsize=1)
def _columns_of(name: str) -> frozenset[str]:
    """What a set of that name reads, if it is the built-in one for Mixpanel."""
    built_in = load_mapping_set("mixpanel")
    return frozenset(each.source for each in built_in.mappings if name == built_in.name)


def _told(mapping: CompiledMapping, schema: Resource) -> Resource | None:
    if mapping.source.path is None or mapping.collects:
        return None
    return node_of_json_schema(schema_at(schema, mapping.source.path))


def _node(
    mapping: CompiledMapping, schema: Resource, seen: SeenTypes, known: Resource | None
) -> Resource:
    found = _told(mapping, schema) or seen.to_node() or (known if not seen.total else None)
    found = found or _untyped(seen)
    return {**found, "title": str(mapping.steps[-1])} if _is_named(mapping) else dict(found)


def _untyped(seen: SeenTypes) -> Resource:
    """What has no type in XDM keeps its shape, to be refused; what was not seen is text."""
    families = seen.families()
    if not seen.total:
        return _TEXT
    return (
        {"type": family}
        if (family := max(families, key=families.__getitem__)) in _SHAPES
        else _TEXT
    )


def _is_named(mapping: CompiledMapping) -> bool:
    return isinstance(mapping.steps[-1], str)


def _field_path(steps: Iterable[t.Any]) -> tuple[str, ...]:
    return tuple(step if isinstance(step, str) else ITEMS for step in steps)

"""Fields for the properties that no mapping places, by what the sample has of them."""

from __future__ import annotations

import typing as t

from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.provisioning.field_group import Addition
from target_aep.provisioning.property_fields import PropertyCensus, propose_fields
from target_aep.provisioning.tenant_fields import untyped_columns

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.provisioning.field_group import FieldPath
    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.wishes import DatasetWish, StreamWish
    from target_aep.xdm.schema import XdmField


def sampled_properties(
    plan: Plan, wish: DatasetWish, schema: XdmField, tenant: str
) -> list[Addition]:
    """Map the samples into a schema, and propose fields for what finds no typed place.

    Args:
        plan: Gets notes of what the samples show.
        wish: The streams with their samples.
        schema: The dataset's schema with all that mappings need.
        tenant: The tenant, without underscore.

    Raises:
        MappingMistakesError: A mapping set can't be used with the schema.
    """
    censuses: dict[tuple[str, ...], PropertyCensus] = {}
    for stream in wish.streams:
        paths = stream.remainder_paths()
        census = censuses.setdefault(paths[0], PropertyCensus()) if paths else None
        _map_sample(plan, stream, schema, census, _primary_fields(stream, tenant))
        unseen = untyped_columns(stream.sample, stream.mapping_set, stream.policies)
        plan.notes += [
            f"stream {stream.sample.stream}: no value of {name} was seen: planned as string, where "
            "the schema has no field for it yet"
            for name in unseen
        ]
    additions: list[Addition] = []
    for fields, census in censuses.items():
        proposals = propose_fields(census, schema.find(fields))
        additions += [
            Addition(fields + each.path, each.node, _about(each.property, each.reason))
            for each in proposals.fields
        ]
        plan.notes += [
            f"property {each.property!r} stays in the map: {each.why}" for each in proposals.kept
        ]
    return additions


def _primary_fields(stream: StreamWish, tenant: str) -> list[FieldPath]:
    """The fields that a descriptor makes the primary identity, which each row has to have."""
    if stream.has_identity_map:
        return []
    fields = stream.identity_fields(tenant)
    return [each.path for each in fields if each.identity.primary and each.path]


def _map_sample(
    plan: Plan,
    stream: StreamWish,
    schema: XdmField,
    census: PropertyCensus | None,
    needed: Sequence[FieldPath],
) -> None:
    identities = stream.identities if stream.has_identity_map else ()
    mapper = RecordMapper(
        stream.mapping_set, schema, identities, policies=stream.policies, census=census
    )
    mapper.learn_columns(stream.sample.schema)
    rejected: list[str] = []
    for record in stream.sample.records:
        try:
            xdm = mapper.map(record)
        except RejectedRecordError as error:
            rejected.append(str(error))
            continue
        rejected += [
            f"{'.'.join(path)}: the primary identity is missing"
            for path in needed
            if not _has_value(xdm, path)
        ]
    name, count = stream.sample.stream, len(stream.sample.records)
    plan.notes.append(
        f"stream {name}: {count} sample records"
        + ("" if count else "; without any, properties get no fields of their own")
    )
    if rejected and len(rejected) == count:
        plan.refuse(
            f"stream {name}: all {count} sample records would be rejected; first: {rejected[0]}",
            "put the mapping or the records right (target-aep preview shows each)",
        )
    elif rejected:
        plan.notes.append(
            f"stream {name}: {len(rejected)} of {count} sample records would be rejected; first: "
            f"{rejected[0]}"
        )
    plan.notes += [f"stream {name}: {line}" for line in mapper.report.lines()]
    if mapper.missing_fields:
        fields = ", ".join(mapper.missing_fields)
        plan.notes.append(f"stream {name}: no field for {fields}; these values are left out")


def _has_value(xdm: t.Any, path: FieldPath) -> bool:
    for name in path:
        xdm = xdm.get(name) if isinstance(xdm, dict) else None
    return xdm is not None


def _about(name: str, reason: str) -> str:
    if reason == "new":
        return f"property {name!r}"
    return f"property {name!r}, {reason}"

"""Fields for the properties that no mapping places, by what the sample has of them."""

from __future__ import annotations

import typing as t

from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.provisioning.field_group import Addition
from target_aep.provisioning.property_fields import PropertyCensus, propose_fields

if t.TYPE_CHECKING:
    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.wishes import DatasetWish, StreamWish
    from target_aep.xdm.schema import XdmField


def sampled_properties(plan: Plan, wish: DatasetWish, schema: XdmField) -> list[Addition]:
    """Map the samples into a schema, and propose fields for what finds no typed place.

    Args:
        plan: Gets notes of what the samples show.
        wish: The streams with their samples.
        schema: The dataset's schema with all that mappings need.

    Raises:
        MappingMistakesError: A mapping set can't be used with the schema.
    """
    censuses: dict[tuple[str, ...], PropertyCensus] = {}
    for stream in wish.streams:
        paths = stream.remainder_paths()
        census = censuses.setdefault(paths[0], PropertyCensus()) if paths else None
        _map_sample(plan, stream, schema, census)
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


def _map_sample(
    plan: Plan, stream: StreamWish, schema: XdmField, census: PropertyCensus | None
) -> None:
    identities = stream.identities if stream.has_identity_map else ()
    mapper = RecordMapper(
        stream.mapping_set, schema, identities, policies=stream.policies, census=census
    )
    rejected: list[str] = []
    for record in stream.sample.records:
        try:
            mapper.map(record)
        except RejectedRecordError as error:
            rejected.append(str(error))
    name, count = stream.sample.stream, len(stream.sample.records)
    plan.notes.append(
        f"stream {name}: {count} sample records"
        + ("" if count else "; without any, properties get no fields of their own")
    )
    if rejected:
        plan.notes.append(
            f"stream {name}: {len(rejected)} of {count} sample records would be rejected; first: "
            f"{rejected[0]}"
        )
    plan.notes += [f"stream {name}: {line}" for line in mapper.report.lines()]
    if mapper.missing_fields:
        fields = ", ".join(mapper.missing_fields)
        plan.notes.append(f"stream {name}: no field for {fields}; these values are left out")


def _about(name: str, reason: str) -> str:
    if reason == "new":
        return f"property {name!r}"
    return f"property {name!r}, {reason}"

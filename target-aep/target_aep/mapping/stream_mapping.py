"""The mapping of one stream, ready to be looked at: its set, its schema and its mapper."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.mapping_sets import fetch_mapping_set
from target_aep.data_prep.evaluation import Evaluation
from target_aep.errors import TargetError
from target_aep.loading.destinations import make_client
from target_aep.mapping.compiled_mapping import compile_mappings
from target_aep.mapping.mapper import RecordMapper

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.mapping.choice import MappingReference
    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.identities import Identity
    from target_aep.mapping.model import MappingSet
    from target_aep.target import TargetAEP
    from target_aep.xdm.schema import XdmField


@dataclass(frozen=True)
class StreamMapping:
    """What becomes of a stream's records.

    Attributes:
        stream: Its name.
        mapping_set: With tenant and variables put in.
        schema: The dataset's, None if it is not known.
        tenant: The tenant, without underscore.
        compiled: The mappings of the set, in its order.
        identities: What goes into its identityMap.
        mapper: Maps records.
    """

    stream: str
    mapping_set: MappingSet
    schema: XdmField | None
    tenant: str
    compiled: Sequence[CompiledMapping]
    identities: Sequence[Identity]
    mapper: RecordMapper


def mapping_of(target: TargetAEP, stream: str) -> StreamMapping:
    """Find the dataset and the mapping set of a stream, and compile them.

    Args:
        target: Its settings and its destination are used.
        stream: Name of the stream, after stream maps.

    Raises:
        MappingMistakesError: The set can't be used with the dataset's schema.
        TargetError: The dataset, its schema or the set can't be had.
    """
    choice = target.settings.mappings
    binding = target.destination.bind(stream)
    mapping_set = choice.of(stream, lambda reference: fetch(target, reference))
    mapping_set = mapping_set.for_tenant(binding.tenant)
    identities = target.settings.identities_of(stream)
    mapper = RecordMapper(mapping_set, binding.schema, identities, policies=choice.policies)
    mapper.learn_columns(schema_of(target, stream))
    compiled, _ = compile_mappings(mapping_set, choice.policies, Evaluation())
    return StreamMapping(
        stream, mapping_set, binding.schema, binding.tenant, compiled, identities, mapper
    )


def schema_of(target: TargetAEP, stream: str) -> dict[str, t.Any]:
    """The JSON schema of a stream's records after stream maps; empty if none has come.

    Args:
        target: It has read the SCHEMA messages.
        stream: Name of the stream, after stream maps.
    """
    for maps in target.mapper.stream_maps.values():
        for stream_map in maps:
            if stream_map.stream_alias == stream:
                return stream_map.transformed_schema
    return {}


def fetch(target: TargetAEP, reference: MappingReference) -> MappingSet:
    """Get a mapping set from Experience Platform.

    Raises:
        TargetError: There is no credential, or the set can't be had.
    """
    settings = target.settings
    credential = settings.credential or settings.mapping_credential
    if credential is None:
        raise TargetError(
            f"mapping: the mapping set {reference.id} has to be fetched, which needs client_id, "
            "client_secret and org_id"
        )
    return fetch_mapping_set(make_client(settings, credential, target.rules), reference)

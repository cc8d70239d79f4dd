"""What a stream needs of a sandbox, by its settings and its mapping set: the wanted state."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.identity_namespaces import Namespace
from target_aep.data_prep.evaluation import Evaluation
from target_aep.mapping.compiled_mapping import compile_mappings, source_property
from target_aep.mapping.paths import parse_path
from target_aep.provisioning.standard_groups import CLASS_FIELDS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.identities import Identity
    from target_aep.mapping.model import MappingSet
    from target_aep.provisioning.field_group import FieldPath
    from target_aep.provisioning.tap_input import StreamSample


@dataclass(frozen=True)
class IdentityField:
    """A field that shall be an identity by a descriptor.

    Attributes:
        path: The field; empty if no mapping fills one with the identity.
        identity: What it is.
    """

    path: FieldPath
    identity: Identity


@dataclass(frozen=True)
class StreamWish:
    """A stream that goes into a dataset, and how it is mapped.

    Attributes:
        sample: What the input shows of it.
        mapping_set: With the tenant's id in it.
        identities: What it tells of people and devices.
        policies: How expressions are read.
        has_identity_map: Whether the identities go into identityMap.
    """

    sample: StreamSample
    mapping_set: MappingSet
    identities: tuple[Identity, ...]
    policies: Policies
    has_identity_map: bool = True

    def compiled(self) -> list[CompiledMapping]:
        """The mappings of the set; mistakes in them are told where it is compiled for good."""
        return compile_mappings(self.mapping_set, self.policies, Evaluation())[0]

    def standard_roots(self, tenant: str) -> set[str]:
        """The fields of events that the mapping fills and neither class nor tenant brings."""
        roots = {str(each.steps[0]) for each in self.compiled()}
        return roots - CLASS_FIELDS - {f"_{tenant}"}

    def remainder_paths(self) -> tuple[FieldPath, FieldPath] | None:
        """Where properties go that no mapping has placed: typed fields, and the map."""
        rule = self.mapping_set.remainder
        if rule is None:
            return None
        fields, rest = parse_path(rule.fields), parse_path(rule.rest)
        return tuple(map(str, fields)), tuple(map(str, rest))

    def may_fill(self, path: FieldPath) -> bool:
        """Whether a mapping, or a property by its name, may fill a field."""
        filled = [tuple(map(str, each.steps)) for each in self.compiled()]
        paths = self.remainder_paths()
        if paths is not None:
            filled.append(paths[0])
        return any(each[: len(path)] == path[: len(each)] for each in filled)

    def identity_fields(self, tenant: str) -> list[IdentityField]:
        """The tenant's field that each identity is mapped to as it is."""
        own = [each for each in self.compiled() if each.steps[0] == f"_{tenant}"]
        return [
            IdentityField(self._path_of(identity, own), identity) for identity in self.identities
        ]

    def _path_of(self, identity: Identity, mappings: Sequence[CompiledMapping]) -> FieldPath:
        for each in mappings:
            if each.source.path is None or not each.is_plain:
                continue
            of_property = source_property(each.source, self.mapping_set.remainder)
            if identity.field in (of_property, _column(each)):
                return each.names
        return ()


def _column(mapping: CompiledMapping) -> str | None:
    path = mapping.source.path
    return str(path[0]) if path is not None and len(path) == 1 else None


@dataclass(frozen=True)
class DatasetWish:
    """A dataset and the streams that go into it.

    Attributes:
        dataset_id: Of one that is there; None for one that is known by its name.
        name: Its name, also for its schema where that is to be made; empty if only the id is known.
        streams: What goes into it.
        profile: Whether Profile shall take its rows.
        has_identity_map: Whether identities go into identityMap, or into fields with descriptors.
    """

    dataset_id: str | None
    name: str
    streams: tuple[StreamWish, ...]
    profile: bool
    has_identity_map: bool

    def namespaces(self) -> list[Namespace]:
        """The namespaces of all identities, each once."""
        return wanted_namespaces(
            identity for stream in self.streams for identity in stream.identities
        )


_NAMES: t.Final = {
    "MixpanelDistinctID": "Mixpanel distinct ID",
    "MixpanelUserID": "Mixpanel user ID",
    "MixpanelDeviceID": "Mixpanel device ID",
}


def wanted_namespaces(identities: Iterable[Identity]) -> list[Namespace]:
    """The namespaces that identities belong to, each once, with what one would be made as."""
    wanted = {
        each.namespace: Namespace(
            each.namespace, each.id_type, _NAMES.get(each.namespace, each.namespace)
        )
        for each in identities
    }
    return list(wanted.values())

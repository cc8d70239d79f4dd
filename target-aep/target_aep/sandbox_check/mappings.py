"""The mapping set of a stream against the schema of its dataset."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.mapping.compiled_mapping import compile_mappings, source_property
from target_aep.mapping.destination_paths import field_at
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.model import MappingMistakesError
from target_aep.mapping.paths import parse_path
from target_aep.mapping.required_fields import unfilled_fields
from target_aep.preview.provenance import source_text
from target_aep.sandbox_check.findings import PROVISION, Finding, enumerated
from target_aep.xdm.schema import ANY

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.identities import Identity
    from target_aep.mapping.model import MappingSet
    from target_aep.mapping.required_fields import Unfilled
    from target_aep.sandbox_check.findings import Level
    from target_aep.xdm.schema import XdmField

_IDENTITY_MAP: t.Final = ("identityMap",)
_TEXTS: t.Final = frozenset({"string", "any"})


@dataclass(frozen=True)
class CheckedMapping:
    """A mapping set with what it is checked against.

    Attributes:
        stream: Whose it is.
        mapping_set: With tenant and variables put in.
        compiled: Its mappings that can be understood.
        schema: The root field; None if it is not known.
        identities: What goes into identityMap beside it.
        policies: How expressions are read.
    """

    stream: str
    mapping_set: MappingSet
    compiled: Sequence[CompiledMapping]
    schema: XdmField | None
    identities: Sequence[Identity]
    policies: Policies

    @property
    def fills_identity_map(self) -> bool:
        """Whether identities get into the rows, by the settings or by mappings."""
        has_map = self.schema is None or self.schema.find(_IDENTITY_MAP) is not None
        return has_map and (bool(self.identities) or bool(self.mapped_namespaces))

    @property
    def mapped_namespaces(self) -> list[str]:
        """Codes of the namespaces that mappings name themselves."""
        return [
            str(each.steps[1])
            for each in self.compiled
            if each.steps[:1] == _IDENTITY_MAP and len(each.steps) > 1
        ]

    def unfilled_fields(self) -> Iterator[Unfilled]:
        """What the schema requires and nothing fills."""
        return unfilled_fields(
            self.schema,
            self.compiled,
            self.mapping_set.remainder,
            has_identities=bool(self.identities),
        )


def check_mapping(
    stream: str,
    mapping_set: MappingSet,
    schema: XdmField | None,
    identities: Sequence[Identity],
    policies: Policies,
) -> CheckedMapping:
    """Compile a mapping set, whatever is wrong with it."""
    compiled, _ = compile_mappings(mapping_set, policies)
    return CheckedMapping(stream, mapping_set, compiled, schema, identities, policies)


def about_mapping(checked: CheckedMapping) -> Iterator[Finding]:
    """What is wrong with a set, what it would lose, or that all is well."""
    label = f"stream {checked.stream}, set {checked.mapping_set.name}"
    try:
        mapper = RecordMapper(
            checked.mapping_set, checked.schema, checked.identities, policies=checked.policies
        )
    except MappingMistakesError as error:
        for complaint in error.complaints:
            yield Finding("fail", "mapping", f"stream {checked.stream}: {complaint}")
        return
    unfilled = {str(each): each.is_certain for each in checked.unfilled_fields()}
    losses = [*_losses(checked, loses_properties=mapper.loses_properties)]
    for warning in [*losses, *mapper.warnings]:
        level: Level = "fail" if unfilled.get(warning) else "warn"
        yield Finding(level, "mapping", f"{label}: {warning}")
    problem = _problem_of_map(checked)
    if problem:
        yield Finding("fail", "mapping", f"{label}: {problem}")
    if mapper.awaited_fields:
        yield Finding(
            "ok",
            "mapping",
            f"{label}: these fields are so new that ingestion may not know them yet, so that runs "
            f"leave their values in the map for some minutes: {enumerated(mapper.awaited_fields)}",
        )
    if not losses and not problem:
        count = len(checked.mapping_set.mappings)
        against = "a place in the schema" if checked.schema else "no schema to be checked with"
        yield Finding("ok", "mapping", f"{label}: {count} mappings have {against}")


def _problem_of_map(checked: CheckedMapping) -> str | None:
    """Why the map for properties without a field of their own is of no use; None if it is."""
    schema, rule = checked.schema, checked.mapping_set.remainder
    if schema is None or rule is None:
        return None
    field = field_at(schema, parse_path(rule.rest))
    if field is None:
        return (
            f"the schema has no map {rule.rest}: every property of a record without a field of "
            f"its own would be lost. {PROVISION}"
        )
    if field.kind == "any" or (field.kind == "map" and (field.items or ANY).kind in _TEXTS):
        return None
    return (
        f"{rule.rest} is no map of texts in the schema: every record with a property that has no "
        "field of its own would be rejected. Choose another dataset, or name a map of texts as "
        "rest of the set's remainder"
    )


def _losses(checked: CheckedMapping, *, loses_properties: bool) -> Iterator[str]:
    """What would not get into the dataset, or not where the set wants it."""
    schema, rule = checked.schema, checked.mapping_set.remainder
    if schema is None:
        return
    unplaced = [each for each in checked.compiled if field_at(schema, each.steps) is None]
    kept_names = (
        {} if loses_properties else {e.number: source_property(e.source, rule) for e in unplaced}
    )
    lost = [each for each in unplaced if kept_names.get(each.number) is None]
    kept = sorted(filter(None, kept_names.values()))
    if lost:
        named = (f"{source_text(each)} (to {each.destination})" for each in lost)
        yield (
            f"the schema has no field for these, which would be lost: {enumerated(named)}. "
            f"{PROVISION}"
        )
    if kept and rule:
        yield (
            f"these have no field of their own and would be kept as text in {rule.rest}: "
            f"{enumerated(kept)}"
        )
    if checked.identities and schema.find(_IDENTITY_MAP) is None:
        yield "the schema has no identityMap: identities would be left out"

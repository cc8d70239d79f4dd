"""A mapping set looked at as a whole: all that is wrong with it, all that is worth a warning."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from target_aep.errors import MappingSetError, TargetError
from target_aep.mapping.choice import MappingReference, choose_mappings
from target_aep.mapping.compiled_mapping import compile_mappings
from target_aep.mapping.identities import parse_identities
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import decode, is_json_text, load_mapping_set
from target_aep.mapping.mistakes import notes_about
from target_aep.mapping.model import MappingMistakesError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.model import MappingSet
    from target_aep.xdm.schema import XdmField


@dataclass
class Examination:
    """What is known of the mapping set that a setting names.

    Attributes:
        setting: `mapping`, or `mappings.` and a stream.
        value: What that setting says.
        mapping_set: The set; None if it can't be read.
        errors: What keeps it from being used, a line each.
        warnings: What does not.
    """

    setting: str
    value: t.Any
    mapping_set: MappingSet | None = None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def stream(self) -> str | None:
        """The stream that the set is for; None for those that have no set of their own."""
        return self.setting.partition(".")[2] or None

    @property
    def is_elsewhere(self) -> bool:
        """Whether the set has yet to be fetched."""
        return self.mapping_set is None and not self.errors

    @property
    def needs_tenant(self) -> bool:
        """Whether the tenant's id has to be known; a set that is fetched has it in it."""
        return self.mapping_set is not None and self.mapping_set.needs_tenant

    def load(
        self,
        variables: Mapping[str, str],
        policies: Policies,
        fetch: Callable[[MappingReference], MappingSet] | None = None,
    ) -> None:
        """Read the set; one of Experience Platform only if it can be fetched.

        Args:
            variables: Texts for its placeholders.
            policies: How expressions are read.
            fetch: Gets a set from Experience Platform.

        Raises:
            PlatformError: Fetching was refused in a way that has nothing to do with the set.
        """
        try:
            reference = self._reference(policies)
            if reference is None:
                loaded = load_mapping_set(self._decoded())
            elif fetch:
                loaded = fetch(reference)
            else:
                return
            self.mapping_set = loaded.with_variables(variables)
        except MappingMistakesError as error:
            self.errors.extend(error.complaints)
        except MappingSetError as error:
            self.errors.append(str(error))

    def compile(self, schema: XdmField | None, tenant: str, policies: Policies) -> None:
        """Compile what was read.

        Args:
            schema: The dataset's; None if it is not known.
            tenant: The tenant, without underscore.
            policies: How expressions are read.
        """
        if self.mapping_set is None:
            return
        mapping_set = self.mapping_set = self.mapping_set.for_tenant(tenant)
        try:
            mapper = RecordMapper(mapping_set, schema, policies=policies)
        except MappingMistakesError as error:
            self.errors.extend(error.complaints)
            compiled, _ = compile_mappings(mapping_set, policies)
            self.warnings.extend(notes_about(mapping_set, compiled))
        else:
            self.warnings.extend(mapper.warnings)
            if mapper.missing_fields:
                fields = ", ".join(mapper.missing_fields)
                self.warnings.append(
                    f"mapping set {mapping_set.name}: the schema does not have these fields, "
                    f"their values are left out: {fields}"
                )
        try:
            parse_identities(mapping_set.identities)
        except TargetError as error:
            self.errors.append(f"mapping set {mapping_set.name}: {error}")

    def _reference(self, policies: Policies) -> MappingReference | None:
        try:
            chosen = choose_mappings({"mapping": self.value}, policies).default
        except MappingSetError:
            return None  # it is at hand, and loading it tells its mistakes better
        return chosen if isinstance(chosen, MappingReference) else None

    def _decoded(self) -> t.Any:
        if isinstance(self.value, str) and is_json_text(self.value):
            return decode(self.value, "the text in it")
        return self.value


def examinations(settings: Mapping[str, t.Any]) -> Sequence[Examination]:
    """What is to be examined: the settings `mapping` and `mappings`.

    Args:
        settings: Of the target, not checked.
    """
    found = [Examination("mapping", settings.get("mapping") or "mixpanel")]
    by_stream = settings.get("mappings") or {}
    if isinstance(by_stream, dict):
        found += [Examination(f"mappings.{name}", value) for name, value in by_stream.items()]
    else:
        found[0].errors.append("mappings: must be an object with a mapping set for each stream")
    return found

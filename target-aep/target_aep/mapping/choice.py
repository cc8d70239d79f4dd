"""The mapping set of each stream: what the settings `mapping`, `mappings` and `variables` say."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from target_aep.errors import MappingSetError
from target_aep.mapping.mapping_set import PRESET, decode, is_json_text, load_mapping_set
from target_aep.mapping.mistakes import complaints_about
from target_aep.mapping.model import MappingMistakesError, MappingSet

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from target_aep.data_prep.policies import Policies

_REFERENCE_KEYS = frozenset({"id", "version"})
_CONTENTS = ("mappings", "mappingSet", "data")


@dataclass(frozen=True)
class MappingReference:
    """A mapping set that Experience Platform keeps: `{"id": …, "version": …}`.

    Attributes:
        id: Of the mapping set.
        version: None takes the one that the service gives by itself.
    """

    id: str
    version: int | None = None


Chosen = MappingSet | MappingReference


@dataclass
class MappingChoice:
    """Mapping sets by stream; those that are fetched are fetched once.

    Attributes:
        default: For streams that `by_stream` does not list.
        by_stream: By the name of the stream.
        variables: Texts of placeholders.
        policies: How expressions are read where Adobe does not say it.
        is_preset: Whether `default` is what the setting `mapping` is by itself.
    """

    default: Chosen
    by_stream: Mapping[str, Chosen]
    variables: Mapping[str, str]
    policies: Policies
    is_preset: bool = False
    _fetched: dict[MappingReference, MappingSet] = field(default_factory=dict, init=False)

    def of(self, stream: str, fetch: Callable[[MappingReference], MappingSet]) -> MappingSet:
        """The mapping set of a stream.

        Args:
            stream: Its name.
            fetch: Gets a set from Experience Platform; called once for each.

        Raises:
            MappingMistakesError: A set that was fetched can't be used.
        """
        chosen = self.by_stream.get(stream, self.default)
        if isinstance(chosen, MappingSet):
            return chosen
        if chosen not in self._fetched:
            self._fetched[chosen] = self._checked(fetch(chosen))
        return self._fetched[chosen]

    def advice_for(self, stream: str, columns: Collection[str]) -> str | None:
        """What to say of a stream that the default mapping is not made for; None if it may be.

        Args:
            stream: Its name.
            columns: All that its records have.
        """
        chosen = self.default
        is_its = self.is_preset and stream not in self.by_stream
        if not is_its or not isinstance(chosen, MappingSet) or _needed(chosen) <= {*columns}:
            return None
        return (
            f"stream '{stream}' is mapped by the default mapping '{PRESET}', which is for "
            f"tap-mixpanel-export: set mappings.{stream} (or mapping)"
        )

    @property
    def needs_platform(self) -> bool:
        """Whether a set has to be fetched."""
        return any(isinstance(each, MappingReference) for each in self._all)

    @property
    def needs_tenant(self) -> bool:
        """Whether a set depends on the tenant; those that are fetched have real names instead."""
        return any(isinstance(each, MappingSet) and each.needs_tenant for each in self._all)

    @property
    def _all(self) -> tuple[Chosen, ...]:
        return (self.default, *self.by_stream.values())

    def _checked(self, fetched: MappingSet) -> MappingSet:
        filled = fetched.with_variables(self.variables)
        complaints = complaints_about(filled, self.policies)
        if complaints:
            raise MappingMistakesError(complaints)
        return filled


def choose_mappings(config: Mapping[str, t.Any], policies: Policies) -> MappingChoice:
    """Load and check what the settings name, as far as that needs no request.

    Args:
        config: The configuration, its defaults filled in.
        policies: How expressions are read.

    Raises:
        MappingMistakesError: One line per mistake, each with its setting.
    """
    variables = dict(config.get("variables") or {})
    mistakes: list[str] = []
    settings = {"mapping": config["mapping"]}
    by_stream = config.get("mappings") or {}
    settings.update({f"mappings.{stream}": value for stream, value in by_stream.items()})
    chosen: dict[str, Chosen] = {}
    for name, setting in settings.items():
        try:
            chosen[name] = _load(setting, variables, policies)
        except MappingMistakesError as error:
            mistakes.extend(f"{name}: {complaint}" for complaint in error.complaints)
        except MappingSetError as error:
            mistakes.append(f"{name}: {error}")
    if mistakes:
        raise MappingMistakesError(mistakes)
    return MappingChoice(
        default=chosen["mapping"],
        by_stream={stream: chosen[f"mappings.{stream}"] for stream in by_stream},
        variables=variables,
        policies=policies,
        is_preset=config["mapping"] == PRESET,
    )


def _needed(mapping_set: MappingSet) -> set[str]:
    """The columns without which no record is valid."""
    required = ("_id", "timestamp")
    return {each.source for each in mapping_set.mappings if each.destination in required}


def _load(setting: t.Any, variables: Mapping[str, str], policies: Policies) -> Chosen:
    if isinstance(setting, str) and is_json_text(setting):
        setting = decode(setting, "the text in it")
    reference = _reference(setting)
    if reference:
        return reference
    mapping_set = load_mapping_set(setting).with_variables(variables)
    complaints = complaints_about(mapping_set, policies)
    if complaints:
        raise MappingMistakesError(complaints)
    return mapping_set


def _reference(setting: t.Any) -> MappingReference | None:
    """The reference that a setting is, None if it is a mapping set itself, or names one."""
    if not isinstance(setting, dict) or "id" not in setting:
        return None
    if any(key in setting for key in _CONTENTS):
        return None  # an exported set tells its id too
    unknown = sorted(setting.keys() - _REFERENCE_KEYS)
    if unknown:
        raise MappingSetError(
            f"{unknown[0]!r} is unknown beside 'id': give 'id' and 'version' to have a mapping set "
            "fetched, or a set with its 'mappings'"
        )
    identifier, version = setting["id"], setting.get("version")
    if not isinstance(identifier, str) or not identifier.strip():
        raise MappingSetError("'id' must be the id of a mapping set, as a text")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise MappingSetError("'version' must be a whole number")
    return MappingReference(identifier.strip(), version)

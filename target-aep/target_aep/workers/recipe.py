"""What the rows of a stream are made with, so that another process can make the same mapper."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

from target_aep.mapping.identities import Identity, parse_identities
from target_aep.mapping.mapper import RecordMapper
from target_aep.provisioning.property_census import PropertyCensus
from target_aep.workers.block_mapping import BlockMapper

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.model import MappingSet
    from target_aep.xdm.schema import XdmField


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class MapperRecipe:
    """What a stream's mapper is made of.

    Attributes:
        mapping_set: With the tenant's id in it.
        schema: The dataset's, None if it is not known.
        identities: What goes into its identityMap.
        policies: How expressions take null.
        made_at: The moment that tells which fields are too new to be used, the same for all
            mappers of the stream.
    """

    mapping_set: MappingSet
    schema: XdmField | None
    identities: tuple[Identity, ...]
    policies: Policies
    made_at: datetime = field(default_factory=_now)

    def mapper(
        self, now: Callable[[], datetime] = _now, census: PropertyCensus | None = None
    ) -> RecordMapper:
        """Make the mapper.

        Args:
            now: The clock that tells future events.
            census: Is shown the properties that no typed field takes; None for none.

        Raises:
            MappingMistakesError: The set can't be used with the schema.
        """
        clock = _Clock(self.made_at, now)
        mapper = RecordMapper(
            self.mapping_set,
            self.schema,
            self.identities,
            clock,
            policies=self.policies,
            census=census,
        )
        clock.run()
        return mapper

    def __getstate__(self) -> dict[str, t.Any]:
        """As it is pickled: an identity reads records with closures, so its settings go along."""
        return {**vars(self), "identities": tuple(map(_setting_of, self.identities))}

    def __setstate__(self, state: dict[str, t.Any]) -> None:
        identities = parse_identities(state["identities"])
        vars(self).update({**state, "identities": identities})


def _setting_of(identity: Identity) -> dict[str, t.Any]:
    """The entry of the setting `identities` that gives this one."""
    return {
        "field": identity.field,
        "namespace": identity.namespace,
        "primary": identity.primary,
        "authenticated_state": identity.authenticated_state,
        "id_type": identity.id_type,
    }


class _Clock:
    """Stands still until it runs."""

    def __init__(self, moment: datetime, now: Callable[[], datetime]) -> None:
        self._moment: datetime | None = moment
        self._now = now

    def __call__(self) -> datetime:
        return self._moment or self._now()

    def run(self) -> None:
        self._moment = None


@dataclass(frozen=True)
class Assignment:
    """All that a worker has to know of a stream.

    Attributes:
        recipe: For its mapper.
        schema: Of its SCHEMA message, whose columns the mapper learns.
        stream: The name that its RECORD messages have.
        key_properties: Its key.
        row_max_bytes: The longest row that a file takes.
        has_census: Whether properties without a typed field are counted.
    """

    recipe: MapperRecipe
    schema: dict[str, t.Any]
    stream: str
    key_properties: Sequence[str]
    row_max_bytes: int
    has_census: bool

    def mapper(self) -> RecordMapper:
        """A mapper of its own for this process, whose counts are taken after each block."""
        mapper = self.recipe.mapper(census=PropertyCensus() if self.has_census else None)
        mapper.report.most_names = math.inf  # a bound of the whole run, not of a block
        mapper.learn_columns(self.schema)
        return mapper

    def block_mapper(self, mapper: RecordMapper) -> BlockMapper:
        """What maps blocks of the stream.

        Args:
            mapper: One that was made by the recipe.
        """
        recipe = self.recipe
        return BlockMapper(
            mapper,
            recipe.mapping_set,
            recipe.schema,
            self.stream,
            self.key_properties,
            self.row_max_bytes,
        )

"""What becomes of the values of each mapping, by the field that they go to."""

from __future__ import annotations

import typing as t

from target_aep.mapping.destination_paths import field_at
from target_aep.mapping.object_copy import completed, unknown_parts_counter
from target_aep.mapping.program import PlainMapping
from target_aep.mapping.valid_values import test_of_valid
from target_aep.xdm.coercion import OMITTED, Losses, compile_coercer, prune
from target_aep.xdm.scalar_coercion import SCALAR_COMPILERS
from target_aep.xdm.schema import ANY, XdmField
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.paths import WildPath
    from target_aep.mapping.report import MappingReport
    from target_aep.xdm.scalar_coercion import Coercer

_TIMESTAMP: t.Final = ("timestamp",)
_ID: t.Final = ("_id",)
_ANY_ID: t.Final = XdmField("string")
"""What `_id` is in every schema."""


class DestinationFields:
    """Makes the conversions of a set's mappings."""

    def __init__(
        self,
        schema: XdmField | None,
        mappings: Sequence[CompiledMapping],
        report: MappingReport,
        event_time: Coercer,
    ) -> None:
        """Keep what the conversions depend on.

        Args:
            schema: The dataset's schema, None if it is not known.
            mappings: All that have a place in it.
            report: Where parts of copied objects are counted that have none.
            event_time: The conversion of `timestamp`.
        """
        self._schema = schema
        self._mappings = mappings
        self._report = report
        self._event_time = event_time
        self._below: dict[WildPath, list[WildPath]] = {}
        for each in mappings:
            for length in range(1, len(each.steps)):
                below = self._below.setdefault(each.steps[:length], [])
                below.append(each.steps[length:])

    def plain(self, mapping: CompiledMapping, source_property: str | None) -> PlainMapping:
        """A mapping to a path of names, with its conversion."""
        coerce = self.coercer(mapping)
        if mapping.steps in self._below:
            return PlainMapping(mapping, _objects_only(coerce), None, source_property)
        field = self._field(mapping)
        return PlainMapping(
            mapping,
            coerce,
            None if mapping.steps == _TIMESTAMP else test_of_valid(field or ANY),
            source_property,
            choices=(field and field.enum) or frozenset(),
        )

    def coercer(self, mapping: CompiledMapping) -> Coercer:
        """The conversion of a mapping's values: OMITTED for none, else it may raise."""
        if mapping.steps == _TIMESTAMP:
            return self._event_time
        field = self._field(mapping)
        if field is None:
            return prune
        if field.kind in SCALAR_COMPILERS:
            return compile_coercer(field)
        count = unknown_parts_counter(mapping, self._mappings, self._report.count_left_out)
        losses = Losses(count, self._report.count_unconverted)
        return compile_coercer(
            completed(field, self._below.get(mapping.steps, ())), losses, mapping.destination
        )

    def _field(self, mapping: CompiledMapping) -> XdmField | None:
        if self._schema:
            return field_at(self._schema, mapping.steps)
        return _ANY_ID if mapping.steps == _ID else None


def _objects_only(coerce: Coercer) -> Coercer:
    """What other mappings complete has to be an object."""

    def convert(value: t.Any) -> t.Any:
        converted = coerce(value)
        if converted is OMITTED or isinstance(converted, dict):
            return converted
        raise UnconvertibleError("no object, which other mappings need to put something into")

    return convert

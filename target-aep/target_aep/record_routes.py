"""Which lines are RECORDs that need nothing but to be mapped, told by how they begin."""

from __future__ import annotations

import itertools
import pickle
import re
import typing as t
from dataclasses import dataclass

from singer_sdk.mapper import SameRecordTransform

from target_aep.sink import XdmSink

if t.TYPE_CHECKING:
    from target_aep.target import TargetAEP
    from target_aep.workers.block_mapping import BlockMapper
    from target_aep.workers.recipe import Assignment

_NUMBERS = itertools.count(1)

_HEAD = re.compile(
    rb'\s*\{\s*(?:"type"\s*:\s*"RECORD"\s*,\s*"stream"\s*:\s*"[^"\\]*"'
    rb'|"stream"\s*:\s*"[^"\\]*"\s*,\s*"type"\s*:\s*"RECORD")\s*,'
)


@dataclass(frozen=True)
class Route:
    """Where the records of a stream go that need nothing but to be mapped.

    Attributes:
        prefix: How its lines begin.
        number: Tells it from others, also from those of the stream under another SCHEMA.
        sink: Takes its rows.
        mapper: Maps its lines in this process.
        assignment: The same for a worker, pickled; None if it can't be done elsewhere.
        made_of: The same as it was before; a route that would be made of the same is this one.
    """

    prefix: bytes
    number: int
    sink: XdmSink
    mapper: BlockMapper
    assignment: bytes | None
    made_of: Assignment


class RecordRoutes:
    """The routes of one target's streams, under the SCHEMAs that they have.

    Attributes:
        replaced: Numbers of routes that no line takes any more, for who has kept something of them.
    """

    def __init__(self, target: TargetAEP) -> None:
        """Begin without any.

        Args:
            target: Whose sinks are filled.
        """
        self._target = target
        self.replaced: list[int] = []
        self._routes: dict[bytes, Route | None] = {}
        self._earlier: dict[bytes, Route] = {}
        self._last: Route | None = None

    def of(self, line: bytes) -> Route | None:
        """Where a line goes if it is a RECORD that needs nothing but to be mapped."""
        last = self._last
        if last and line.startswith(last.prefix):
            return last
        head = _HEAD.match(line) if self._routes else None
        self._last = self._routes.get(head[0]) if head else None
        return self._last

    def learn(self, line: bytes, stream: str) -> None:
        """Find the route of a RECORD that was handled the ordinary way, for those after it.

        Args:
            line: Its line.
            stream: Its stream.
        """
        head = _HEAD.match(line)
        if head and head[0] not in self._routes:
            self._routes[head[0]] = self._route(head[0], stream)

    def forget(self) -> None:
        """Learn all anew: a SCHEMA may have changed it."""
        self._earlier.update((route.prefix, route) for route in self._routes.values() if route)
        self._routes.clear()
        self._last = None

    def _route(self, prefix: bytes, stream: str) -> Route | None:
        maps = self._target.mapper.stream_maps.get(stream, ())
        if len(maps) != 1 or type(maps[0]) is not SameRecordTransform or maps[0].flattening_enabled:
            return None
        alias = maps[0].stream_alias
        sink = self._target.get_sink(alias) if self._target.sink_exists(alias) else None
        if not isinstance(sink, XdmSink) or sink.include_sdc_metadata_properties:
            return None
        assignment = sink.assignment(stream)
        earlier = self._earlier.pop(prefix, None)
        if earlier and earlier.sink is sink and earlier.made_of == assignment:
            return earlier
        if earlier and earlier.assignment is not None:
            self.replaced.append(earlier.number)
        return Route(
            prefix,
            next(_NUMBERS),
            sink,
            assignment.block_mapper(sink.mapper),
            _pickled(assignment) if self._may_share else None,
            assignment,
        )

    def holds(self, route: Route) -> bool:
        """Whether nothing has changed since a route was learned."""
        return self._routes.get(route.prefix) is route

    @property
    def _may_share(self) -> bool:
        return self._target.settings.workers > 1 and self._target.has_own_clock


def _pickled(assignment: Assignment) -> bytes | None:
    """An assignment for a worker; None if a part of it can't be carried to another process."""
    try:
        return pickle.dumps(assignment, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 - pickle raises whatever comes to its mind
        return None

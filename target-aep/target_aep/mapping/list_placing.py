"""Values at positions of lists: `src[*].x` to `dst[*].y`, `dst[0]`.

What Adobe documents of `[*]` is one example that contradicts itself
(help/data-prep/mapping-set.md in AdobeDocs/experience-platform.en), so this is the reading that
loses and mixes nothing:

- Each `[*]` of a source runs over a list, and the first, second, … `[*]` of the destination are
  those positions. Several mappings into a list meet at the same positions.
- A source with more of them gives one flat list of what is left.
- A destination with one more takes a list apart: its elements go to the positions there.
- Another value for a destination with more of them goes to every element that other mappings make
  there. Where there is none, it is left out and counted, unless it is a constant.
- Positions without any value are closed at the end, when all mappings have met: an element is
  whole in itself. Not so plain values at positions that the set itself numbers, such as `[0]` and
  `[1]` of a coordinate: those after a gap are left out and counted.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass
from itertools import pairwise

from target_aep.data_prep.failures import EvaluationError
from target_aep.mapping.list_sources import compile_collector, compile_iterator
from target_aep.mapping.object_copy import put
from target_aep.mapping.paths import EACH, path_text
from target_aep.xdm.coercion import OMITTED
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.list_sources import Found, Positions
    from target_aep.mapping.paths import WildPath
    from target_aep.xdm.scalar_coercion import Coercer

Record = dict[str, t.Any]
Fail = t.Callable[[int, EvaluationError | UnconvertibleError], None]


class _Slots(dict[t.Any, t.Any]):
    """A list that is being filled: elements by position."""

    numbered = False
    """Whether the set itself numbers plain values of it."""


@dataclass(frozen=True)
class _ListMapping:
    """A mapping to elements of lists, as functions."""

    number: int
    steps: WildPath
    find: Callable[[Record], Iterable[Found]]
    coerce: Coercer
    wildcards: int
    """How many times the destination says `[*]`."""
    spreads: bool
    """Whether a list that it gives is taken apart."""
    is_constant: bool
    numbers: bool
    """Whether it names the position of what it places itself."""


class ListPlacing:
    """Places what a set's mappings give for elements of lists."""

    def __init__(
        self,
        mappings: Sequence[tuple[CompiledMapping, Coercer]],
        leave_out: Callable[[Iterable[str]], None],
    ) -> None:
        """Compile the mappings.

        Args:
            mappings: With a function each that converts a value of theirs.
            leave_out: Counts destinations whose value had to be left out.
        """
        compiled = [_compile(mapping, coerce) for mapping, coerce in mappings]
        # Copies of whole elements come before what completes them.
        compiled.sort(key=lambda mapping: len(mapping.steps))
        self._mappings = compiled
        self._leave_out = leave_out

    def __bool__(self) -> bool:
        return bool(self._mappings)

    def place(self, record: Record, xdm: Record, fail: Fail) -> None:
        """Put the values of a record into its XDM object.

        Args:
            record: The record.
            xdm: What was mapped so far; it is added to.
            fail: Told the number of a mapping and why a value of it is left out.
        """
        skeleton: Record = {}
        filling: list[tuple[_ListMapping, Positions, t.Any]] = []
        for mapping in self._mappings:
            try:
                for positions, value in _values(mapping, record):
                    if len(positions) < mapping.wildcards:
                        filling.append((mapping, positions, value))
                    else:
                        self._convert(mapping, positions, value, skeleton, fail)
            except (EvaluationError, UnconvertibleError) as error:
                fail(mapping.number, error)
        # All elements are there only now.
        for mapping, positions, value in filling:
            self._convert(mapping, positions, value, skeleton, fail)
        for name, built in skeleton.items():
            closed = self._closed(built, (name,))
            if closed is not OMITTED:
                put(xdm, name, closed)

    def _convert(
        self,
        mapping: _ListMapping,
        positions: Positions,
        value: t.Any,
        skeleton: Record,
        fail: Fail,
    ) -> None:
        try:
            converted = mapping.coerce(value)
        except UnconvertibleError as error:
            fail(mapping.number, error)
            return
        if converted is OMITTED:
            return
        steps = _at(mapping.steps, positions)
        if EACH not in steps:
            _put(skeleton, steps, converted, mapping.numbers)
            return
        elements = list(_elements(skeleton, steps, ()))
        if not elements and not mapping.is_constant:
            self._leave_out([path_text(mapping.steps)])
        for element in elements:
            _put(skeleton, element, copy.deepcopy(converted), mapping.numbers)

    def _closed(self, built: t.Any, path: WildPath) -> t.Any:
        """What was built, lists as lists; OMITTED if nothing is left of it."""
        if not isinstance(built, dict):
            return built
        keys = sorted(built) if isinstance(built, _Slots) else list(built)
        if isinstance(built, _Slots) and built.numbered:
            keys = self._before_gap(keys, path)
        parts = {
            key: part
            for key in keys
            if (part := self._closed(built[key], (*path, key))) is not OMITTED
        }
        return (list(parts.values()) if isinstance(built, _Slots) else parts) or OMITTED

    def _before_gap(self, positions: list[int], path: WildPath) -> list[int]:
        kept = [position for index, position in enumerate(positions) if index == position]
        self._leave_out(path_text((*path, lost)) for lost in positions[len(kept) :])
        return kept


def _compile(mapping: CompiledMapping, coerce: Coercer) -> _ListMapping:
    wanted, given = mapping.steps.count(EACH), mapping.source.wildcards
    if not given:
        find = _once(mapping.source.reader())
    else:
        path = t.cast("WildPath", mapping.source.path)
        find = compile_collector(path, wanted) if given > wanted else compile_iterator(path)
    return _ListMapping(
        mapping.number,
        mapping.steps,
        find,
        coerce,
        wildcards=wanted,
        spreads=wanted == given + 1,
        is_constant=mapping.source.constant is not None,
        numbers=isinstance(mapping.steps[-1], int),
    )


def _values(mapping: _ListMapping, record: Record) -> Iterator[Found]:
    """What a mapping finds, a list element by element where the destination has a `[*]` more."""
    for positions, value in mapping.find(record):
        if mapping.spreads and isinstance(value, list):
            for position, item in enumerate(value):
                if item is not None:
                    yield (*positions, position), item
        else:
            yield positions, value


def _once(read: Callable[[Record], t.Any]) -> Callable[[Record], Iterator[Found]]:
    def find(record: Record) -> Iterator[Found]:
        value = read(record)
        if value is not None:
            yield (), value

    return find


def _at(steps: WildPath, positions: Positions) -> WildPath:
    """The steps with positions for the first `[*]`."""
    left = iter(positions)
    return tuple(next(left, EACH) if step is EACH else step for step in steps)


def _put(skeleton: Record, steps: WildPath, value: t.Any, numbers: bool) -> None:
    node: dict[t.Any, t.Any] = skeleton
    for step, below in pairwise(steps):
        wanted = dict if isinstance(below, str) else _Slots
        child = node.get(step)
        if type(child) is not wanted:
            child = node[step] = wanted()
        node = child
    if numbers and isinstance(node, _Slots) and not isinstance(value, dict):
        node.numbered = True
    put(node, t.cast("str", steps[-1]), value)


def _elements(node: t.Any, steps: WildPath, above: WildPath) -> Iterator[WildPath]:
    """The steps for each element that is there for the `[*]` in them."""
    if EACH not in steps:
        yield (*above, *steps)
        return
    if not isinstance(node, dict):
        return
    step, rest = steps[0], steps[1:]
    if step is EACH and not isinstance(node, _Slots):
        return
    for found in sorted(node) if step is EACH else (step,):
        if found in node:
            yield from _elements(node[found], rest, (*above, found))

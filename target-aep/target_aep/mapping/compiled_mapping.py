"""Mappings compiled, each by itself: where it reads, what it gives, and where that goes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.data_prep.compiling import compile_expression
from target_aep.errors import MappingSetError
from target_aep.mapping.destination_paths import parse_destination
from target_aep.mapping.paths import (
    EACH,
    MISSING,
    compile_reader,
    compile_value_reader,
    parse_path,
    parse_wild_path,
    path_text,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.data_prep.compiling import CompiledExpression
    from target_aep.data_prep.evaluation import Evaluation
    from target_aep.data_prep.function import Kind
    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.model import Mapping, MappingSet, Remainder
    from target_aep.mapping.paths import Path, WildPath

Names = tuple[str, ...]
Record = dict[str, t.Any]


@dataclass(frozen=True)
class Source:
    """What a mapping takes from a record.

    Attributes:
        path: Of an attribute; None for others.
        spelled: The same path with the blanks around it, which is tried first; None if it has none.
        fields: The paths that are read.
        kind: Of its values, as far as that is known.
        constant: The text of a constant; None for others.
        expression: A compiled expression; None for others.
        caveats: What the expression's functions want said once.
    """

    path: WildPath | None = None
    spelled: Path | None = None
    fields: tuple[Path, ...] = ()
    kind: Kind = "any"
    constant: str | None = None
    expression: CompiledExpression | None = None
    caveats: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[WildPath, ...]:
        """The paths that are read, with `[*]`."""
        return (self.path,) if self.path else self.fields

    @property
    def wildcards(self) -> int:
        """How many times it says `[*]`."""
        return self.path.count(EACH) if self.path else 0

    def reader(self) -> Callable[[Record], t.Any]:
        """A function from record to value, None where there is none; not for paths with `[*]`.

        It raises EvaluationError where an expression fails.
        """
        if self.expression is not None:
            return self.expression
        if self.path is None:
            return lambda _record: self.constant
        read = compile_value_reader(t.cast("Path", self.path))
        if self.spelled is None:
            return read
        read_spelled = compile_reader(self.spelled)

        def read_either(record: Record) -> t.Any:
            value = read_spelled(record)
            return read(record) if value is MISSING else value

        return read_either


@dataclass(frozen=True)
class CompiledMapping:
    """A mapping with its parts understood.

    Attributes:
        number: In its set, from 1.
        mapping: As the set has it.
        source: Where values come from.
        steps: The destination.
    """

    number: int
    mapping: Mapping
    source: Source
    steps: WildPath

    @property
    def destination(self) -> str:
        """The destination as messages spell it."""
        return path_text(self.steps)

    @property
    def is_plain(self) -> bool:
        """Whether the destination is a path of names, without lists."""
        return all(isinstance(step, str) for step in self.steps)

    @property
    def names(self) -> Names:
        """The destination of a plain one."""
        return t.cast("Names", self.steps)

    @property
    def collects(self) -> bool:
        """Whether a list is made of the source's elements, for want of `[*]` at the destination."""
        return self.source.wildcards > self.steps.count(EACH)


def compile_mappings(
    mapping_set: MappingSet, policies: Policies, evaluation: Evaluation | None = None
) -> tuple[list[CompiledMapping], list[str]]:
    """Compile the mappings of a set.

    Args:
        mapping_set: With its placeholders filled.
        policies: How expressions are read.
        evaluation: What expressions know beside the record; None makes one for each.

    Returns:
        Those that can be used, and complaints about those that can't.
    """
    compiled: list[CompiledMapping] = []
    complaints: list[str] = []
    for number, mapping in enumerate(mapping_set.mappings, start=1):
        found = compile_mapping(number, mapping, policies, evaluation)
        if isinstance(found, CompiledMapping):
            compiled.append(found)
        else:
            complaints += [
                f"mapping set {mapping_set.name}, mapping {number}: {mistake}" for mistake in found
            ]
    return compiled, complaints


def compile_mapping(
    number: int, mapping: Mapping, policies: Policies, evaluation: Evaluation | None = None
) -> CompiledMapping | list[str]:
    """Compile a mapping, with its number in the set; what is wrong with it if it can't be used."""
    found: dict[str, t.Any] = {}
    mistakes: list[str] = []
    parts: tuple[tuple[str, Callable[[], t.Any]], ...] = (
        ("source", lambda: compile_source(mapping, policies, evaluation)),
        ("steps", lambda: parse_destination(mapping.destination)),
    )
    for name, compile_part in parts:
        try:
            found[name] = compile_part()
        except MappingSetError as error:
            mistakes.append(str(error))
    return mistakes or CompiledMapping(number, mapping, **found)


def compile_source(mapping: Mapping, policies: Policies, evaluation: Evaluation | None) -> Source:
    """Understand the source of a mapping.

    Raises:
        MappingSetError: The path or expression can't be used.
    """
    if mapping.source_type == "STATIC":
        return Source(kind="text", constant=mapping.source)
    if mapping.source_type == "EXPRESSION":
        expression = compile_expression(mapping.source, policies=policies, evaluation=evaluation)
        return Source(
            fields=tuple(expression.fields),
            kind=expression.kind,
            expression=expression,
            caveats=tuple(expression.caveats),
        )
    path = parse_wild_path(mapping.source)
    plain = path[: path.index(EACH)] if EACH in path else path
    return Source(
        path=path, spelled=_with_blanks(mapping.source, path), fields=(t.cast("Path", plain),)
    )


def _with_blanks(text: str, path: WildPath) -> Path | None:
    """A path with the blanks around it as part of its names, None if that is the same."""
    if EACH in path:
        return None
    try:
        spelled = parse_wild_path(text, keeps_blanks=True)
    except MappingSetError:
        return None  # the blanks can't be part of a name
    return None if spelled == path else t.cast("Path", spelled)


def source_property(source: Source, rule: Remainder | None) -> str | None:
    """The property of the remainder's source that a source stands for: the only one it reads."""
    if rule is None or len(source.fields) != 1 or source.wildcards or source.spelled:
        return None
    (path,) = source.fields
    above = parse_path(rule.source)
    if path[: len(above)] == above and len(path) == len(above) + 1:
        return str(path[-1])
    return rule.columns.get(str(path[0])) if len(path) == 1 else None

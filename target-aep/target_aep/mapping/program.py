"""All mappings of a set to plain paths as one Python function, made once per stream.

What mappings have in common is done once per record: walks to the same object, and the objects of
the row, which are local variables until they are put into each other at the end. Values that are
valid as they are get into the row without a call.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.namespace import (
    PYTHON_ERRORS,
    RECORD,
    Namespace,
    constant,
    failure_of,
    load,
)
from target_aep.mapping.code_templates import compile_function, expression, statements
from target_aep.mapping.expression_code import expression_code, field_reads
from target_aep.mapping.list_sources import compile_list_reader
from target_aep.mapping.mapping_templates import (
    Statements,
    any_source_template,
    plain_source_template,
)
from target_aep.mapping.object_copy import merge, put
from target_aep.mapping.property_marks import PropertyMarks
from target_aep.mapping.shared_reads import IS_PLAIN, SharedReads
from target_aep.xdm.coercion import OMITTED
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable, Sequence

    from target_aep.data_prep.evaluation import Evaluation
    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.compiled_mapping import CompiledMapping, Names
    from target_aep.mapping.paths import Path
    from target_aep.xdm.scalar_coercion import Coercer

Record = dict[str, t.Any]

_NO_VALUE: t.Final = (UnconvertibleError, EvaluationError)

Failures = list[tuple[int, EvaluationError | UnconvertibleError]]
Run = t.Callable[[Record, bool], tuple[Record, "Record | None", Failures]]
"""From a record, and whether it is known to have none of `Program.odd_columns`, to its row, a copy
of its properties without those that mappings have placed (None if nobody asks, or there are none),
and what failed."""

HandOver = t.Callable[[Record], tuple[Record, "Record | None", Failures]]


class Program(t.NamedTuple):
    """What the mappings of a set became.

    Attributes:
        run: Does what they do.
        odd_columns: Columns that are spelled like a path: records with one take longer.
    """

    run: Run
    odd_columns: frozenset[str]


@dataclass(frozen=True)
class PlainMapping:
    """A mapping to a path of names, and what becomes of its values.

    Attributes:
        mapping: The mapping.
        coerce: Converts a value, OMITTED for none; raises UnconvertibleError.
        as_it_is: The test, of a variable `x` that is not None, that a value is valid as it is;
            None if there is none. CHOICES stands for `choices`.
        choices: The texts that a field takes, for the test.
        source_property: The property that this places; None if it is none of the remainder's.
    """

    mapping: CompiledMapping
    coerce: Coercer
    as_it_is: str | None
    source_property: str | None
    choices: frozenset[t.Any] = frozenset()


def compile_program(
    mappings: Sequence[PlainMapping],
    policies: Policies,
    evaluation: Evaluation,
    properties: Path = (),
) -> Program:
    """Compile mappings into one function.

    Args:
        mappings: In the order of the set.
        policies: How expressions are read.
        evaluation: What expressions know beside the record.
        properties: Where a record has its properties; empty if there is no rule for them.
    """

    @functools.cache
    def careful() -> Run:
        return _Program(mappings, policies, evaluation, properties, None).compile()

    def hand_over(record: Record) -> tuple[Record, Record | None, Failures]:
        return careful()(record, False)

    quick = _Program(mappings, policies, evaluation, properties, hand_over)
    return Program(quick.compile(), quick.odd_columns)


class _Program:
    """Makes the function.

    There are two: one for any record, and one for those whose properties are an object, and without
    keys that are spelled like a path, which hands others over.
    """

    def __init__(
        self,
        mappings: Sequence[PlainMapping],
        policies: Policies,
        evaluation: Evaluation,
        properties: Path,
        careful: HandOver | None,
    ) -> None:
        self._policies = policies
        self._evaluation = evaluation
        self._namespace = Namespace()
        # Copies of objects come before the mappings that complete them.
        self._mappings = sorted(mappings, key=lambda each: len(each.mapping.names))
        self._careful = careful
        paths = [path for each in self._mappings for path in _paths(each.mapping)]
        self._reads = SharedReads(self._namespace, paths, literal_keys=careful is None)
        self._objects = self._object_variables()
        self._destinations: dict[Names, list[PlainMapping]] = {}
        for each in self._mappings:
            self._destinations.setdefault(each.mapping.names, []).append(each)
        self._properties = properties if careful else ()
        self._marks = PropertyMarks(
            self._mappings, properties, self._namespace, self._reads, walks=careful is not None
        )

    def compile(self) -> Run:
        body = [line for each in self._mappings for line in self._mapping_lines(each)]
        lines = [
            *self._reads.walking,
            *self._handing_over(),
            *self._reads.reading,
            *statements("failures = []", {}),
            *self._marks.beginning,
            *[line for name in self._objects.values() for line in statements(f"{name} = {{}}", {})],
            *body,
            *self._marks.ending,
            *self._linking_lines(),
            *statements(f"return {self._objects[()]}, left, failures", {}),
        ]
        parameters = f"{RECORD}, {IS_PLAIN}"
        return compile_function(parameters, lines, self._namespace.objects, "map_record")

    @property
    def odd_columns(self) -> frozenset[str]:
        return self._reads.odd_columns

    def _handing_over(self) -> list[ast.stmt]:
        if self._careful is None:
            return []
        parts = {"SAFE": self._reads.no_literal_keys(), "CAREFUL": self._bind(self._careful)}
        lines = statements(f"if not SAFE:\n    return CAREFUL({RECORD})", parts)
        if self._properties:
            parts["FOUND"] = self._reads.is_found(self._properties)
            lines += statements(f"if not FOUND:\n    return CAREFUL({RECORD})", parts)
        return lines

    def _object_variables(self) -> dict[Names, str]:
        """A variable for each object that mappings put something into."""
        found: dict[Names, None] = {(): None}
        for each in self._mappings:
            names = each.mapping.names
            found.update((names[:length], None) for length in range(1, len(names)))
        return {names: f"object_{index}" for index, names in enumerate(found)}

    def _mapping_lines(self, each: PlainMapping) -> list[ast.stmt]:
        parts = {
            "VALUE": self._value(each.mapping),
            "COERCE": self._bind(each.coerce),
            "OMITTED": self._bind(OMITTED),
            "NUMBER": constant(each.mapping.number),
            "FAILURES": self._bind(_NO_VALUE),
            "PYTHON_ERRORS": self._bind(PYTHON_ERRORS),
            "FAILURE_OF": self._bind(failure_of),
            "CHOICES": self._bind(each.choices),
            **self._place_parts(each),
            **self._marks.parts(each),
        }
        source = each.mapping.source
        does = Statements(
            self._place_template(each),
            self._place_template(each, is_plain=True),
            self._marks.not_placed(each),
            self._marks.absent(each),
        )
        if source.expression is None and not source.wildcards:
            return statements(plain_source_template(each.as_it_is, does), parts)
        is_expression = source.expression is not None
        return statements(
            any_source_template(each.as_it_is, does, is_expression=is_expression), parts
        )

    def _place_template(self, each: PlainMapping, *, is_plain: bool = False) -> str:
        names = each.mapping.names
        marking = self._marks.placed(each)
        if names in self._objects:
            return f"MERGE(TARGET, x){marking}"
        is_put = self._meets(names) and not is_plain
        return f"{'PUT(TARGET, KEY, x)' if is_put else 'TARGET[KEY] = x'}{marking}"

    def _place_parts(self, each: PlainMapping) -> dict[str, ast.expr]:
        names = each.mapping.names
        above = names if names in self._objects else names[:-1]
        return {
            "MERGE": self._bind(merge),
            "PUT": self._bind(put),
            "TARGET": load(self._objects[above]),
            "KEY": constant(names[-1]),
        }

    def _meets(self, names: Names) -> bool:
        """Whether something may be there already: by the same destination, or a copy above."""
        above = (names[:length] for length in range(1, len(names)))
        return len(self._destinations[names]) > 1 or any(
            each in self._destinations for each in above
        )

    def _linking_lines(self) -> list[ast.stmt]:
        """Put the objects that got something into those above them, from the bottom up."""
        lines: list[ast.stmt] = []
        for names, name in sorted(self._objects.items(), key=lambda item: -len(item[0])):
            if not names:
                continue
            is_met = any(names[:length] in self._destinations for length in range(1, len(names)))
            linking = "PUT(TARGET, KEY, OBJECT)" if is_met else "TARGET[KEY] = OBJECT"
            parts = {
                "PUT": self._bind(put),
                "TARGET": load(self._objects[names[:-1]]),
                "KEY": constant(names[-1]),
                "OBJECT": load(name),
            }
            lines += statements(f"if OBJECT:\n    {linking}", parts)
        return lines

    def _value(self, mapping: CompiledMapping) -> ast.expr:
        source = mapping.source
        if source.expression is not None:
            return expression_code(
                source.expression.checked,
                self._namespace,
                self._reads.read,
                policies=self._policies,
                evaluation=self._evaluation,
            )
        if source.path is None:
            return constant(source.constant)
        if source.wildcards:
            return self._call(compile_list_reader(source.path))
        if source.spelled:
            return self._call(source.reader())
        return self._reads.read(t.cast("Path", source.path))

    def _call(self, function: Callable[[Record], t.Any]) -> ast.expr:
        return expression(f"FUNCTION({RECORD})", {"FUNCTION": self._bind(function)})

    def _bind(self, value: t.Any) -> ast.expr:
        return self._namespace.bind(value, "bound")


def _paths(mapping: CompiledMapping) -> Iterable[Path]:
    """The paths that the code of a mapping reads, as often as it does."""
    source = mapping.source
    if source.expression is not None:
        return field_reads(source.expression.checked)
    if source.path is None or source.wildcards or source.spelled:
        return []
    return [t.cast("Path", source.path)]

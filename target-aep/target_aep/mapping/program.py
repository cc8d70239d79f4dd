"""All mappings of a set to plain paths as one Python function, made once per stream.

What mappings have in common is done once per record: walks to the same object, and the objects of
the row, which are local variables until they are put into each other at the end. Values that are
valid as they are get into the row without a call.
"""

from __future__ import annotations

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
from target_aep.mapping.object_copy import merge, put
from target_aep.mapping.shared_reads import SharedReads
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
Run = t.Callable[[Record], tuple[Record, dict[int, str], Failures]]
"""From a record to its row, the properties that were placed by destination, and what failed."""


@dataclass(frozen=True)
class PlainMapping:
    """A mapping to a path of names, and what becomes of its values.

    Attributes:
        mapping: The mapping.
        coerce: Converts a value, OMITTED for none; raises UnconvertibleError.
        as_it_is: The test, of a variable `x`, that a value is valid as it is; None if it is none.
        source_property: The property that this places; None if it is none of the remainder's.
    """

    mapping: CompiledMapping
    coerce: Coercer
    as_it_is: str | None
    source_property: str | None


def compile_program(
    mappings: Sequence[PlainMapping], policies: Policies, evaluation: Evaluation
) -> Run:
    """Compile mappings into one function.

    Args:
        mappings: In the order of the set.
        policies: How expressions are read.
        evaluation: What expressions know beside the record.
    """
    careful = _Program(mappings, policies, evaluation, None).compile()
    return _Program(mappings, policies, evaluation, careful).compile()


class _Program:
    """Makes the function.

    There are two: one for any record, and one for those without keys that are spelled like a path,
    which hands others over.
    """

    def __init__(
        self,
        mappings: Sequence[PlainMapping],
        policies: Policies,
        evaluation: Evaluation,
        careful: Run | None,
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
        self._places = {names: index for index, names in enumerate(self._destinations)}

    def compile(self) -> Run:
        body = [line for each in self._mappings for line in self._mapping_lines(each)]
        handing_over: list[ast.stmt] = []
        if self._careful:
            parts = {"SAFE": self._reads.no_literal_keys(), "CAREFUL": self._bind(self._careful)}
            handing_over = statements(f"if not SAFE:\n    return CAREFUL({RECORD})", parts)
        lines = [
            *self._reads.walking,
            *handing_over,
            *self._reads.reading,
            *statements("placed, failures = {}, []", {}),
            *[line for name in self._objects.values() for line in statements(f"{name} = {{}}", {})],
            *body,
            *self._linking_lines(),
            *statements(f"return {self._objects[()]}, placed, failures", {}),
        ]
        return compile_function(RECORD, lines, self._namespace.objects, "map_record")

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
            **self._place_parts(each),
        }
        place = self._place_template(each)
        as_it_is = f"if {each.as_it_is}:\n    {place}\nel" if each.as_it_is else ""
        converting = f"if (x := COERCE(x)) is not OMITTED:\n        {place}"
        taking = f"x = VALUE\n{as_it_is}if x is not None:\n    {converting}"
        return statements(
            f"try:\n{_indented(taking)}\n"
            "except FAILURES as error:\n    failures.append((NUMBER, error))\n"
            + (_EXPRESSION_FAULTS if each.mapping.source.expression else ""),
            parts,
        )

    def _place_template(self, each: PlainMapping) -> str:
        names = each.mapping.names
        marking = "; placed[PLACE] = PROPERTY" if each.source_property is not None else ""
        if names in self._objects:
            return f"MERGE(TARGET, x){marking}"
        return f"{'PUT(TARGET, KEY, x)' if self._meets(names) else 'TARGET[KEY] = x'}{marking}"

    def _place_parts(self, each: PlainMapping) -> dict[str, ast.expr]:
        names = each.mapping.names
        above = names if names in self._objects else names[:-1]
        return {
            "MERGE": self._bind(merge),
            "PUT": self._bind(put),
            "TARGET": load(self._objects[above]),
            "KEY": constant(names[-1]),
            "PLACE": constant(self._places[names]),
            "PROPERTY": constant(each.source_property),
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


_EXPRESSION_FAULTS = """
except PYTHON_ERRORS as error:
    failures.append((NUMBER, FAILURE_OF(error)))
"""


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())

"""Expressions into functions from a record to a value."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from target_aep.data_prep import syntax
from target_aep.data_prep.checking import Checker
from target_aep.data_prep.evaluation import Evaluation
from target_aep.data_prep.generating import Generator
from target_aep.data_prep.kinds import Kinds
from target_aep.data_prep.methods import METHODS
from target_aep.data_prep.namespace import Namespace
from target_aep.data_prep.parsing import parse_expression
from target_aep.data_prep.policies import Policies
from target_aep.data_prep.reading import calls_in, fields_in

if t.TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Mapping

    from target_aep.data_prep.function import Function, Kind, Value
    from target_aep.data_prep.syntax import Node, Step

_DEFAULT_POLICIES: t.Final = Policies()


@dataclass(frozen=True)
class CheckedExpression:
    """An expression that can be compiled.

    Attributes:
        text: Its text.
        node: Its syntax tree.
        fields: The paths that it reads, in the order of the text, each once.
        kind: What it gives, as far as the text tells; or null.
        caveats: What there is to say of its functions, each once.
    """

    text: str
    node: Node
    fields: tuple[tuple[Step, ...], ...]
    kind: Kind
    caveats: tuple[str, ...]
    _functions: Mapping[str, Function] = field(repr=False)
    _methods: Mapping[str, Function] = field(repr=False)

    def generate(
        self, namespace: Namespace, *, policies: Policies, evaluation: Evaluation
    ) -> ast.expr:
        """Generate its code, so that several can stand in one function.

        Args:
            namespace: Gets what the code needs by name; may be shared by expressions.
            policies: How null is taken.
            evaluation: The moment, and where chance comes from.

        Returns:
            Code of its value, which reads the record, a dict, from the variable `record`. It may
            raise EvaluationError, and what `namespace.PYTHON_ERRORS` holds.
        """
        generator = Generator(namespace, policies, evaluation, self._functions, self._methods)
        return generator.generate_whole(self.node)


@dataclass(frozen=True)
class CompiledExpression:
    """An expression that can be called.

    Attributes:
        checked: What is known of it.
        compute: The function from record to value that calling it calls.
    """

    checked: CheckedExpression
    compute: Callable[[dict[str, t.Any]], Value] = field(repr=False)

    @property
    def text(self) -> str:
        """Its text."""
        return self.checked.text

    @property
    def fields(self) -> tuple[tuple[Step, ...], ...]:
        """The paths that it reads."""
        return self.checked.fields

    @property
    def kind(self) -> Kind:
        """What it gives, as far as its text tells; or null."""
        return self.checked.kind

    @property
    def caveats(self) -> tuple[str, ...]:
        """What there is to say of its functions."""
        return self.checked.caveats

    def __call__(self, record: dict[str, t.Any]) -> Value:
        """Evaluate it.

        Args:
            record: The record, as its JSON is decoded.

        Returns:
            The value, None for null and for what the record does not have.

        Raises:
            EvaluationError: It has no value for this record.
        """
        return self.compute(record)


def check_expression(
    text: str, *, functions: Mapping[str, Function] | None = None
) -> CheckedExpression:
    """Parse and check an expression.

    Args:
        text: The expression, as a mapping holds it after its JSON is decoded.
        functions: Those that it may call, by name; Adobe's unless given.

    Returns:
        The expression, ready to be compiled.

    Raises:
        ExpressionError: It can't be used; the message says where and why.
    """
    known = _adobe_functions() if functions is None else functions
    named = {name: function for name, function in known.items() if not function.is_method}
    methods = {**METHODS, **{name: known[name] for name in known.keys() - named.keys()}}
    node = parse_expression(text)
    Checker(text, named, methods).check(node)
    used = [
        (named if isinstance(call, syntax.Call) else methods)[call.name] for call in calls_in(node)
    ]
    return CheckedExpression(
        text=text,
        node=node,
        fields=fields_in(node, named),
        kind=Kinds(named, methods).of(node),
        caveats=tuple(dict.fromkeys(f"{one.name}: {one.caveat}" for one in used if one.caveat)),
        _functions=named,
        _methods=methods,
    )


def compile_expression(
    text: str,
    *,
    policies: Policies = _DEFAULT_POLICIES,
    evaluation: Evaluation | None = None,
    functions: Mapping[str, Function] | None = None,
) -> CompiledExpression:
    """Compile an expression.

    Args:
        text: The expression, as a mapping holds it after its JSON is decoded.
        policies: How null is taken.
        evaluation: The moment and where chance comes from; whoever gives one begins its records.
        functions: Those that it may call, by name; Adobe's unless given.

    Returns:
        The expression as a function from record to value.

    Raises:
        ExpressionError: It can't be used; the message says where and why.
    """
    checked = check_expression(text, functions=functions)
    namespace = Namespace()
    moment = evaluation or Evaluation()
    code = checked.generate(namespace, policies=policies, evaluation=moment)
    compute = namespace.function(code, "expression")
    if evaluation is None and any(value is moment for value in namespace.objects.values()):
        compute = _anew(compute, moment)
    return CompiledExpression(checked, compute)


def _anew(
    compute: Callable[[dict[str, t.Any]], Value], evaluation: Evaluation
) -> Callable[[dict[str, t.Any]], Value]:
    """The function, with a moment of its own for each record."""

    def compute_anew(record: dict[str, t.Any]) -> Value:
        evaluation.begin_record()
        return compute(record)

    return compute_anew


def _adobe_functions() -> Mapping[str, Function]:
    from target_aep.data_prep.functions import FUNCTIONS  # noqa: PLC0415 - a hundred, and tables

    return FUNCTIONS

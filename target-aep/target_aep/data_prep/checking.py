"""What can be known to be wrong with an expression before it sees a record."""

from __future__ import annotations

import difflib
import typing as t

from target_aep.data_prep import java_regex, syntax
from target_aep.data_prep.date_patterns import date_pattern
from target_aep.data_prep.failures import EvaluationError, ExpressionError
from target_aep.data_prep.kinds import literal_kind
from target_aep.data_prep.numeric import number_in

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_aep.data_prep.function import Function, Kind, Parameter
    from target_aep.data_prep.syntax import Node

# Kinds of literals that a parameter of a kind can never take.
_NEVER: Mapping[Kind, frozenset[Kind]] = {
    "integer": frozenset({"boolean", "array", "object"}),
    "number": frozenset({"boolean", "array", "object"}),
    "date": frozenset({"boolean", "array", "object"}),
    "array": frozenset({"text", "boolean", "integer", "number", "object"}),
    "object": frozenset({"text", "boolean", "integer", "number", "array"}),
}
_IN_WORDS = {"integer": "an integer", "array": "an array", "object": "an object"}


class Checker:
    """Checks the nodes of one expression.

    Attributes:
        functions: Those that may be called by name.
        methods: Those that may be called on a value.
    """

    def __init__(
        self, text: str, functions: Mapping[str, Function], methods: Mapping[str, Function]
    ) -> None:
        self._text = text
        self._functions = functions
        self._methods = methods

    def check(self, root: Node) -> None:
        """Check all nodes.

        Raises:
            ExpressionError: What is wrong first, and where.
        """
        if isinstance(root, syntax.Lambda):
            self._refuse_lambda(root)
        for node, _ in syntax.walk(root):
            if isinstance(node, syntax.Call):
                self._check_call(node)
            elif isinstance(node, syntax.Method):
                self._check_method(node)
            else:
                self._check_operator(node)

    def _fail(self, problem: str, node: Node) -> t.NoReturn:
        raise ExpressionError(problem, self._text, node.position)

    def _refuse_lambda(self, node: Node) -> t.NoReturn:
        takers = [
            f"{name}(…)"
            for name, function in self._functions.items()
            if any(parameter.takes_lambda for parameter in function.parameters)
        ]
        hint = f"; {' and '.join(takers)} take one" if takers else ""
        self._fail(f"a lambda can't stand here{hint}", node)

    def _check_operator(self, node: Node) -> None:
        for child in node.children:
            if isinstance(child, syntax.Lambda):
                self._refuse_lambda(child)
        if isinstance(node, syntax.Binary) and node.operator in {"=~", "!~"}:
            self._check_pattern(node.right)

    def _check_call(self, node: syntax.Call) -> None:
        function = self._functions.get(node.name)
        if function is None:
            self._fail(self._unknown_function(node.name), node)
        self._check_refusal(function, node)
        self._check_arguments(function, function.parameters, node.arguments, node)

    def _unknown_function(self, name: str) -> str:
        if name in self._methods:
            return f"{name} is a method: write value.{name}(…)"
        near = _nearest(name, self._functions)
        return f"there is no function {name}{near}"

    def _check_method(self, node: syntax.Method) -> None:
        method = self._methods.get(node.name)
        if method is None:
            if node.name in self._functions:
                self._fail(f"{node.name} is a function: write {node.name}(value, …)", node)
            known = ", ".join(sorted(self._methods))
            near = _nearest(node.name, self._methods)
            self._fail(f"there is no method {node.name}{near}; there are {known}", node)
        if isinstance(node.target, syntax.Lambda):
            self._refuse_lambda(node.target)
        self._check_refusal(method, node)
        self._check_arguments(method, method.parameters[1:], node.arguments, node)

    def _check_refusal(self, function: Function, node: Node) -> None:
        if function.refusal is not None:
            self._fail(f"{function.name} is not available here: {function.refusal}", node)

    def _check_arguments(
        self,
        function: Function,
        parameters: Sequence[Parameter],
        arguments: Sequence[Node],
        node: Node,
    ) -> None:
        least = sum(parameter.required for parameter in parameters)
        unbounded = bool(parameters) and parameters[-1].variadic
        if len(arguments) < least or (len(arguments) > len(parameters) and not unbounded):
            self._fail(_wrong_count(function.name, parameters, least, len(arguments)), node)
        for index, argument in enumerate(arguments):
            parameter = parameters[min(index, len(parameters) - 1)]
            self._check_argument(function, parameter, argument)

    def _check_argument(self, function: Function, parameter: Parameter, argument: Node) -> None:
        where = f"{function.name}: {parameter.name}"
        if parameter.takes_lambda and not isinstance(argument, syntax.Lambda):
            self._fail(f"{where} is a lambda, such as x -> x > 0", argument)
        if isinstance(argument, syntax.Lambda) and not parameter.takes_lambda:
            self._refuse_lambda(argument)
        if parameter.is_pattern:
            self._check_pattern(argument)
        if parameter.is_date_pattern and isinstance(argument, syntax.Text):
            self._check_date_pattern(argument)
        kind = literal_kind(argument)
        wanted = _IN_WORDS.get(parameter.kind, f"a {parameter.kind}")
        if kind in _NEVER.get(parameter.kind, ()):
            self._fail(f"{where} takes {wanted}, which this can't be", argument)
        if parameter.kind in {"integer", "number"} and isinstance(argument, syntax.Text):
            self._check_numeric_text(f"{where} takes {wanted}, which this text is not", argument)

    def _check_numeric_text(self, problem: str, argument: syntax.Text) -> None:
        try:
            is_number = number_in(argument.value) is not None
        except EvaluationError as error:
            self._fail(f"{problem}: {error.reason}", argument)
        if not is_number:
            self._fail(problem, argument)

    def _check_date_pattern(self, node: syntax.Text) -> None:
        try:
            date_pattern(node.value)
        except EvaluationError as error:
            self._fail(error.reason, node)

    def _check_pattern(self, node: Node) -> None:
        if isinstance(node, syntax.Text):
            try:
                java_regex.check(node.value)
            except EvaluationError as error:
                self._fail(error.reason, node)


def _nearest(name: str, known: Mapping[str, Function]) -> str:
    lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f", did you mean {lower[near[0]]}?" if near else ""


def _wrong_count(name: str, parameters: Sequence[Parameter], least: int, given: int) -> str:
    names = ", ".join(
        f"{parameter.name}{', …' if parameter.variadic else ''}"
        if parameter.required
        else f"[{parameter.name}{', …' if parameter.variadic else ''}]"
        for parameter in parameters
    )
    if parameters and parameters[-1].variadic:
        takes = f"at least {least}"
    else:
        takes = f"{least}" if least == len(parameters) else f"{least} to {len(parameters)}"
    plural = "" if takes.endswith("1") and "to" not in takes else "s"
    shown = f" ({names})" if names else ""
    return f"{name} takes {takes} argument{plural}{shown}, not {given}"

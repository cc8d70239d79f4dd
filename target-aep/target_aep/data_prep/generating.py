"""Syntax trees into Python's own, which Python then compiles: no record is interpreted.

Text of the user's gets into the code only as constants.
"""

from __future__ import annotations

import ast
import typing as t
from decimal import Decimal

from target_aep.data_prep import operators, syntax
from target_aep.data_prep.budget import Budget, makes, needs_budget
from target_aep.data_prep.calling import quick_call
from target_aep.data_prep.comparison import COMPARISONS, truth
from target_aep.data_prep.field_access import read_path
from target_aep.data_prep.kinds import Kinds, literal_kind
from target_aep.data_prep.namespace import (
    RECORD,
    Namespace,
    call,
    choice,
    constant,
    is_exactly,
    is_not_null,
    is_null,
    keep,
    load,
    make_lambda,
    negation,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_aep.data_prep.evaluation import Evaluation
    from target_aep.data_prep.function import Function
    from target_aep.data_prep.policies import Policies
    from target_aep.data_prep.syntax import Node

_NULL = syntax.Constant(None)


_EQUALITIES: dict[str, ast.cmpop] = {"==": ast.Eq(), "!=": ast.NotEq()}
_ORDERS: dict[str, ast.cmpop] = {"<": ast.Lt(), "<=": ast.LtE(), ">": ast.Gt(), ">=": ast.GtE()}


class Generator:
    """Generates code in one namespace, for checked trees."""

    def __init__(
        self,
        namespace: Namespace,
        policies: Policies,
        evaluation: Evaluation,
        functions: Mapping[str, Function],
        methods: Mapping[str, Function],
    ) -> None:
        self._namespace = namespace
        self._arithmetic = operators.arithmetic(policies)
        self._null_receiver_fails = policies.method_on_null == "error"
        self._evaluation = evaluation
        self._functions = functions
        self._methods = methods
        self._kinds = Kinds(functions, methods)
        self._budget: Budget | None = None
        self._variables: dict[str, str] = {}
        self._generators: dict[type[Node], Callable[[t.Any], ast.expr]] = {
            syntax.Text: lambda node: constant(node.value),
            syntax.Number: self._number,
            syntax.Constant: lambda node: constant(node.value),
            syntax.Field: self._field,
            syntax.Item: self._item,
            syntax.Call: self._call,
            syntax.Method: self._method,
            syntax.Lambda: self._lambda,
            syntax.Unary: self._unary,
            syntax.Binary: self._binary,
            syntax.Logical: self._logical,
            syntax.Conditional: self._conditional,
            syntax.ArrayLiteral: self._array,
            syntax.SetLiteral: self._set,
            syntax.MapLiteral: self._map,
        }

    def generate_whole(self, node: Node) -> ast.expr:
        """Code of an expression, or of a lambda around it that gives it its fields."""
        if isinstance(node, syntax.Lambda):
            return self._function(node, self._whole)
        return self._whole(node)

    def _whole(self, node: Node) -> ast.expr:
        if not needs_budget(node):
            return self.generate(node)
        self._budget = Budget()
        begin = call(self._namespace.bind(self._budget.begin, "begin"))
        both = ast.Tuple([begin, self.generate(node)], ast.Load())
        return ast.Subscript(both, constant(1), ast.Load())

    def generate(self, node: Node) -> ast.expr:
        """Code of a node's value, which reads the record from the variable `record`."""
        code = self._generators[type(node)](node)
        if self._budget is None or not makes(node, self._functions, self._methods):
            return code
        return self._helper(self._budget.made, code)

    def _helper(self, function: Callable[..., t.Any], *arguments: ast.expr) -> ast.expr:
        name = getattr(function, "__name__", "helper")
        return call(
            self._namespace.bind(function, name if name.isidentifier() else "f"), *arguments
        )

    def _number(self, node: syntax.Number) -> ast.expr:
        if isinstance(node.value, Decimal):
            return self._namespace.bind(node.value, "decimal")
        return constant(node.value)

    def _field(self, node: syntax.Field) -> ast.expr:
        root, *steps = node.path
        variable = None if node.quoted else self._variables.get(str(root))
        if variable is None:
            return read_path(self._namespace, RECORD, node.path, is_object=True)
        return read_path(self._namespace, variable, steps, is_object=False)

    def _item(self, node: syntax.Item) -> ast.expr:
        return self._helper(operators.item, self.generate(node.target), self.generate(node.key))

    def _call(self, node: syntax.Call) -> ast.expr:
        function = self._functions[node.name]
        return self._quick(function, node.arguments) or self._invoke(
            function, [self.generate(argument) for argument in node.arguments]
        )

    def _quick(self, function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        if function.needs_evaluation or function.needs_record:
            return None
        return quick_call(self._namespace, self.generate, self._condition, function, arguments)

    def _invoke(self, function: Function, arguments: list[ast.expr]) -> ast.expr:
        context: list[ast.expr] = []
        if function.needs_evaluation:
            context.append(self._namespace.bind(self._evaluation, "evaluation"))
        if function.needs_record:
            context.append(load(RECORD))
        return call(self._namespace.bind(function.call, function.name), *context, *arguments)

    def _method(self, node: syntax.Method) -> ast.expr:
        method = self._methods[node.name]
        if method.form and not self._null_receiver_fails:
            quick = self._quick(method, [node.target, *node.arguments])
            if quick is not None:
                return quick
        target = self.generate(node.target)
        arguments = [self.generate(argument) for argument in node.arguments]
        if self._null_receiver_fails:
            receiver = self._helper(operators.refuse_null_receiver, target, constant(node.name))
            return self._invoke(method, [receiver, *arguments])
        name = self._namespace.variable()
        invoked = self._invoke(method, [load(name), *arguments])
        return choice(is_null(keep(name, target)), constant(None), invoked)

    def _lambda(self, node: syntax.Lambda) -> ast.expr:
        return self._function(node, self._counted)

    def _counted(self, node: Node) -> ast.expr:
        code = self.generate(node)
        return code if self._budget is None else self._helper(self._budget.called, code)

    def _function(self, node: syntax.Lambda, generate: Callable[[Node], ast.expr]) -> ast.expr:
        outer = self._variables
        names = {parameter: self._namespace.variable() for parameter in node.parameters}
        self._variables = outer | names
        body = generate(node.body)
        self._variables = outer
        return make_lambda(list(names.values()), body)

    def _condition(self, node: Node) -> ast.expr:
        value = self.generate(node)
        return value if self._is_python_boolean(node) else self._helper(truth, value)

    def _is_python_boolean(self, node: Node) -> bool:
        """Whether it gives True or False in any case; a function's boolean may be null."""
        is_call = isinstance(node, (syntax.Call, syntax.Method, syntax.Conditional))
        is_lazy = isinstance(node, syntax.Binary) and node.operator in {"?:", "??"}
        return not is_call and not is_lazy and self._kinds.of(node) == "boolean"

    def _unary(self, node: syntax.Unary) -> ast.expr:
        if node.operator == "!":
            return negation(self._condition(node.operand))
        functions = {
            "empty": operators.empty,
            "size": operators.size,
            "-": self._arithmetic["negate"],
            "+": self._arithmetic["plus"],
            "~": self._arithmetic["~"],
        }
        return self._helper(functions[node.operator], self.generate(node.operand))

    def _binary(self, node: syntax.Binary) -> ast.expr:
        if node.operator == "?:":
            name = self._namespace.variable()
            test = self._helper(truth, keep(name, self.generate(node.left)))
            return choice(test, load(name), self.generate(node.right))
        if node.operator == "??":
            name = self._namespace.variable()
            test = is_not_null(keep(name, self.generate(node.left)))
            return choice(test, load(name), self.generate(node.right))
        function = COMPARISONS.get(node.operator)
        if function is not None:
            return self._comparison(node, function)
        function = self._arithmetic[node.operator]
        return self._helper(function, self.generate(node.left), self.generate(node.right))

    def _comparison(self, node: syntax.Binary, function: Callable[..., bool]) -> ast.expr:
        """Those with a literal, which are most, without a call."""
        left = self.generate(node.left)
        is_literal = literal_kind(node.left) != "any"
        if node.right == _NULL and node.operator in {"==", "!="} and not is_literal:
            return (is_null if node.operator == "==" else is_not_null)(left)
        quick = _quick_operator(node)
        if quick is None:
            return self._helper(function, left, self.generate(node.right))
        name = self._namespace.variable()
        literal = self.generate(node.right)
        return choice(
            is_exactly(keep(name, left), "str" if isinstance(node.right, syntax.Text) else "int"),
            ast.Compare(load(name), [quick], [literal]),
            self._helper(function, load(name), literal),
        )

    def _logical(self, node: syntax.Logical) -> ast.expr:
        operator = ast.And() if node.operator == "&&" else ast.Or()
        return ast.BoolOp(operator, [self._condition(operand) for operand in node.operands])

    def _conditional(self, node: syntax.Conditional) -> ast.expr:
        return choice(
            self._condition(node.test), self.generate(node.then), self.generate(node.otherwise)
        )

    def _array(self, node: syntax.ArrayLiteral) -> ast.expr:
        return ast.List([self.generate(item) for item in node.items], ast.Load())

    def _set(self, node: syntax.SetLiteral) -> ast.expr:
        items = ast.List([self.generate(item) for item in node.items], ast.Load())
        return self._helper(operators.unique, items)

    def _map(self, node: syntax.MapLiteral) -> ast.expr:
        keys: list[ast.expr | None] = [self._key(key) for key, _ in node.entries]
        return ast.Dict(keys, [self.generate(value) for _, value in node.entries])

    def _key(self, node: Node) -> ast.expr:
        key = self.generate(node)
        return key if isinstance(node, syntax.Text) else self._helper(operators.key_text, key)


def _quick_operator(node: syntax.Binary) -> ast.cmpop | None:
    """Python's operator, if it does the same for a value of the type of the literal on the right.

    It doesn't for the order of texts, which Java takes by their UTF-16.
    """
    if isinstance(node.right, syntax.Text):
        return _EQUALITIES.get(node.operator)
    if isinstance(node.right, syntax.Number) and isinstance(node.right.value, int):
        return (_EQUALITIES | _ORDERS).get(node.operator)
    return None

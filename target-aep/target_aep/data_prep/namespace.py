"""The names that generated code uses: never a word of the user's."""

from __future__ import annotations

import ast
import typing as t

from target_aep.data_prep.failures import EvaluationError

RECORD: t.Final = "record"
"""The variable that generated code reads the record from."""

PYTHON_ERRORS: t.Final = (RecursionError, ArithmeticError, MemoryError)
"""What generated code may raise beside EvaluationError; `failure_of` makes one of them."""

_GUARD = """
try:
    pass
except (RecursionError, ArithmeticError, MemoryError) as error:
    raise failure_of(error) from None
"""


class Namespace:
    """Names for the objects that generated code needs, and for its local variables.

    One may serve several expressions, so that their code can stand in one function.

    Attributes:
        objects: By name, what `exec` has to be given as globals.
    """

    def __init__(self) -> None:
        self.objects: dict[str, t.Any] = {}
        self._names: dict[int, str] = {}
        self._variables = 0

    def bind(self, value: t.Any, hint: str) -> ast.expr:
        """Code that reads an object; the same object keeps its name."""
        name = self._names.get(id(value))
        if name is None:
            name = f"{hint}_{len(self.objects)}"
            self._names[id(value)] = name
            self.objects[name] = value
        return load(name)

    def variable(self) -> str:
        """A name for a local variable, that no other has."""
        self._variables += 1
        return f"v{self._variables}"

    def function(self, body: ast.expr, name: str) -> t.Callable[[dict[str, t.Any]], t.Any]:
        """Compile an expression's code into a function of the record.

        Args:
            body: Code that reads the record from the variable `record`.
            name: How it shows in tracebacks.

        Returns:
            The function; it raises EvaluationError, and nothing else.
        """
        guarded = t.cast("ast.Try", ast.parse(_GUARD).body[0])
        guarded.body = [ast.Return(body)]
        self.objects["failure_of"] = failure_of
        return self.functions(RECORD, [guarded], name)

    def functions(
        self, parameter: str, statements: list[ast.stmt], name: str
    ) -> t.Callable[..., t.Any]:
        """Compile `def name(parameter): statements`.

        Args:
            parameter: The name of its only parameter.
            statements: Its body, of this module's expressions.
            name: How it shows in tracebacks.
        """
        module = ast.parse(f"def {name}({parameter}): pass")
        t.cast("ast.FunctionDef", module.body[0]).body = statements
        for node in ast.walk(module):
            if isinstance(node, (ast.expr, ast.stmt, ast.arg, ast.excepthandler)):
                node.lineno = node.end_lineno = 1
                node.col_offset = node.end_col_offset = 0
        scope = dict(self.objects)
        exec(compile(module, f"<{name}>", "exec"), scope)  # noqa: S102 - no text of a user's
        return t.cast("t.Callable[..., t.Any]", scope[name])


def failure_of(error: Exception) -> EvaluationError:
    """The documented error for one of Python's own, which generated code lets through."""
    if isinstance(error, RecursionError):
        return EvaluationError("the value is nested too deeply")
    if isinstance(error, MemoryError):
        return EvaluationError("the value takes more memory than there is")
    return EvaluationError("the numbers can't be computed with")


def load(name: str) -> ast.expr:
    """Code that reads a variable."""
    return ast.Name(name, ast.Load())


def constant(value: bool | float | str | None) -> ast.expr:
    """Code of a constant."""
    return ast.Constant(value)


def call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    """Code of a call."""
    return ast.Call(function, list(arguments), [])


def choice(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    """Code of `then if test else otherwise`."""
    return ast.IfExp(test, then, otherwise)


def keep(name: str, value: ast.expr) -> ast.expr:
    """Code of `(name := value)`."""
    return ast.NamedExpr(ast.Name(name, ast.Store()), value)


def is_exactly(value: ast.expr, type_name: str) -> ast.expr:
    """Code of `value.__class__ is type_name`, which is faster than isinstance."""
    own = ast.Attribute(value, "__class__", ast.Load())
    return ast.Compare(own, [ast.Is()], [load(type_name)])


def is_null(value: ast.expr) -> ast.expr:
    """Code of `value is None`."""
    return ast.Compare(value, [ast.Is()], [constant(None)])


def is_not_null(value: ast.expr) -> ast.expr:
    """Code of `value is not None`."""
    return ast.Compare(value, [ast.IsNot()], [constant(None)])


def negation(value: ast.expr) -> ast.expr:
    """Code of `not value`."""
    return ast.UnaryOp(ast.Not(), value)


def make_lambda(parameters: list[str], body: ast.expr) -> ast.expr:
    """Code of a lambda that takes any number of arguments; those not given are None."""
    arguments = _arguments(parameters)
    arguments.defaults = [constant(None) for _ in parameters]
    arguments.vararg = ast.arg("rest")
    return ast.Lambda(arguments, body)


def _arguments(names: list[str]) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name) for name in names],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )

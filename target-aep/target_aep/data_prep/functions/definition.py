"""How a module of functions says what each of them is called, takes and gives.

A signature reads `name(PARAMETER: kind, …) -> kind`. A kind may be followed by `?` (may be left
out), `+` (given once or more), `*` (any number of times), or `|null` (null is passed on to the
function). For every other parameter null means null: the function is not called and gives null.
A kind `pattern` is a text that is a regular expression, and `lambda` is `x -> …`.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from target_aep.data_prep.function import Function, Kind, Parameter
from target_aep.data_prep.functions.arguments import converter

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Unpack

    from target_aep.data_prep.function import Form, Value
    from target_aep.data_prep.functions.arguments import Convert

_SIGNATURE = re.compile(r"(\w+)\((.*)\) -> (\w+)")
_PARAMETER = re.compile(r"(\w+): (\w+)([?+*]?)(\|null)?")

_Implementation = t.TypeVar("_Implementation", bound=t.Callable[..., t.Any])


class Notes(t.TypedDict, total=False):
    """What a `Function` says beside its signature."""

    needs_evaluation: bool
    needs_record: bool
    is_method: bool
    caveat: str | None
    refusal: str | None
    form: Form | None


@dataclass
class Category:
    """The functions below one heading of the documentation.

    Attributes:
        name: The heading.
        functions: Those that have been defined.
    """

    name: str
    functions: list[Function] = field(default_factory=list)

    def define(
        self, signature: str, *aliases: str, **notes: Unpack[Notes]
    ) -> Callable[[_Implementation], _Implementation]:
        """Make a decorator that registers what it decorates, and leaves it as it is.

        Args:
            signature: As the module says.
            aliases: Other names for the same.
            notes: What else there is to say of it.
        """
        parts = t.cast("re.Match[str]", _SIGNATURE.fullmatch(signature))
        inputs = [_input(text) for text in parts[2].split(", ") if text]
        context = notes.get("needs_evaluation", False) + notes.get("needs_record", False)

        def register(implementation: _Implementation) -> _Implementation:
            for name in (parts[1], *aliases):
                self.functions.append(
                    Function(
                        name=name,
                        category=self.name,
                        parameters=tuple(parameter for parameter, _ in inputs),
                        returns=t.cast("Kind", parts[3]),
                        call=_adapted(name, implementation, inputs, context),
                        direct=None if context else implementation,
                        **notes,
                    )
                )
            return implementation

        return register


def _input(text: str) -> tuple[Parameter, bool]:
    """A parameter, and whether null for it is the function's affair."""
    name, kind, number, nullable = t.cast("re.Match[str]", _PARAMETER.fullmatch(text)).groups()
    is_nullable = bool(nullable) or kind == "any" or bool(number)
    parameter = Parameter(
        name=name,
        kind=t.cast(
            "Kind", {"pattern": "text", "datepattern": "text", "lambda": "any"}.get(kind, kind)
        ),
        required=number in ("", "+"),
        variadic=number in ("+", "*"),
        takes_lambda=kind == "lambda",
        is_pattern=kind == "pattern",
        is_date_pattern=kind == "datepattern",
        null_gives_null=not is_nullable,
    )
    return parameter, is_nullable


def _adapted(
    name: str,
    implementation: Callable[..., Value],
    inputs: Sequence[tuple[Parameter, bool]],
    context: int,
) -> Callable[..., Value]:
    """The implementation behind the conversion of its arguments."""
    converters = [converter(name, parameter) for parameter, _ in inputs]
    if not any(converters) and all(nullable for _, nullable in inputs):
        return implementation
    if context == 0 and len(inputs) == 1 and inputs[0][0].kind == "text" and not inputs[0][1]:
        return _of_text(implementation, t.cast("Convert", converters[0]))
    strict = [index for index, (_, nullable) in enumerate(inputs) if not nullable]
    many = converters[-1] if inputs and inputs[-1][0].variadic else None

    def call(*given: Value) -> Value:
        values = list(given)
        for index, convert in enumerate(converters, context):
            if convert is not None and index < len(values):
                values[index] = convert(values[index])
        if many is not None:
            values[context + len(converters) :] = map(many, values[context + len(converters) :])
        for index in strict:
            if values[context + index] is None:
                return None
        return implementation(*values)

    return call


def _of_text(implementation: Callable[..., Value], convert: Convert) -> Callable[[Value], Value]:
    def call(value: Value) -> Value:
        text = value if value.__class__ is str else convert(value)
        return None if text is None else implementation(text)

    return call

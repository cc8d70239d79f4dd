"""What the compiler knows of a function of the language."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Kind = t.Literal["any", "text", "boolean", "integer", "number", "date", "array", "object"]
"""Kinds of values: `any` may be each of them and null, `object` is also a map."""

Form = t.Literal["coalesce", "concat", "decode", "equals", "iif", "to_object"]

Value = t.Any
"""None, bool, int, float, Decimal, str, list, dict, or a `ZonedDateTime`."""


@dataclass(frozen=True)
class Parameter:
    """A parameter.

    Attributes:
        name: As the documentation calls it.
        kind: What it takes; any value may be null.
        required: Whether it has to be given.
        variadic: Whether it may be given several times; the last parameter only.
        takes_lambda: Whether it is `x -> …`, which the function gets as a callable.
        is_pattern: Whether it is a regular expression, which is checked where it is a literal.
        is_date_pattern: Whether it is a pattern of date letters, which is checked like that.
        null_gives_null: Whether the function is null where this is null.
    """

    name: str
    kind: Kind = "any"
    required: bool = True
    variadic: bool = False
    takes_lambda: bool = False
    is_pattern: bool = False
    is_date_pattern: bool = False
    null_gives_null: bool = False


@dataclass(frozen=True)
class Function:
    """A function that expressions may call.

    Attributes:
        name: Its name, which is case-sensitive.
        category: The heading it has in the documentation.
        parameters: What it takes, in order.
        returns: What it gives (or null).
        call: Takes the values of the arguments; raises EvaluationError. Where `needs_evaluation`
            is set, an `Evaluation` comes before them.
        needs_evaluation: Whether it depends on the moment or on chance.
        needs_record: Whether it looks into the record itself, as `contains_key("a.b")` does, which
            then comes before the arguments (and after the `Evaluation`).
        is_method: Whether it is called on a value, `value.name(…)`, its first argument.
        caveat: Said once, at compile time: what Adobe limits it to, or how it differs here.
        refusal: Why it can't be computed here; such a function has no `call` that is used.
        direct: The same as `call` for arguments that are of the kinds of the parameters, none of
            them null; None if there is no such.
        form: What code may stand in the place of a call, see `calling`.
    """

    name: str
    category: str
    parameters: tuple[Parameter, ...]
    returns: Kind
    call: t.Callable[..., Value]
    needs_evaluation: bool = False
    needs_record: bool = False
    is_method: bool = False
    caveat: str | None = None
    refusal: str | None = None
    direct: t.Callable[..., Value] | None = None
    form: Form | None = None

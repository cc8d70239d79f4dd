"""A few functions, so that tests of the language don't depend on Adobe's hundred."""

from __future__ import annotations

from typing import Any

from target_aep.data_prep.compiling import CompiledExpression, compile_expression
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.function import Function, Parameter
from target_aep.data_prep.java_text import bounded, text_of


def _array(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise EvaluationError("not an array")


def _upper(value: Any) -> Any:
    return None if value is None else text_of(value).upper()


def _fail(*_arguments: Any) -> Any:
    raise EvaluationError("it always fails")


FUNCTIONS = {
    function.name: function
    for function in (
        Function("upper", "strings", (Parameter("STRING", "text"),), "text", _upper),
        Function(
            "concat",
            "strings",
            (Parameter("STRING", "text", variadic=True),),
            "text",
            lambda *values: bounded("".join(map(text_of, values))),
        ),
        Function(
            "left",
            "strings",
            (Parameter("STRING", "text"), Parameter("COUNT", "integer")),
            "text",
            lambda text, count: text_of(text)[: count if isinstance(count, int) else 0],
        ),
        Function(
            "matches_regex",
            "regexes",
            (Parameter("STRING", "text"), Parameter("REGEX", "text", is_pattern=True)),
            "boolean",
            lambda _text, _pattern: True,
        ),
        Function(
            "iif",
            "logic",
            (Parameter("EXPRESSION", "boolean"), Parameter("TRUE_VALUE"), Parameter("FALSE_VALUE")),
            "any",
            lambda test, then, otherwise: then if test else otherwise,
        ),
        Function(
            "date",
            "dates",
            (Parameter("DATE", "text"), Parameter("FORMAT", "text", required=False)),
            "date",
            _fail,
        ),
        Function("fail", "logic", (), "any", _fail),
        Function(
            "now",
            "dates",
            (),
            "integer",
            lambda evaluation: evaluation.epoch_milliseconds,
            needs_evaluation=True,
        ),
        Function(
            "contains_key",
            "objects",
            (Parameter("INPUT", "text"),),
            "boolean",
            lambda record, key: isinstance(key, str) and key in record,
            needs_record=True,
        ),
        Function(
            "filterArray",
            "arrays",
            (Parameter("ARRAY", "array"), Parameter("PREDICATE", takes_lambda=True)),
            "array",
            lambda items, holds: [item for item in _array(items) if holds(item)],
            caveat="only in destinations",
        ),
        Function(
            "transformArray",
            "arrays",
            (Parameter("ARRAY", "array"), Parameter("PREDICATE", takes_lambda=True)),
            "array",
            lambda items, change: [change(item) for item in _array(items)],
        ),
        Function("fpid_to_ecid", "special", (Parameter("FPID"),), "text", _fail, refusal="secret"),
        Function(
            "equals",
            "strings",
            (Parameter("STRING1"), Parameter("STRING2")),
            "boolean",
            lambda one, other: type(one) is type(other) and one == other,
            is_method=True,
        ),
    )
}


def compiled(text: str, **settings: Any) -> CompiledExpression:
    return compile_expression(text, functions=FUNCTIONS, **settings)


def value_of(text: str, record: dict[str, Any] | None = None, **settings: Any) -> Any:
    return compiled(text, **settings)(record or {})

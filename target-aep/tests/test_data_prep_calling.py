"""Calls that go straight to a function, or need none, give what `Function.call` gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from data_prep_values import dates, telling_texts, values
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from target_aep.data_prep import syntax
from target_aep.data_prep.automatic_dates import _parse_canonical, _parse_iso
from target_aep.data_prep.compiling import check_expression, compile_expression
from target_aep.data_prep.date_patterns import _printed, date_pattern
from target_aep.data_prep.failures import EvaluationError, ExpressionError
from target_aep.data_prep.functions import FUNCTIONS
from target_aep.data_prep.java_text import MOST_CHARACTERS
from target_aep.data_prep.policies import Policies
from target_aep.data_prep.printing import print_expression

GENERAL = {name: replace(each, direct=None, form=None) for name, each in FUNCTIONS.items()}
USED = [
    *("upper", "lower", "trim", "concat", "iif", "coalesce", "decode", "to_object", "substr"),
    *("left", "right", "replacestr", "split", "join", "get_url_host", "sha256", "format", "date"),
    *("equals", "equalsIgnoreCase", "get", "is_empty", "instr", "lpad", "size_of", "to_integer"),
    *("map_get_values", "to_array", "explode", "get_values", "date_part", "first", "dformat"),
]
FIELDS = st.sampled_from(["a", "b", "c"]).map(lambda name: syntax.Field((name,)))
LITERALS = (
    st.sampled_from(["", "x", "a", "ß", "yyyy-MM-dd", "2024-02-29T05:05:48.000Z", ","]).map(
        syntax.Text
    )
    | st.sampled_from([0, 1, 3, 2**31, 2**63, 2**64, 1.5]).map(syntax.Number)
    | st.sampled_from([True, False, None]).map(syntax.Constant)
    | st.integers(0, 5).map(lambda value: syntax.Unary("-", syntax.Number(value)))
)
FORMS = ["coalesce", "concat", "decode", "equals", "iif", "to_object"] * 3
NAMES = st.sampled_from(["", "x", "a", "true"]).map(syntax.Text)
OPTIONS = NAMES | NAMES | st.sampled_from([True, False]).map(syntax.Constant) | LITERALS
ARGUMENTS = FIELDS | FIELDS | LITERALS
TEXTS = st.sampled_from(["", "x", "a", "true", " A b ", "http://x.de/", "a,b", "ŉß😀", "\ud800"])
RECORDS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(["a", "b", "c"], TEXTS | TEXTS | telling_texts | values)
)


def _usual(parameter, arguments):
    """Mostly what can be called without a conversion."""
    if parameter.kind in ("integer", "number"):
        return st.integers(0, 3).map(syntax.Number) | arguments
    return arguments


@st.composite
def calls(draw, arguments):
    name = draw(st.sampled_from([*USED, *FORMS]))
    function = FUNCTIONS[name]
    parameters = [each for each in function.parameters if each.required or draw(st.booleans())]
    if parameters[-1].variadic:
        parameters += [parameters[-1]] * draw(st.integers(0, 5))
    given_values = [draw(_usual(each, arguments)) for each in parameters]
    if name == "decode" and draw(st.booleans()):
        given_values[1:] = [draw(OPTIONS) for _ in given_values[1:]]
    if name == "to_object" and draw(st.booleans()):
        given_values[::2] = [draw(NAMES) for _ in given_values[::2]]
    if function.is_method:
        if name == "equals" and draw(st.booleans()):
            given_values[1] = draw(NAMES)
        return syntax.Method(given_values[0], function.name, tuple(given_values[1:]))
    return syntax.Call(function.name, tuple(given_values))


TREES = calls(ARGUMENTS | calls(ARGUMENTS | calls(ARGUMENTS)))


def outcome(text, functions, policies, record):
    try:
        return repr(compile_expression(text, policies=policies, functions=functions)(record))
    except EvaluationError as error:
        return error.reason


@settings(max_examples=max(3_000, settings().max_examples), suppress_health_check=list(HealthCheck))
@given(TREES, RECORDS, st.sampled_from(["null", "error"]))
@example(
    syntax.Call(
        "decode",
        (
            syntax.Field(("a",)),
            *map(syntax.Constant, (True, False)),
            *map(syntax.Text, ("a", "b", "c")),
        ),
    ),
    {"a": 1},
    "null",
)
@example(
    syntax.Call("decode", (syntax.Field(("a",)), *map(syntax.Text, ("x", "1", "x", "2")))),
    {"a": "x"},
    "null",
)
@example(syntax.Call("coalesce", (syntax.Field(("a",)),)), {"a": [None, 1]}, "null")
@example(syntax.Call("left", (syntax.Field(("a",)), syntax.Number(2**64))), {"a": "b"}, "null")
def test_quick_calls_give_what_general_ones_do(tree, record, method_on_null):
    text = print_expression(tree)
    try:
        check_expression(text)
    except ExpressionError:
        return
    policies = Policies(method_on_null=method_on_null)
    quick = outcome(text, FUNCTIONS, policies, record)
    assert quick == outcome(text, GENERAL, policies, record)


@pytest.mark.parametrize(
    "text", ["upper(a)", "lower(a)", 'concat(a, "x")', "concat(a, b)", 'iif(a == b, a, "y")']
)
@pytest.mark.parametrize("size", [MOST_CHARACTERS - 1, MOST_CHARACTERS, MOST_CHARACTERS + 1])
def test_quick_calls_have_the_limits_of_general_ones(text, size):
    record = {"a": "a" * size, "b": ""}
    quick = outcome(text, FUNCTIONS, Policies(), record)
    assert quick == outcome(text, GENERAL, Policies(), record)


def test_both_values_of_iif_are_computed_where_one_may_fail():
    with pytest.raises(EvaluationError, match="date pattern"):
        compile_expression('iif(true, "x", date("y", "yyyy"))')({})


@pytest.mark.parametrize("levels", [11, 12, 13, 60])
def test_calls_may_be_nested_as_deeply_as_expressions_can(levels):
    text = "concat(" * levels + "a" + ", b, c, d)" * levels
    record = dict(zip("abcd", "abcd", strict=True))
    assert compile_expression(text)(record) == "a" + "bcd" * levels


@given(st.from_regex(r"\A[0-2]\d\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d\.\d{3}Z\Z"))
def test_a_date_time_in_utc_is_read_as_any_other(text):
    quick, general = _parse_canonical(text), _parse_iso(text)
    assert quick == general
    assert quick is None or quick.text == general.text


@given(dates)
def test_a_pattern_of_plain_numbers_prints_as_any_other(date):
    pattern = date_pattern("yyyy-MM-dd'T'HH:mm:ss '100%'")
    assert pattern.format(date) == "".join(_printed(date, each) for each in pattern.tokens)

"""Whatever they are given, functions give a value or say why there is none, and soon."""

from __future__ import annotations

import time

import pytest
from data_prep_values import dates, nested, nested_objects, numbers, telling_texts, texts, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_aep.data_prep.evaluation import Evaluation
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions import FUNCTIONS
from target_aep.data_prep.java_text import MOST_CHARACTERS, text_of
from target_aep.data_prep.zoned_date_time import ZonedDateTime

LONGEST_CALL = 5.0
"""Seconds: far more than any call takes, far less than one without a bound."""

OF_KIND = {
    "text": texts | telling_texts,
    "integer": st.integers(-3, 40) | numbers,
    "number": numbers | texts,
    "boolean": st.booleans(),
    "date": dates | telling_texts,
    "array": st.lists(values, max_size=5),
    "object": st.dictionaries(texts, values, max_size=5),
}


def arguments(function):
    """Any values, most of them of the kind that the function takes."""
    each = [_argument(parameter) for parameter in function.parameters]
    last = function.parameters[-1:]
    if last and last[0].variadic:
        return st.tuples(st.tuples(*each), st.lists(each[-1], max_size=4)).map(
            lambda parts: (*parts[0], *parts[1])
        )
    required = sum(parameter.required for parameter in function.parameters)
    return st.integers(required, len(each)).flatmap(lambda count: st.tuples(*each[:count]))


def _argument(parameter):
    if parameter.takes_lambda:
        return st.sampled_from([lambda value: value, lambda value: [value], _fail])
    return OF_KIND.get(parameter.kind, values) | values


def _fail(_value):
    raise EvaluationError("the lambda has no value")


def call(function, given_values):
    """Call a function as the compiler does; EvaluationError is an answer too."""
    context = []
    if function.needs_evaluation:
        context.append(Evaluation())
    if function.needs_record:
        context.append({"a": {"b": 1}})
    started = time.monotonic()
    try:
        return function.call(*context, *given_values)
    except EvaluationError as error:
        return error
    finally:
        assert time.monotonic() - started < LONGEST_CALL


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_function_gives_a_value_or_the_reason_why_not(name, data):
    function = FUNCTIONS[name]
    result = call(function, data.draw(arguments(function)))
    if isinstance(result, EvaluationError):
        assert result.reason
    elif isinstance(result, str):
        assert len(result) <= MOST_CHARACTERS
    else:
        known = (type(None), bool, int, float, list, dict, ZonedDateTime)
        assert isinstance(result, known) or function.returns == "any"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_survives_what_is_very_deep_or_very_large(name):
    function = FUNCTIONS[name]
    required = [parameter for parameter in function.parameters if parameter.required]
    # A number of over 4,300 digits is one that Python itself refuses to print.
    for value in (nested(5000), nested_objects(5000), 10**5000, "a😀" * 100_000):
        call(function, [(lambda item: item) if p.takes_lambda else value for p in required])


@given(values)
def test_every_value_has_a_text_or_the_reason_why_not(value):
    try:
        text = text_of(value)
    except EvaluationError as error:
        text = error.reason
    assert isinstance(text, str)

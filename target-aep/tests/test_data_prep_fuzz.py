"""Whatever the text and the record are, only the documented errors come.

2,000 examples of most, and 100,000 with `HYPOTHESIS_PROFILE=nightly`.
"""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from data_prep_doubles import compiled
from data_prep_expressions import any_trees, calls_of, known_trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_aep.data_prep.compiling import compile_expression
from target_aep.data_prep.failures import EvaluationError, ExpressionError
from target_aep.data_prep.functions import FUNCTIONS
from target_aep.data_prep.policies import Policies
from target_aep.data_prep.printing import print_expression
from target_aep.data_prep.zoned_date_time import ZonedDateTime

EXAMPLES = max(2_000, settings.default.max_examples)
WORDS = """
    a b list text x upper concat filterArray contains_key new not empty size and or eq true false
    null 0 1 1.5 2b 0x1F 09 ' " 'a' "b" '\\u0041' \\ ( ) [ ] { } ${ ${a} ${a\\.b} . , : ; ? ?: ?? ->
    = == != < <= > >= =~ !~ =^ !^ =$ !$ + - * / % & && | || ^ ~ ! # ## // /* */ @ ` [*] [0] .trim()
    x-> (x)-> __class__ 名 😀
"""
TOKENS = (*WORDS.split(), " ", "\n", "\ud800")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**63, 10**400, -(2**5000)]),
    st.floats(),
    st.decimals(),
    st.text(max_size=5),
    st.sampled_from(
        ["", "5", "-1.5e3", "1e999999999", "9" * 500, "(a+)+", "false", "\ud800", " 7 "]
    ),
    st.just(ZonedDateTime(datetime(2024, 2, 29, tzinfo=timezone.utc), 5)),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "x", "a.b"]) | st.text(max_size=3), inner, max_size=3
        )
    ),
    max_leaves=8,
)
records = st.dictionaries(st.sampled_from(["a", "b", "text", "list", "x", "a.b"]), values)
policies = st.builds(
    Policies, st.sampled_from(["error", "zero"]), st.sampled_from(["null", "error"])
)

fuzzed = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
pytestmark = pytest.mark.timeout(6 * 3600 if EXAMPLES > 2_000 else 300)


def run(text, record, policy):
    try:
        compiled(text, policies=policy)(record)
    except (ExpressionError, EvaluationError) as error:
        assert str(error)  # noqa: PT017


@fuzzed
@given(st.text(max_size=40), records, policies)
def test_random_text_raises_only_documented_errors(text, record, policy):
    run(text, record, policy)


@fuzzed
@given(
    st.lists(st.sampled_from(TOKENS), max_size=15), st.sampled_from(["", " "]), records, policies
)
def test_token_soup_raises_only_documented_errors(tokens, glue, record, policy):
    run(glue.join(tokens), record, policy)


@fuzzed
@given(known_trees, records, policies)
def test_expressions_raise_only_documented_errors(tree, record, policy):
    run(print_expression(tree), record, policy)


@fuzzed
@given(any_trees, st.data(), policies)
def test_damaged_expressions_raise_only_documented_errors(tree, data, policy):
    text = print_expression(tree)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 4)))
    middle = data.draw(st.sampled_from(["", *TOKENS]))
    run(f"{text[:start]}{middle}{text[end:]}", {"a": "1"}, policy)


@settings(fuzzed, max_examples=EXAMPLES // 4)
@given(calls_of(FUNCTIONS), records, policies)
def test_calls_of_adobes_functions_raise_only_documented_errors(tree, record, policy):
    try:
        compile_expression(print_expression(tree), policies=policy)(record)
    except (ExpressionError, EvaluationError) as error:
        assert str(error)  # noqa: PT017

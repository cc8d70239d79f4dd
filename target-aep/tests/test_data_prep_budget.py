"""What an expression makes and how often it calls lambdas is bounded for each record."""

from __future__ import annotations

import contextlib
import time
from decimal import Decimal
from typing import Any

import pytest
from target_aep.data_prep.budget import needs_budget
from target_aep.data_prep.compiling import compile_expression
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.limits import LAMBDA_CALLS, UNWATCHED_NODES
from target_aep.data_prep.namespace import failure_of
from target_aep.data_prep.parsing import parse_expression
from target_aep.data_prep.printing import print_expression


def repeated(step: str, times: int) -> str:
    text = "[0]"
    for _ in range(times):
        text = f"first(transformArray([{text}], x -> {step}))"
    return text


HUNDRED = 'explode(lpad("", 99, ","), ",")'
MANY = 'explode(lpad("", 1000000, ","), ",")'
LONG_TEXT = 'lpad("", 1000000, "a")'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"transformArray({MANY}, x -> {LONG_TEXT})", "texts of more than 16 MiB"),
        (f"size(transformArray({MANY}, x -> {MANY}))", "lists of more than"),
        (f"transformArray({HUNDRED}, x -> size {LONG_TEXT})", "texts of more than 16 MiB"),
        (f'transformArray({HUNDRED}, x -> "{"a" * 3000}" + {LONG_TEXT})', "texts of more than"),
        (repeated(f"join_arrays({','.join('x' * 10)})", 9), "lists of more than"),
        (repeated(f"[{','.join('x' * 10)}]", 9), "lists of more than"),
        (repeated(f"to_object({','.join(f'{i},x' for i in range(10))})", 9), "lists of more than"),
        (f"{repeated('[x,x,x,x]', 12)}.toString()", "lists of more than"),
        (f"transformArray({HUNDRED}, x->" * 6 + "1" + ")" * 6, "lambdas are called more than"),
        (f"filterArray({HUNDRED}, x->" * 6 + "true" + ")" * 6, "lambdas are called more than"),
        (f"join_arrays({','.join(['a'] * 20)})", "join_arrays: more than"),
        (f"flattenArray([{','.join(['a'] * 20)}])", "flattenArray: more than"),
        ('arrays_to_objects("a", a, "b", a)', "too many elements"),
        (f"[{','.join([LONG_TEXT] * 100)}]", "texts of more than 16 MiB"),
        (f"[{','.join(['a'] * 100)}]", "lists of more than"),
    ],
)
def test_bombs_end_soon(text, reason):
    compute = compile_expression(text)
    record = {"a": list(range(200_000))}
    begin = time.perf_counter()
    for _ in range(2):
        with pytest.raises(EvaluationError, match=reason):
            compute(record)
    assert time.perf_counter() - begin < 10


def test_each_record_has_a_budget_of_its_own():
    compute = compile_expression("transformArray(a, x -> x + 1)")
    record = {"a": list(range(LAMBDA_CALLS))}
    assert len(compute(record)) == len(compute(record)) == LAMBDA_CALLS
    with pytest.raises(EvaluationError, match="lambdas are called more than 100,000 times"):
        compute({"a": [0, *record["a"]]})


def test_lambdas_end_when_they_take_too_long(monkeypatch):
    seconds = iter(range(0, 100, 2))
    monkeypatch.setattr("target_aep.data_prep.budget.time.monotonic", lambda: next(seconds))
    with pytest.raises(EvaluationError, match="takes more than 5 s"):
        compile_expression("transformArray(a, x -> x)")({"a": list(range(9))})


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("concat(a, b)", False),
        ("to_object('ECID', arrays_to_objects('id', explode(e)))", False),
        ("filterArray(a, x -> x)", True),
        (" + ".join(["a"] * UNWATCHED_NODES), False),
        (" + ".join(["a"] * (UNWATCHED_NODES + 1)), True),
    ],
)
def test_only_what_can_grow_is_counted(text, needed):
    assert needs_budget(parse_expression(text)) is needed


def test_too_little_memory_is_an_evaluation_error():
    assert "memory" in failure_of(MemoryError()).reason


MEMBERS: list[Any] = [*range(100), "a", True, Decimal("1.5"), None, [1], {"k": 1}, float("nan")]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1, 2.0, Decimal("1.5")], True),
        ([[1], {"k": 1}, "a", True, 5, 5, 5], True),
        ([False], False),
        (["1"], False),
        ([[2]], False),
        ([MEMBERS[-1]], False),
        ([1.5, 100], False),
    ],
)
def test_members_of_a_long_list_are_those_of_a_short_one(values, found):
    compute = compile_expression("a =~ b")
    assert compute({"a": values, "b": MEMBERS}) is found


def test_members_of_long_lists_are_found_soon():
    begin = time.perf_counter()
    numbers = list(range(50_000))
    assert compile_expression("a =~ b")({"a": numbers, "b": numbers[::-1]}) is True
    nested = [[number] for number in numbers]
    with pytest.raises(EvaluationError, match="too many lists"):
        compile_expression("a =~ b")({"a": nested, "b": nested})
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    "text",
    ["{a, 1}", "b =~ c", "a =~ c", "a > 1", "a == 1", "max(a, 1)", "map_get_values(o, c)", "a + 1"],
)
def test_a_signaling_nan_is_an_evaluation_error_at_most(text):
    odd = Decimal("sNaN")
    record = {"a": odd, "b": [odd], "c": [odd, *range(100)], "o": {"sNaN": odd, "1": 1}}
    with contextlib.suppress(EvaluationError):
        compile_expression(text)(record)


def test_many_different_numbers_of_a_map_are_not_too_many():
    numbers = {str(number): number for number in range(5000)}
    compute = compile_expression("map_get_values(o, k)")
    assert compute({"o": numbers, "k": list(numbers)}) == list(range(5000))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("${City }", ("City ",)),
        ("${ City}", (" City",)),
        ("${ a . b }", (" a ", " b ")),
        (r"${ a\} }", (" a} ",)),
        (r"${\ }", (" ",)),
        ("${a\\\n}", ("a\n",)),
        ("${a[0] }", ("a", 0)),
        (r"${o.City\ }", ("o", "City ")),
    ],
)
def test_blanks_belong_to_the_names_of_a_reference(text, path):
    assert compile_expression(text).fields == (path,)
    tree = parse_expression(text)
    assert parse_expression(print_expression(tree)) == tree


def test_a_key_is_read_with_its_blanks():
    record = {"City ": 1, "City": 2, " City": 3}
    assert compile_expression("[${City }, ${City}, ${ City}]")(record) == [1, 2, 3]

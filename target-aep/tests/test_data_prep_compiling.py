"""Expressions into functions from record to value."""

from __future__ import annotations

import ast
from decimal import Decimal

import pytest
from data_prep_doubles import FUNCTIONS, compiled, value_of
from target_aep.data_prep.compiling import check_expression, compile_expression
from target_aep.data_prep.evaluation import Evaluation
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.namespace import Namespace
from target_aep.data_prep.policies import Policies

RECORD = {
    "a": {"b": [{"c": 5}, 6], "x.y": 3, "d": {"e.f": 4}},
    "flat.key": 9,
    "flat": {"key": 8},
    "word": "abc",
    "First Name": "Ada",
    "i": 1,
    "0": "zero",
    "list": [3, -1, 7],
    "x": "shadowed",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("word", "abc"),
        ("a.b[0].c", 5),
        ("a.b[1]", 6),
        ("a['b'][0]['c']", 5),
        ("a.b[i]", 6),
        ("a.b['' + i]", 6),
        ("a[word]", None),
        ("a.x.y", 3),
        ("a.d.e.f", 4),
        ("flat.key", 9),
        ("${First Name}", "Ada"),
        (r"${flat\.key}", 9),
        ("a.b[9]", None),
        ("a.b[-1]", None),
        ("a.b[0.5]", None),
        ("a.b[true]", None),
        ("a.b.c", None),
        ("a[0]", None),
        ("word.length", None),
        ("word[0]", None),
        ("missing", None),
        ("missing.a.b[0].c", None),
        ("missing[i]", None),
        ("(word + '').x", None),
        ("{'k': 1}.k", 1),
        ("[1, 2][1]", 2),
        ("{1: 'one'}['1']", "one"),
        ("{1: 'one'}[null]", None),
    ],
)
def test_reads(text, value):
    assert value_of(text, RECORD) == value


@pytest.mark.parametrize(
    "text",
    [
        "a.__class__",
        "word.__class__.__mro__",
        "list.__len__",
        "upper(word).__class__",
        "''['__class__']",
        "[].append",
        "__builtins__",
        "__import__",
        "record",
        "upper_0",
        "isinstance",
    ],
)
def test_attributes_of_python_are_out_of_reach(text):
    assert value_of(text, RECORD) is None


def test_names_of_python_are_fields_like_any_other():
    assert value_of("a.__class__", {"a": {"__class__": 1}}) == 1
    assert value_of("isinstance.record", {"isinstance": {"record": 2}}) == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, null, 'a']", [1, None, "a"]),
        ("[]", []),
        ("{}", []),
        ("{1, 1, true, 1.0, [2], [2]}", [1, True, [2]]),
        ("{:}", {}),
        ("{'k': word, word: 2, 1.5: 3}", {"k": "abc", "abc": 2, "1.5": 3}),
        ("1.50b", Decimal("1.50")),
        ("upper(word)", "ABC"),
        ("concat(word, '-', upper(${First Name}))", "abc-ADA"),
        ("filterArray(list, x -> x > 0)", [3, 7]),
        ("transformArray(list, y -> y + i)", [4, 0, 8]),
        ("transformArray(a.b, o -> o.c)", [5, None]),
        ("transformArray(list, x -> ${x})", ["shadowed"] * 3),
        ("transformArray([[1], [2]], x -> transformArray(x, y -> x[0] + y))", [[2], [4]]),
        ("transformArray(list, x -> x)[0] + x", "3shadowed"),
        ("transformArray(list, () -> 1)", [1, 1, 1]),
        ("transformArray(list, (x, y) -> y)", [None, None, None]),
        ("contains_key('word')", True),
        ("word.equals('abc')", True),
        ("word.length()", 3),
        ("'😀'.length()", 2),
        ("word.toUpperCase().substring(1, 2)", "B"),
        ("word.contains('b')", True),
        ("list.contains(7)", True),
        ("list.size()", 3),
        ("list.isEmpty()", False),
        ("word.startsWith('a') && word.endsWith('c')", True),
        ("word.indexOf('c')", 2),
        ("word.indexOf('a', 1)", -1),
        ("' a '.trim()", "a"),
        ("word.replace('b', '--')", "a--c"),
        ("word.concat('d')", "abcd"),
        ("word.matches('[a-c]*')", True),
        ("list.toString()", "[3, -1, 7]"),
        ("a.containsKey('b')", True),
        ("missing.trim().length()", None),
    ],
)
def test_computes(text, value):
    computed = value_of(text, RECORD)
    assert computed == value
    assert repr(computed) == repr(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("i.trim()", "expected a text, not a number"),
        ("word.substring(2, 9)", "the text of 3 characters has none from 2 to 9"),
        ("word.size()", "expected an array or an object, not a text"),
        ("i.contains(1)", "expected a text or an array, not a number"),
        ("list.containsKey(1)", "expected an object, not an array"),
    ],
)
def test_methods_on_other_values_give_none(text, reason):
    with pytest.raises(EvaluationError) as caught:
        value_of(text, RECORD)
    assert caught.value.reason == reason


def test_a_policy_makes_a_method_on_null_an_error():
    policies = Policies(method_on_null="error")
    assert value_of("word.trim()", RECORD, policies=policies) == "abc"
    with pytest.raises(EvaluationError, match="trim is called on null"):
        value_of("missing.trim()", RECORD, policies=policies)


def test_tells_what_it_reads():
    expression = compiled(
        r"iif(a.b[0].c > 1 && contains_key('d.e'), ${f\.g}, filterArray(h, x -> x.i == j))"
        "+ a.b[0].c"
    )
    assert expression.fields == (("a", "b", 0, "c"), ("d", "e"), ("f.g",), ("h",), ("j",))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("'a'", "text"),
        ("1", "integer"),
        ("1.5", "number"),
        ("true", "boolean"),
        ("null", "any"),
        ("a.b", "any"),
        ("[1]", "array"),
        ("{1}", "array"),
        ("{:}", "object"),
        ("a == b", "boolean"),
        ("a && b", "boolean"),
        ("!a", "boolean"),
        ("empty a", "boolean"),
        ("size a", "integer"),
        ("1 + 2", "integer"),
        ("1 + 2.0", "number"),
        ("a * b", "number"),
        ("a + b", "any"),
        ("'a' + 'b'", "text"),
        ("-1", "integer"),
        ("-a", "any"),
        ("a & b", "integer"),
        ("a ? 1 : 2", "integer"),
        ("a ? 1 : null", "integer"),
        ("a ? 1 : 'b'", "any"),
        ("null ?? 'a'", "text"),
        ("upper(a)", "text"),
        ("a.length()", "integer"),
    ],
)
def test_tells_the_kind_of_its_value(text, kind):
    assert compiled(text).kind == kind


def test_says_the_caveats_of_its_functions_once():
    expression = compiled("filterArray(filterArray(a, x -> x), y -> y)")
    assert expression.caveats == ("filterArray: only in destinations",)
    assert compiled("upper(a)").caveats == ()


def test_the_moment_is_that_of_the_evaluation():
    moments = iter([1_000_000, 2_000_000, 3_000_000])
    evaluation = Evaluation(clock=lambda: next(moments))
    expression = compiled("[now(), now()]", evaluation=evaluation)
    assert expression({}) == [1, 1]
    assert expression({}) == [1, 1]
    evaluation.begin_record()
    assert expression({}) == [2, 2]


def test_without_an_evaluation_each_call_is_a_moment_of_its_own(monkeypatch):
    moments = iter([1_000_000, 2_000_000])
    monkeypatch.setattr(
        Evaluation, "begin_record", lambda self: setattr(self, "_moment", next(moments))
    )
    expression = compiled("now()")
    assert [expression({}), expression({})] == [1, 2]


def test_several_expressions_fit_one_function():
    namespace, evaluation = Namespace(), Evaluation()
    texts = ["upper(a.b)", "a.b ?: c", "upper(c).length()", "transformArray(l, x -> x + c)"]
    codes = [
        check_expression(text, functions=FUNCTIONS).generate(
            namespace, policies=Policies(), evaluation=evaluation
        )
        for text in texts
    ]
    compute = namespace.function(ast.Tuple(codes, ast.Load()), "mappings")
    assert compute({"a": {"b": "x"}, "c": "y", "l": ["1"]}) == ("X", "x", 1, ["1y"])


def test_adobes_functions_are_there_unless_others_are_given():
    assert compile_expression("upper(a)")({"a": "b"}) == "B"


def test_what_it_is_can_be_seen():
    expression = compiled("upper(a)")
    assert "upper(a)" in repr(expression)
    assert expression.text == "upper(a)"

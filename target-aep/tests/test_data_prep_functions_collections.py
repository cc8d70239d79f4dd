"""Functions of objects, maps and arrays, and those that choose, beyond Adobe's examples."""

from __future__ import annotations

from decimal import Decimal

import pytest
from data_prep_calls import call
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.zoned_date_time import ZonedDateTime

EPOCH = ZonedDateTime.of_epoch_milliseconds(0)
LATER = ZonedDateTime.of_epoch_milliseconds(1)
RECORD = {"a": {"b": None, "c.d": 1, "e": [{"f": 1}]}, "g.h": 2}


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("is_empty", [None], True),
        ("is_empty", [""], True),
        ("is_empty", [[]], True),
        ("is_empty", [{}], True),
        ("is_empty", [0], False),
        ("is_empty", [" "], False),
        ("arrays_to_object", ["a", [1, 2], "b", [3]], [{"a": 1, "b": 3}, {"a": 2}]),
        ("arrays_to_objects", ["a", None, "b", [3]], [{"b": 3}]),
        ("arrays_to_objects", ["a", None], None),
        ("to_object", ["a", None, 1, 2], {"a": None, "1": 2}),
        ("str_to_object", ["a:1,b:2:3, c : d ,,e,:f"], {"a": "1", "b": "2:3", "c": "d", "e": None}),
        ("str_to_object", ["a:1", "", None], {"a": "1"}),
        ("get_values", ["a - 1 ; b - 2", "b", "-", ";"], "2"),
        ("get_values", ["a:1,b:2", "b", None], "2"),
        ("get_values", ["a:1,b:2", "b", "", ""], "2"),
        ("get_values", ["a:1", "c", ":"], None),
        ("get", [{"a": 1}, "a"], 1),
        ("get", [{"1": 1}, 1], 1),
        ("get", [{"a": 1}, "b"], None),
        ("get", [["x", "y"], 1], "y"),
        ("get", [["x"], 1], None),
        ("get", [["x"], -1], None),
        ("get", [None, "a"], None),
        ("contains_key", [RECORD, "a.b"], True),
        ("contains_key", [RECORD, "a.x"], False),
        ("contains_key", [RECORD, "a.b.x"], False),
        ("contains_key", [RECORD, r"a.c\.d"], True),
        ("contains_key", [RECORD, "a.e[0].f"], True),
        ("contains_key", [RECORD, "a.e[1]"], False),
        ("is_set", [RECORD, "g.h"], True),
        ("nullify", [], None),
        ("get_keys", [{"b": 1, "a": None}], ["b", "a"]),
        ("map_get_values", [{"a": 1, "b": 2}, "a"], 1),
        ("map_get_values", [{"a": 1, "b": 2}, "x"], None),
        ("map_get_values", [{"1": "x"}, 1], "x"),
        ("map_get_values", [{"a": 1, "b": 2}, None], None),
        (
            "map_get_values",
            [{"a": 1, "b": 1.0, "c": [1], "d": [1]}, ["a", "b", "c", "d", "x"]],
            [1, [1]],
        ),
        ("map_has_keys", [{"a": 1}, "a"], True),
        ("map_has_keys", [{"a": 1}, ["x", "a"]], True),
        ("map_has_keys", [{"a": 1}, ["x", None]], False),
        ("map_has_keys", [{"1": 1}, 1], True),
        ("add_to_map", [{"a": 1}, {"a": 2, "b": 2}, {"b": 3, "c": 3}], {"a": 1, "b": 2, "c": 3}),
        ("add_to_map", [None, {"a": 1}], {"a": 1}),
        ("add_to_map", [None, None], None),
        ("object_to_map", [{"a": 1}], {"a": 1}),
        ("object_to_map", [None], None),
        ("object_to_map", [None, "a"], None),
        ("object_to_map", [[{"k": "x"}, {"k": "y"}], "k"], {"x": {"k": "x"}, "y": {"k": "y"}}),
        ("object_to_map", ["a", 1, 2, "b"], {"a": 1, "2": "b"}),
        ("array_to_map", [[{"k": 1}, {}, None, {"k": 1, "z": 2}], "k"], {"1": {"k": 1, "z": 2}}),
        ("array_to_map", [None, "k"], None),
        ("to_map", ["a", 1, "b", None], {"a": 1, "b": None}),
        ("to_map", [None], None),
        ("coalesce", [None, "", "a"], ""),
        ("coalesce", [None], None),
        ("coalesce", [[None, 2]], 2),
        ("coalesce", [[None], 2], [None]),
        ("first", [[]], None),
        ("first", [None], None),
        ("first", [[1, 2]], 1),
        ("last", ["1", "2", "3"], "3"),
        ("last", [["a", "b"]], "b"),
        ("last", [[]], None),
        ("add_to_array", [["a"]], ["a"]),
        ("add_to_array", [None, 1, [2]], [1, [2]]),
        ("join_arrays", [["a", "b"], ["c"], None, ["d"]], ["a", "b", "c", "d"]),
        ("join_arrays", [None], None),
        ("to_array", [True, 1, None], [1, None]),
        ("to_array", ["false", 1, None], [1]),
        ("size_of", [[1, None]], 2),
        ("size_of", [{"a": 1}], 1),
        ("size_of", ["a😀"], 3),
        ("size_of", [None], 0),
        ("upsert_array_replace", [[1, 2]], [1, 2]),
        ("upsert_array_replace", [[1, 2], 1], [1, 2]),
        (
            "array_to_string",
            [";", [["a", [1]], None, True, {"k": [1, "x", None]}]],
            "a;1;;true;{'k':[1,'x',null]}",
        ),
        ("array_to_string", [None, [EPOCH, LATER]], "01"),
        ("transformArray", [[1, 2], lambda value: value + 1], [2, 3]),
        ("transformArray", [None, lambda value: value], None),
        ("filterArray", [[0, 1, "", "false", "x", None], lambda value: value], [1, "x"]),
        ("flattenArray", [[1, [2, [3, []]], {"a": [4]}]], [1, 2, 3, {"a": [4]}]),
        ("decode", ["b", "a", 1, "b", 2], 2),
        ("decode", ["x", "a", 1, "b", 2], None),
        ("decode", ["x", "a", 1, "default"], "default"),
        ("decode", [None, None, 1, 2], 1),
        ("decode", [1, "1", "text", 1.0, "number"], "number"),
        ("decode", ["x", None], None),
        ("iif", [None, 1, 2], 2),
        ("iif", ["false", 1, 2], 2),
        ("iif", ["yes", 1, 2], 1),
        ("iif", [[], 1, 2], 1),
        ("min", [3, None, Decimal("1.5"), 2.5], Decimal("1.5")),
        ("min", [[3, 1, 2]], 1),
        ("min", [None], None),
        ("min", [[]], None),
        ("max", [3, 1, 4], 4),
        ("max", ["a", "b", "B"], "b"),
        ("max", [EPOCH, LATER], LATER),
        ("max", [False, True], True),
        ("max", [1, 1.0], 1),
    ],
)
def test_a_function_gives(name, arguments, result):
    given = call(name, *arguments)
    assert given == result
    assert type(given) is type(result)


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("arrays_to_objects", ["a"], "the last name has no value"),
        ("arrays_to_objects", ["a", 1], "not an array"),
        ("to_object", ["a", 1, "b"], "to_object: the last name has no value"),
        ("to_object", [None, 1], "to_object: a name is null"),
        ("get", ["text", "a"], "neither an object nor an array"),
        ("get_keys", [[1]], "get_keys: OBJECT is an array, not an object"),
        ("contains_key", [RECORD, "a..b"], "contains_key: path"),
        ("object_to_map", [[{}]], "followed by the name of their key"),
        ("array_to_map", [[1], "k"], "elements that are no objects"),
        ("to_map", ["a"], "to_map: the last name has no value"),
        ("add_to_array", ["a", 1], "ARRAY is a text, not an array"),
        ("join_arrays", [[1], 2], "VALUES is a number, not an array"),
        ("size_of", [1], "INPUT is a number, which has no size"),
        ("max", [1, "a"], "a number and a text can't be compared"),
        ("min", [{}, {}], "an object has no order"),
    ],
)
def test_a_function_says_why_it_gives_nothing(name, arguments, reason):
    with pytest.raises(EvaluationError, match=reason):
        call(name, *arguments)


def test_arguments_are_never_changed():
    array, first, second = [1], {"a": 1}, {"b": 2}
    call("add_to_array", array, 2)
    call("join_arrays", array, [2])
    call("add_to_map", first, second)
    call("object_to_map", first)["c"] = 3
    assert (array, first, second) == ([1], {"a": 1}, {"b": 2})


def test_not_a_number_is_the_largest_as_in_java():
    assert call("max", 1, float("nan")) != call("max", 1, float("nan"))
    assert call("min", Decimal("NaN"), 1) == 1


def test_many_values_of_a_map_are_compared_within_a_bound():
    many = {str(number): [number] for number in range(3000)}
    with pytest.raises(EvaluationError, match="too many values"):
        call("map_get_values", many, list(many))
    texts = {str(number): str(number) for number in range(3000)}
    assert len(call("map_get_values", texts, list(texts))) == 3000

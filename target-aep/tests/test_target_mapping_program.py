"""The one function that a set is compiled into does what its mappings do one by one."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.policies import Policies
from target_aep.mapping.compiled_mapping import compile_mappings
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.mistakes import complaints_about
from target_aep.mapping.model import Mapping, MappingSet
from target_aep.mapping.object_copy import put
from target_aep.xdm.coercion import OMITTED, prune

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(".".join)
SOURCES = st.one_of(
    st.tuples(st.just("ATTRIBUTE"), PATHS),
    st.tuples(st.just("ATTRIBUTE"), PATHS.map(lambda path: f"{path}[0].a")),
    st.tuples(st.just("ATTRIBUTE"), PATHS.map(lambda path: f"{path}[1]")),
    st.tuples(st.just("STATIC"), st.sampled_from(["x", ""])),
    st.tuples(
        st.just("EXPRESSION"),
        st.builds(
            str.format,
            st.sampled_from(
                ["upper({0})", "{0} + {1}", "{0} ?? {1}", "iif({0} == {1}, {0}, {1})", "{0} / {1}",
                 "filterArray({0}, x -> x == {1})", 'to_object("a", {0})', "{0}.size()"]
            ),
            PATHS,
            PATHS,
        ),
    ),
)  # fmt: skip
LEAVES = st.sampled_from([None, "", "x", "y", 0, 1, True])
VALUES = st.recursive(
    LEAVES,
    lambda part: (
        st.dictionaries(
            st.one_of(NAMES, PATHS),  # also keys that are spelled like a path
            part,
            max_size=4,
        )
        | st.lists(part, max_size=2)
    ),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.one_of(NAMES, PATHS), VALUES, max_size=4)


def one_by_one(mapping_set, record):
    compiled, _ = compile_mappings(mapping_set, Policies())
    row = {}
    for each in sorted(compiled, key=lambda each: len(each.steps)):
        try:
            value = each.source.reader()(record)
        except EvaluationError:
            continue
        value = prune(value)
        below = any(
            len(other.steps) > len(each.steps) and other.steps[: len(each.steps)] == each.steps
            for other in compiled
        )
        if value is OMITTED or (below and not isinstance(value, dict)):
            continue
        node = row
        for name in each.names[:-1]:
            if not isinstance(node.get(name), dict):
                node[name] = {}
            node = node[name]
        put(node, each.names[-1], value)
    return row


@settings(max_examples=max(500, settings().max_examples))
@given(st.lists(st.tuples(SOURCES, PATHS), min_size=1, max_size=6), RECORDS)
@example(  # a key that is spelled like the rest of a path
    [(("ATTRIBUTE", "a.b.c"), "a"), (("EXPRESSION", "upper(a.b)"), "b")],
    {"a": {"b.c": "x"}, "a.b": "y"},
)
def test_a_set_is_mapped_as_its_mappings_are(mappings, record):
    mapping_set = MappingSet(
        "mine", tuple(Mapping(kind, source, path) for (kind, source), path in mappings)
    )
    if complaints_about(mapping_set):
        return
    assert RecordMapper(mapping_set, None).map(record) == one_by_one(mapping_set, record)


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ({"a": {"b": {"c": 1}}}, 1),
        ({"a": {"b": {"c": 1}, "b.c": 2}}, 2),
        ({"a": {"b": {"c": 1}, "b.c": 2}, "a.b.c": 3}, 3),
        ({"a": {"b": {"c": 1}, "b.c": None}}, None),
        ({"a.b.c": 3}, 3),
        ({"a": 5}, None),
    ],
)
@pytest.mark.parametrize("source_type", ["ATTRIBUTE", "EXPRESSION"])
def test_a_key_spelled_like_the_rest_of_a_path_comes_before_the_walk(record, value, source_type):
    mapping = {"sourceType": source_type, "source": "a.b.c", "destination": "x"}
    row = RecordMapper(load_mapping_set([mapping, {**mapping, "destination": "y"}]), None).map(
        record
    )
    assert row == ({} if value is None else {"x": value, "y": value})


def test_a_lambda_may_use_a_field_and_a_variable_of_its_own():
    source = "transformArray(list, x -> x + n + ${x})"
    mapping = {"sourceType": "EXPRESSION", "source": source, "destination": "y"}
    mapper = RecordMapper(load_mapping_set([mapping]), None)
    assert mapper.map({"list": [1, 2], "n": 10, "x": 100}) == {"y": [111, 112]}


def test_a_set_of_thousands_of_mappings_compiles():
    mappings = [{"source": f"a.b{n}.c", "destination": f"x{n % 7}.y{n}"} for n in range(3000)]
    row = RecordMapper(load_mapping_set(mappings), None).map({"a": {"b2999": {"c": 1}}})
    assert row == {"x3": {"y2999": 1}}

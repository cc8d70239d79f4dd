"""Paths of mapping sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.data_prep.compiling import compile_expression
from target_aep.errors import MappingSetError
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.paths import (
    EACH,
    MISSING,
    compile_reader,
    parse_path,
    parse_wild_path,
    path_text,
    put_value,
)

RECORD = {
    "a": {"b": [{"c": 1}], "d.e": 2, "$x": 3, "f": {"g.h": 4}},
    "flat.key": 5,
    ".": 6,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b[0].c", 1),
        ("a.b", [{"c": 1}]),
        (r"a.d\.e", 2),
        (r"a.d\\.e", 2),
        ("a.d.e", 2),
        ("a.$x", 3),
        ("a.f.g.h", 4),
        ("flat.key", 5),
        (r"\.", 6),
        ("${a.$x}", 3),
        (r"${a.f}.g\.h", 4),
        ("${a}.b[0].c", 1),
        (r"a.${d\.e}", 2),
        ("a.b[1].c", MISSING),
        ("a.b.c", MISSING),
        ("none", MISSING),
        ("a.none.c", MISSING),
    ],
)
def test_reads(path, value):
    assert compile_reader(parse_path(path))(RECORD) == value


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[x]", "[0]", "a[*].b"])
def test_refuses_malformed_paths(path):
    with pytest.raises(MappingSetError, match="path"):
        parse_path(path)


@given(st.lists(st.text(min_size=1).filter(lambda name: "\\" not in name), min_size=1, max_size=4))
def test_escaped_names_come_back(names):
    text = ".".join(
        "".join(f"\\{char}" if char in ".[]" else char for char in name) for name in names
    )
    if text.strip() == text and "${" not in text and "[*" not in text:
        assert parse_path(text) == tuple(names)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a[*].b", ("a", EACH, "b")),
        ("a[*][0].b[*]", ("a", EACH, 0, "b", EACH)),
        ("${a.b}[*].c", ("a", "b", EACH, "c")),
    ],
)
def test_reads_wildcards(text, path):
    assert parse_wild_path(text) == path


@pytest.mark.parametrize("text", ["a.b", "a[0].b", "a[*].b[*]", "a"])
def test_a_path_is_told_as_it_is_written(text):
    assert path_text(parse_wild_path(text)) == text


@pytest.mark.parametrize("text", ["\\" * 5000, "\\" * 5000 + "x[", "a." * 5000])
def test_long_malformed_paths_are_refused_at_once(text):
    with pytest.raises(MappingSetError):
        parse_wild_path(text)


def test_puts_values_and_merges_objects():
    document = {}
    put_value(document, ("a", "b"), 1)
    put_value(document, ("a",), {"c": 2})
    assert document == {"a": {"b": 1, "c": 2}}


@pytest.mark.parametrize(
    ("path", "record", "value"),
    [
        ("a.b[0]", {"a.b": [7]}, 7),
        ("a.b.c", {"a.b": {"c": 1}}, 1),
        ("a.b.c", {"a.b": {"c": 1}, "a": {"b": {"c": 2}, "b.c": 3}}, 1),
        ("a.b.c", {"a.b.c": 4, "a.b": {"c": 1}}, 4),
        ("a.b.c.d", {"a.b": {"c": {"d": 1}}, "a.b.c": {"d": 2}}, 2),
        ("a.b.c.d", {"a": {"b.c": {"d": 1}}}, 1),
        ("a[0].b.c[1]", {"a": [{"b.c": [1, 2]}]}, 2),
        # a key counts only if its value has what the path needs next
        ("a.b.c", {"a.b": "x", "a": {"b": {"c": 1}}}, 1),
        ("a.b[0]", {"a.b": {"0": 1}, "a": {"b": [2]}}, 2),
        ("a.b", {"a.b": None, "a": {"b": 1}}, None),
        ("x.y", {"x": {"x.y": 1}}, MISSING),
    ],
)
def test_keys_spelled_like_several_names_come_first_the_longest_before(path, record, value):
    assert compile_reader(parse_path(path))(record) == value
    expected = None if value is MISSING else value
    assert compile_expression(path)(record) == expected
    mapping_set = load_mapping_set(
        {"mappings": [{"source": path, "destination": name} for name in ("p", "q")]}
    )
    xdm = {} if expected is None else {"p": expected, "q": expected}
    assert RecordMapper(mapping_set, None).map(record) == xdm


@pytest.mark.parametrize("text", [".".join("a" * 65), "a" + "[0]" * 64, "a" + "[*]" * 5_000])
def test_paths_have_64_steps_at_most(text):
    with pytest.raises(MappingSetError, match="more than the 64 that are possible"):
        parse_wild_path(text)


def test_paths_of_64_steps_are_mapped():
    text = ".".join("a" * 64)
    record = 1
    for _ in range(64):
        record = {"a": record}
    mapping_set = load_mapping_set({"mappings": [{"source": text, "destination": text}]})
    assert RecordMapper(mapping_set, None).map(record) == record
    assert compile_expression(text)(record) == 1


def test_blanks_around_a_path_may_be_kept():
    assert parse_wild_path(" a.b ", keeps_blanks=True) == (" a", "b ")
    assert parse_wild_path("${a }", keeps_blanks=True) == ("a ",)


@pytest.mark.parametrize(
    ("record", "xdm"),
    [
        ({"City ": 1, "City": 2}, {"p": 1}),
        ({"City": 2}, {"p": 2}),
        ({"City ": None, "City": 2}, {}),
        ({}, {}),
    ],
)
def test_a_name_with_blanks_around_it_is_tried_as_spelled_first(record, xdm):
    mapping_set = load_mapping_set({"mappings": [{"source": "City ", "destination": "p"}]})
    assert RecordMapper(mapping_set, None).map(record) == xdm


def test_a_name_in_braces_is_read_as_spelled_only():
    mapping_set = load_mapping_set({"mappings": [{"source": "${City }", "destination": "p"}]})
    mapper = RecordMapper(mapping_set, None)
    assert mapper.map({"City ": 1, "City": 2}) == {"p": 1}
    assert mapper.map({"City": 2}) == {}


def test_blanks_that_can_not_be_part_of_a_name_are_passed_over():
    mappings = [
        {"source": "a[0] ", "destination": " p "},
        {"source": " a[*] ", "destination": "q[*] "},
    ]
    mapped = RecordMapper(load_mapping_set({"mappings": mappings}), None).map({"a": [1]})
    assert mapped == {"p": 1, "q": [1]}

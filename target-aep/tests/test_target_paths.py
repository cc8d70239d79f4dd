"""Paths of mapping sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.errors import MappingSetError
from target_aep.expressions import compile_expression
from target_aep.paths import MISSING, compile_reader, parse_path, put_value

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
    if text.strip() == text and not text.startswith("${") and "[*" not in text:
        assert parse_path(text) == tuple(names)


def test_puts_values_and_merges_objects():
    document = {}
    put_value(document, ("a", "b"), 1)
    put_value(document, ("a",), {"c": 2})
    assert document == {"a": {"b": 1, "c": 2}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("upper(${a.$x})", 3),
        ('decode(a.$x, 3, "three")', "three"),
        ('decode(a.$x, true, "yes")', MISSING),
        ('decode(a.$x, 1, "one", 3, "three, or so")', "three, or so"),
        ("upper(none)", MISSING),
    ],
)
def test_evaluates_the_built_in_expressions(expression, value):
    _, read = compile_expression(expression)
    assert read(RECORD) == value


@pytest.mark.parametrize(
    "expression",
    ["concat(a, b)", "a + b", "upper()", "upper(a, 1)", "decode(a)", "decode(a, x, 1)"],
)
def test_refuses_other_expressions(expression):
    with pytest.raises(MappingSetError, match="expression"):
        compile_expression(expression)

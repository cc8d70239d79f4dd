"""Lists: positions and `[*]` on both sides."""

from __future__ import annotations

from collections import Counter

import pytest
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.schema import parse_schema

TEXT = {"type": "string"}


def mapper(*pairs, schema=None):
    mappings = [
        {"source": pair[0], "destination": pair[1], "sourceType": (*pair, "ATTRIBUTE")[2]}
        for pair in pairs
    ]
    return RecordMapper(load_mapping_set(mappings), schema and parse_schema(schema))


LINES = {
    "lines": [
        {"sku": "A", "price": 1, "tags": [{"t": "x"}, {"t": "y"}]},
        {"price": 2},
        {"sku": "C", "tags": [{"t": "z"}]},
    ],
    "short": [{"n": 1}],
    "id": 7,
    "none": None,
    "ab": ["a", "b"],
    "gap": [1, None, 2],
}


@pytest.mark.parametrize(
    ("pairs", "xdm"),
    [
        # aligned by position, whatever is missing where
        (
            [("lines[*].sku", "items[*].SKU"), ("lines[*].price", "items[*].priceTotal")],
            {"items": [{"SKU": "A", "priceTotal": 1}, {"priceTotal": 2}, {"SKU": "C"}]},
        ),
        # lists of different lengths
        (
            [("lines[*].price", "items[*].p"), ("short[*].n", "items[*].n")],
            {"items": [{"p": 1, "n": 1}, {"p": 2}]},
        ),
        # an element without any value is closed
        ([("lines[*].sku", "items[*].SKU")], {"items": [{"SKU": "A"}, {"SKU": "C"}]}),
        ([("lines[*].sku", "skus[*]")], {"skus": ["A", "C"]}),
        # nested
        (
            [("lines[*].tags[*].t", "items[*].labels[*].name"), ("lines[*].sku", "items[*].SKU")],
            {
                "items": [
                    {"SKU": "A", "labels": [{"name": "x"}, {"name": "y"}]},
                    {"SKU": "C", "labels": [{"name": "z"}]},
                ]
            },
        ),
        # more [*] at the source: a flat list of what is left
        ([("lines[*].sku", "skus")], {"skus": ["A", "C"]}),
        ([("lines[*].tags[*].t", "tags")], {"tags": ["x", "y", "z"]}),
        (
            [("lines[*].tags[*].t", "items[*].tags")],
            {"items": [{"tags": ["x", "y"]}, {"tags": ["z"]}]},
        ),
        # more [*] at the destination: each element that others make
        (
            [("id", "items[*].order"), ("lines[*].sku", "items[*].SKU")],
            {"items": [{"SKU": "A", "order": 7}, {"SKU": "C", "order": 7}]},
        ),
        (
            [
                ("EUR", "items[*].tags[*].currency", "STATIC"),
                ("lines[*].tags[*].t", "items[*].tags[*].t"),
            ],
            {
                "items": [
                    {"tags": [{"t": "x", "currency": "EUR"}, {"t": "y", "currency": "EUR"}]},
                    {"tags": [{"t": "z", "currency": "EUR"}]},
                ]
            },
        ),
        ([("id", "items[*].order")], {}),
        # whole elements, completed by others, whichever comes first
        (
            [("lines[*].price", "items[*].total"), ("short[*]", "items[*]")],
            {"items": [{"n": 1, "total": 1}, {"total": 2}]},
        ),
        # numbered positions
        ([("id", "list[0].id"), ("none", "list[1].id")], {"list": [{"id": 7}]}),
        ([("none", "list[0].id"), ("id", "list[1].id")], {"list": [{"id": 7}]}),
        ([("id", "point[0]"), ("id", "point[1]")], {"point": [7, 7]}),
        ([("lines[0].sku", "list[0]")], {"list": ["A"]}),
        (
            [("web", "list[3].kind", "STATIC"), ("lines[*].price", "list[*].price")],
            {"list": [{"price": 1}, {"price": 2}, {"kind": "web"}]},
        ),
        # one [*] more at the destination than at the source: a list goes to the positions
        (
            [('split("a b", " ")', "tags[*].name", "EXPRESSION"), ("x", "tags[*].of", "STATIC")],
            {"tags": [{"name": "a", "of": "x"}, {"name": "b", "of": "x"}]},
        ),
        (
            [("lines[*].price", "list[*].price"), ("ab", "list[*].name"), ("id", "list[*].id")],
            {
                "list": [
                    {"price": 1, "name": "a", "id": 7},
                    {"price": 2, "name": "b", "id": 7},
                ]
            },
        ),
        ([("ab", "list[*]")], {"list": ["a", "b"]}),
        ([("gap", "list[*].x")], {"list": [{"x": 1}, {"x": 2}]}),
        (
            [("lines[*].tags", "list[*].tags[*]"), ("lines[*].sku", "list[*].tags[*].sku")],
            {
                "list": [
                    {"tags": [{"t": "x", "sku": "A"}, {"t": "y", "sku": "A"}]},
                    {"tags": [{"t": "z", "sku": "C"}]},
                ]
            },
        ),
        # expressions
        ([("id + 1", "list[0]", "EXPRESSION")], {"list": [8]}),
        ([("missing[*].x", "list[*].y"), ("none[*]", "other")], {}),
    ],
)
def test_places_lists(pairs, xdm):
    assert mapper(*pairs).map(LINES) == xdm


def test_plain_values_after_a_gap_of_numbered_positions_are_left_out_and_counted():
    mapped = mapper(("none", "point[0]"), ("id", "point[1]"), ("id", "other"))
    assert mapped.map(LINES) == {"other": 7}
    assert mapped.report.left_out == Counter({"point[1]": 1})


def test_what_is_no_list_can_not_be_run_over():
    mapped = mapper(("id[*].x", "a[*]"), ("id[*].x", "b"), ("id", "c"))
    assert mapped.map(LINES) == {"c": 7}
    failures = mapped.report.failures
    assert {number: failure.reason for number, failure in failures.items()} == {
        1: "id is not a list, which [*] needs",
        2: "id is not a list, which [*] needs",
    }


SCHEMA = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"sku": TEXT, "price": {"type": "integer"}, "seen": TEXT},
                "required": ["sku"],
            },
        },
        "tags": {"type": "array", "items": TEXT},
    },
}


def test_elements_are_converted_and_refused_one_by_one():
    mapped = mapper(
        ("lines[*].sku", "items[*].sku"), ("lines[*].price", "items[*].price"), schema=SCHEMA
    )
    record = {"lines": [{"sku": 1, "price": "2"}, {"sku": "B", "price": "many"}]}
    assert mapped.map(record) == {"items": [{"sku": "1", "price": 2}, {"sku": "B"}]}
    assert mapped.report.unconverted == Counter({"items[*].price": 1})


def test_an_element_without_a_required_field_rejects_the_record():
    mapped = mapper(
        ("lines[*].sku", "items[*].sku"), ("lines[*].price", "items[*].price"), schema=SCHEMA
    )
    with pytest.raises(RejectedRecordError) as rejection:
        mapped.map({"lines": [{"sku": 1}, {"price": 3}]})
    assert rejection.value.field_path == "items[1].sku"


def test_a_copied_element_may_get_its_required_field_from_another_mapping():
    mapped = mapper(("lines[*]", "items[*]"), ("lines[*].code", "items[*].sku"), schema=SCHEMA)
    assert mapped.map({"lines": [{"code": "A", "price": 1}]}) == {
        "items": [{"sku": "A", "price": 1}]
    }
    assert not mapped.report.left_out


def test_what_finds_no_element_to_go_into_is_left_out_and_counted():
    mapped = mapper(
        ("id", "items[*].id"),
        ("EUR", "items[*].currency", "STATIC"),
        ("missing[*].x", "items[*].x"),
    )
    assert mapped.map(LINES) == {}
    assert mapped.report.left_out == Counter({"items[*].id": 1})


def test_keys_spelled_like_names_hold_lists_too():
    mapped = mapper(("a.b[*].c.d", "items[*].x"))
    assert mapped.map({"a.b": [{"c.d": 1}, {"c": {"d": 2}}]}) == {"items": [{"x": 1}, {"x": 2}]}

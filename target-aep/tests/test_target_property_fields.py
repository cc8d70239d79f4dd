"""Fields for unknown properties: valid, never a matter of order, and then they take the values."""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.loading.json_lines import json_text
from target_aep.mapping.field_names import (
    may_fill,
    sanitized,
    sibling_kinds,
    suffixed,
    typed_sibling,
)
from target_aep.mapping.model import Remainder
from target_aep.mapping.remainder import RemainderPlan
from target_aep.mapping.report import MappingReport
from target_aep.provisioning.property_fields import PropertyCensus, propose_fields
from target_aep.xdm.coercion import OMITTED, prune
from target_aep.xdm.field_age import added_at, marked, owner_of, settled, young_fields
from target_aep.xdm.schema import parse_schema
from target_aep.xdm.timestamps import parse_date_time

NOW = datetime(2026, 11, 22, 5, 12, tzinfo=timezone.utc)
LONG = {"type": "integer", "minimum": -(2**53) + 1, "maximum": 2**53 - 1}
TEXT = {"type": "string"}
DOUBLE = {"type": "number"}
DATE = {"type": "string", "format": "date"}
BOOLEAN = {"type": "boolean"}
DATE_TIME = {"type": "string", "format": "date-time"}
RULE = Remainder("properties", "_acme.p", "_acme.rest", {})
RAW_NAMES = {"(no name)": "", "\ufffd": "\ud800"}
"""Properties whose names can be no key of the map, by the key that they have there."""
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
VALID_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def struct(**properties):
    return {"type": "object", "properties": properties}


def list_of(items):
    return {"type": "array", "items": items}


def schema_of(fields):
    text_map = {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT}
    return parse_schema(struct(_acme=struct(p=struct(**fields), rest=text_map)))


def run(fields, records, now=NOW):
    """Map records into a schema: the rows with typed properties and rest, and what was seen."""
    census, report = PropertyCensus(), MappingReport()
    plan = RemainderPlan(RULE, schema_of(fields), report, now=lambda: now, census=census)
    rows = []
    for record in records:
        xdm = {}
        plan.place(dict(record), xdm)
        mapped = xdm.get("_acme", {})
        rest = {RAW_NAMES.get(key, key): text for key, text in mapped.get("rest", {}).items()}
        rows.append((mapped.get("p", {}), rest))
    return rows, census, report


def proposals_for(fields, records):
    _, census, _ = run(fields, records)
    return propose_fields(census, schema_of(fields).find(("_acme", "p")))


def extended(fields, proposals, moment=None):
    """The schema's fields with the proposed ones, as a registry would have them."""
    grown = copy.deepcopy(fields)
    for each in proposals:
        level = grown
        for step in each.path[:-1]:
            node = level["items"] if step == "[]" else level[step]
            level = node if node["type"] == "array" else node["properties"]
        assert each.path[-1] not in level
        level[each.path[-1]] = marked(each.node, moment) if moment else each.node
    return grown


def assert_valid(fields):
    """Names and types are such as the Schema Registry takes."""
    assert len({name.lower() for name in fields}) == len(fields)
    for name, node in fields.items():
        assert VALID_NAME.fullmatch(name)
        inner = node["items"] if node["type"] == "array" else node
        assert inner["type"] in ("string", "integer", "number", "boolean", "object")
        if inner["type"] == "object":
            assert inner["properties"]
            assert_valid(inner["properties"])


def says_the_same(value, landed):
    """Whether nothing but a documented conversion has changed a value."""
    value = prune(value)
    if isinstance(value, (dict, list)) and type(value) is not type(landed):
        return False
    if isinstance(value, dict):
        return value.keys() == landed.keys() and all(
            says_the_same(part, landed[key]) for key, part in value.items()
        )
    if isinstance(value, list):
        return len(value) == len(landed) and all(map(says_the_same, value, landed))
    if value == landed and isinstance(value, bool) == isinstance(landed, bool):
        return True
    return _converts_to(value, landed)


def _moment(value):
    try:
        return parse_date_time(value)
    except ValueError:
        return value


def _converts_to(value, landed):
    if isinstance(landed, (dict, list)):
        return False
    if isinstance(landed, bool):
        return isinstance(value, str) and value.lower() == json_text(landed)
    if isinstance(value, bool):
        return landed == str(value).lower()
    if ":" in str(landed) or str(value).count("-") > 1:
        return _moment(value) == _moment(landed)
    if str(value) != json_text(landed) and re.match(r"-?0\d|\+|\s", str(value)):
        return False
    numbers = [float(each) for each in (value, landed) if NUMBER.fullmatch(str(each))]
    return len(numbers) == 2 and numbers[0] == numbers[1] and type(value) is not type(landed)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.integers(-(2**70), 2**70)
    | st.decimals(-1000, 1000, places=2)
    | st.text("ab,", max_size=2)
    | st.sampled_from(
        [
            "yes",
            "True",
            "12",
            "012",
            "1.5",
            "9007199254740993",
            "12/01/2026",
            "2024-05-18T05:05:48",
            "2024-05-18",
        ]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "B", "odd key"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["City", "city", "$city", "Plan Name", "Plan-Name", "plan_name", "1st", "日本", "", "$", "é",
     "\ud800", suffixed("City"), typed_sibling("city", "string")]
)  # fmt: skip
FIRST_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "City": st.sampled_from([TEXT, LONG, {"type": "string", "enum": ["a"]}]),
        "plan_name": st.sampled_from([BOOLEAN, struct(a=LONG), list_of(struct(a=TEXT))]),
        "city": st.just(DATE_TIME),
    },
).filter(lambda fields: len(fields) == len({name.lower() for name in fields}))


@given(FIRST_FIELDS, st.lists(st.dictionaries(NAMES, VALUES, max_size=5), max_size=5))
def test_after_some_runs_nothing_that_has_a_type_is_left_in_the_map(fields, records):
    for _ in range(5):
        rows, census, _ = run(fields, records)
        proposals = propose_fields(census, schema_of(fields).find(("_acme", "p")))
        assert_all_is_there(records, rows)
        if not proposals.fields:
            break
        fields = extended(fields, proposals.fields)
        assert_valid(fields)
    assert not proposals.fields
    explained = {each.property for each in proposals.kept}
    assert {name for _, rest in rows for name in rest} <= explained


def assert_all_is_there(records, rows):
    for record, (typed, rest) in zip(records, rows, strict=True):
        full = {name for name, value in record.items() if prune(value) is not OMITTED}
        assert len(typed) + len(rest) == len(full)
        for name in full:
            value = record[name]
            if name in rest:
                assert rest[name] == (value if isinstance(value, str) else json_text(value))
                continue
            own = [landed for field, landed in typed.items() if may_fill(name, field)]
            assert any(says_the_same(value, landed) for landed in own)


@given(st.lists(st.dictionaries(NAMES, SCALARS, max_size=5), max_size=5))
def test_one_addition_is_enough_for_plain_values(records):
    fields = extended({}, proposals_for({}, records).fields)
    rows, _, _ = run(fields, records)
    # But for names that two properties would share, which are made up for that.
    made_up = {suffixed("City"), typed_sibling("city", "string")}
    assert {name for _, rest in rows for name in rest} <= {"City", "city", *made_up}


@given(FIRST_FIELDS, st.lists(st.dictionaries(NAMES, VALUES, max_size=5), max_size=5), st.randoms())
def test_the_order_of_records_does_not_matter(fields, records, random):
    shuffled = random.sample(records, len(records))
    assert proposals_for(fields, records) == proposals_for(fields, shuffled)


def told(proposals):
    return [(each.path, each.node["type"], each.reason, each.count) for each in proposals.fields]


@pytest.mark.parametrize(
    ("fields", "records", "expected"),
    [
        ({}, [{"Plan Name": "x"}] * 2, [(("Plan_Name",), "string", "new", 2)]),
        ({}, [{"日本": 1}], [((suffixed("日本"),), "integer", "new", 1)]),
        # The name that is the field's has it, else the smaller one.
        (
            {},
            [{"Plan Name": "x", "Plan-Name": "y"}, {"Plan-Name": "z"}],
            [
                ((suffixed("Plan-Name"),), "string", "name clash", 2),
                (("Plan_Name",), "string", "new", 1),
            ],
        ),
        (
            {"city": TEXT},
            [{"City": "a"}],
            [((suffixed("City"),), "string", "name clash", 1)],
        ),
        # Both fit the field when they come alone; the loser of a clash gets its own.
        (
            {"Plan_Name": TEXT},
            [{"Plan Name": "x", "Plan-Name": "y"}, {"Plan-Name": "z"}],
            [((suffixed("Plan-Name"),), "string", "name clash", 1)],
        ),
        # The first type is kept where values convert.
        ({"plan": TEXT}, [{"plan": 5}, {"plan": True}], []),
        ({"plan": LONG}, [{"plan": "5"}], []),
        (
            {"plan": LONG},
            [{"plan": "gold"}, {"plan": "5"}],
            [((typed_sibling("plan", "string"),), "string", "type change", 1)],
        ),
        (
            {"plan": DATE_TIME},
            [{"plan": True}],
            [((typed_sibling("plan", "boolean"),), "boolean", "type change", 1)],
        ),
        # A sibling of that type is there, and does not take it.
        (
            {"plan": BOOLEAN, typed_sibling("plan", "integer"): {**LONG, "maximum": 3}},
            [{"plan": 7}],
            [((typed_sibling("plan", "string"),), "string", "type change", 1)],
        ),
        # The most frequent kind has the plain name.
        (
            {},
            [{"plan": 1}, {"plan": 2}, {"plan": 3}, {"plan": "x"}, {"plan": "4"}],
            [
                (("plan",), "integer", "new", 4),
                ((typed_sibling("plan", "string"),), "string", "type change", 1),
            ],
        ),
        ({}, [{"plan": 1}, {"plan": "x"}], [(("plan",), "string", "new", 2)]),
        (
            {},
            [{"plan": [1]}, {"plan": [2]}, {"plan": {"a": 1}}, {"plan": 5}, {"plan": False}],
            [
                (("plan",), "array", "new", 2),
                ((typed_sibling("plan", "string"),), "string", "type change", 2),
                ((typed_sibling("plan", "object"),), "object", "type change", 1),
            ],
        ),
        ({}, [{"plan": {"odd key": 1}}, {"plan": 5}], [(("plan",), "integer", "new", 1)]),
        # New keys of an object that is there.
        (
            {"cart": struct(total=LONG, ship=struct(city=TEXT))},
            [{"cart": {"total": 1, "note": "x", "ship": {"city": "B", "zip": 5}}}],
            [
                (("cart", "note"), "string", "new", 1),
                (("cart", "ship", "zip"), "integer", "new", 1),
            ],
        ),
        (
            {"items": list_of(struct(sku=TEXT))},
            [{"items": [{"sku": 1, "price": Decimal("1.5")}]}],
            [(("items", "[]", "price"), "number", "new", 1)],
        ),
        # A key of an object that changes its type changes that of the object.
        (
            {"cart": struct(total=LONG)},
            [{"cart": {"total": "much"}}],
            [((typed_sibling("cart", "object"),), "object", "type change", 1)],
        ),
        (
            {"cart": struct(total=LONG)},
            [{"cart": {"Total": 1}}],
            [((typed_sibling("cart", "object"),), "object", "type change", 1)],
        ),
        (
            {"cart": TEXT, typed_sibling("cart", "object"): struct(a=LONG)},
            [{"cart": {"a": 1, "b": 2}}],
            [((typed_sibling("cart", "object"), "b"), "integer", "new", 1)],
        ),
    ],
)
def test_what_is_proposed(fields, records, expected):
    assert told(proposals_for(fields, records)) == expected


EXACT = [
    (LONG, "12", 12),
    (LONG, "-7", -7),
    (LONG, 5.0, 5),
    *((LONG, text, None) for text in ("02134", "+5", " 5", "5.0", "-0", "1e3", "9007199254740992")),
    *((LONG, other, None) for other in (True, 2**53, 1e300, "2026-01-05T10:00:00Z", "\u0665")),
    (DOUBLE, "12.50", 12.5),
    (DOUBLE, 7, 7),
    (DOUBLE, 0.30000000000000004, 0.30000000000000004),
    (DOUBLE, "0.1234567890123456789", None),
    *((DOUBLE, text, None) for text in ("9007199254740993", ".5", "5.", "-0", "007.5", "1e999")),
    (DOUBLE, 2**53, None),
    (DOUBLE, Decimal("0.12345678901234567890"), None),
    (BOOLEAN, "True", True),
    (BOOLEAN, "false", False),
    *((BOOLEAN, other, None) for other in ("no", "Y", "1", 1, 0)),
    (TEXT, True, "true"),
    (TEXT, Decimal("12.50"), "12.50"),
    (TEXT, 1e21, "1e+21"),
    (DATE_TIME, "2026-01-05", "2026-01-05T00:00:00.000Z"),
    (DATE_TIME, "2026-01-05 10:00:00+02:00", "2026-01-05T08:00:00.000Z"),
    *((DATE_TIME, other, None) for other in (1767607200, "12/01/2026", "1767607200", "Jan 5")),
    (DATE_TIME, "2026-01-05T10:00:00.123456789Z", None),
    (DATE, "2026-01-05", "2026-01-05"),
    (DATE, "2026-01-05T10:00:00Z", None),
]


@pytest.mark.parametrize(("node", "value", "landed"), EXACT)
def test_a_value_goes_only_where_it_says_the_same(node, value, landed):
    """In a field, in a list, in an object, in a map; what stays is in the map as it came."""
    numbers = {"type": "object", "meta:xdmType": "map", "additionalProperties": node}
    fields = {"a": node, "b": list_of(node), "c": struct(d=list_of(struct(e=node))), "m": numbers}
    record = {"a": value, "b": [value], "c": {"d": [{"e": value}]}, "m": {"k": value}}
    ((typed, rest),), _, _ = run(fields, [record])
    if landed is None:
        assert typed == {}
        assert rest == {
            name: each if isinstance(each, str) else json_text(each)
            for name, each in record.items()
        }
    else:
        wanted = {"a": landed, "b": [landed], "c": {"d": [{"e": landed}]}, "m": {"k": landed}}
        assert (typed, rest) == (wanted, {})
        assert type(typed["a"]) is type(landed)


def test_postal_codes_are_no_numbers():
    records = [{"zip": 94107}, {"zip": 10001}, {"zip": "02134"}]
    proposals = proposals_for({}, records)
    sibling = typed_sibling("zip", "string")
    assert told(proposals) == [
        (("zip",), "integer", "new", 2),
        ((sibling,), "string", "type change", 1),
    ]
    rows, _, _ = run(extended({}, proposals.fields), records)
    assert rows == [({"zip": 94107}, {}), ({"zip": 10001}, {}), ({sibling: "02134"}, {})]


def test_a_field_made_for_one_property_takes_no_other():
    records = [{"Plan Name": "gold"}]
    fields = extended({}, proposals_for({}, records).fields, NOW - timedelta(days=1))
    later = [{"Plan_Name": "x"}, {"Plan Name": "gold"}]
    assert run(fields, later)[0] == [({}, {"Plan_Name": "x"}), ({"Plan_Name": "gold"}, {})]
    assert told(proposals_for(fields, later)) == [
        ((suffixed("Plan_Name"),), "string", "name clash", 1)
    ]
    assert run({"Plan_Name": TEXT}, later)[0][0] == ({"Plan_Name": "x"}, {})


@pytest.mark.parametrize("first", [{"price": 5}, {}])
def test_a_property_called_like_a_sibling_does_not_fill_it(first):
    sibling = typed_sibling("price", "string")
    fields = {"price": LONG}
    if first:
        fields = extended(fields, proposals_for(fields, [{"price": "much"}]).fields)
    else:
        fields = extended(fields, proposals_for(fields, [{sibling: "own"}]).fields)
    ((typed, rest),), _, _ = run(fields, [{"price": "much", sibling: "own"}])
    assert typed == {sibling: "much" if first else "own"}
    assert rest == ({sibling: "own"} if first else {"price": "much"})


@pytest.mark.parametrize(
    ("about", "owner"),
    [
        ("Property 'a'.", "a"),
        ("Mixpanel property 'it's'. Added 2026-11-22T05:12:00Z by target-aep.", "it's"),
        ("Property '', values that do not fit its first type.", ""),
        ("Part of the property 'a'.", None),
        ("Property 'a'. Made by hand.", None),
        (None, None),
    ],
)
def test_the_owner_of_a_field(about, owner):
    assert owner_of(about) == owner


def test_names_that_can_be_no_keys_lose_nothing():
    names = ["", "(no name)", "\ud800", "\udbff", "\ufffd", "ok"]
    report, xdm = MappingReport(), {}
    plan = RemainderPlan(RULE, schema_of({"x": TEXT}), report, now=lambda: NOW)
    plan.place({name: repr(name) for name in names}, xdm)
    rest = xdm["_acme"]["rest"]
    assert sorted(rest.values()) == sorted(map(repr, names))
    assert {rest["(no name)"], rest["\ufffd"]} == {"'(no name)'", repr("\ufffd")}
    assert all(key and key.encode() for key in rest)
    (line,) = report.lines()
    assert line.startswith("3 values have another key in the map")


def test_a_typed_map_takes_no_empty_key():
    numbers = {"type": "object", "meta:xdmType": "map", "additionalProperties": LONG}
    ((typed, rest),), _, _ = run({"m": numbers}, [{"m": {"": 5}}])
    assert (typed, rest) == ({}, {"m": '{"":5}'})


def test_names_of_fields_have_a_length():
    records = [{"x" * 5000: 1, "x" * 4999: 2}, {"x" * 5000: "much"}, {"x" * 5000: 3}]
    proposals = proposals_for({}, records)
    fields = extended({}, proposals.fields)
    assert len(fields) == 3
    assert max(map(len, fields)) < 100
    rows, _, _ = run(fields, records)
    assert [(len(typed), rest) for typed, rest in rows] == [(2, {}), (1, {}), (1, {})]


def test_a_proposal_can_be_sent_as_it_is():
    (proposal,) = proposals_for({}, [{"Plan Name": 1}]).fields
    assert proposal.node == {
        **LONG,
        "title": "Plan Name",
        "description": "Property 'Plan Name'.",
    }
    assert proposal.property == "Plan Name"
    (broken,) = proposals_for({}, [{"\ud800": 1}]).fields
    assert broken.node["title"] == "\ufffd"
    broken.node["title"].encode()


def test_what_can_have_no_field_is_told():
    found = proposals_for({"cart": TEXT}, [{"cart": {"odd key": 1}}, {"cart": {"odd key": 2}}])
    assert found.fields == ()
    assert [(each.property, each.count) for each in found.kept] == [("cart", 2)]
    assert "no names of fields" in found.kept[0].why


def test_a_map_or_another_type_where_fields_should_be_takes_none():
    _, census, _ = run({}, [{"plan": 5}])
    schema = schema_of({"a": TEXT})
    assert propose_fields(census, schema.find(("_acme", "rest"))).fields == ()
    assert propose_fields(census, None).fields != ()


@pytest.mark.parametrize(
    ("value", "siblings", "landing"),
    [
        (True, ("string",), {"string": "true"}),
        (5, ("integer", "number", "string"), {"integer": 5}),
        (5, ("number", "string"), {"number": 5}),
        (2**60, ("integer", "number", "string"), {"string": str(2**60)}),
        (2**60, ("integer", "number"), {}),
        (Decimal("1.5"), ("integer", "string"), {"string": "1.5"}),
        ("5", ("integer",), {}),
        ("2024-05-18T05:05:48Z", ("integer", "string"), {"string": "2024-05-18T05:05:48Z"}),
        ({"a": 5}, ("string", "object"), {"object": {"a": 5}}),
        ({"a": 5, "b": 6}, ("string", "object"), {}),
        ([5], ("array", "string"), {"array": [5]}),
    ],
)
@pytest.mark.parametrize("has_own", [True, False])
def test_a_value_goes_to_the_sibling_that_says_the_same(value, siblings, landing, has_own):
    nodes = {
        "integer": LONG,
        "number": {"type": "number"},
        "string": TEXT,
        "object": struct(a=LONG),
        "array": list_of(LONG),
    }
    fields = {typed_sibling("p", kind): nodes[kind] for kind in siblings}
    own = {"p": {"type": "string", "enum": ["other"]}} if has_own else {"x": TEXT}
    ((typed, rest),), _, report = run({**own, **fields}, [{"p": value}])
    assert typed == {typed_sibling("p", kind): landed for kind, landed in landing.items()}
    assert bool(rest) == (not landing)
    assert bool(report.unconverted) == bool(rest) == bool(report.in_map)


@given(NAMES, NAMES, st.sampled_from(["string", "object"]))
def test_a_sibling_is_of_its_property_alone(raw, other, kind):
    name = typed_sibling(raw, kind)
    assert VALID_NAME.fullmatch(name)
    assert sibling_kinds(raw, {name, "city"}) == [kind]
    assert may_fill(raw, name)
    if other not in (raw, name):
        assert sibling_kinds(other, {name}) == []
        assert name != suffixed(other)
        assert name != sanitized(other)


def test_the_whole_object_goes_to_the_map_if_a_part_has_no_field():
    ((typed, rest),), _, _ = run({"cart": struct(a=LONG)}, [{"cart": {"a": 1, "b": {"c": [2]}}}])
    assert (typed, rest) == ({}, {"cart": '{"a":1,"b":{"c":[2]}}'})


AGES = [
    (timedelta(0), True),
    (timedelta(minutes=15, seconds=59), True),
    (timedelta(minutes=16), False),
    (timedelta(minutes=-15), True),
    (timedelta(days=-400), False),
]


@pytest.mark.parametrize(("age", "is_young"), AGES)
def test_new_fields_are_left_alone_for_a_while(age, is_young):
    records = [{"plan": "x", "cart": {"a": 1, "b": 2}, "Plan-Name": 1, "Plan Name": 2, "on": True}]
    fields = {"cart": struct(a=LONG), "Plan_Name": LONG, "on": LONG}
    grown = extended(fields, proposals_for(fields, records).fields, NOW - age)
    ((typed, rest),), census, _ = run(grown, records)
    assert list(census) == []
    if is_young:
        assert typed == {"Plan_Name": 2}
        assert rest == {"plan": "x", "cart": '{"a":1,"b":2}', "Plan-Name": "1", "on": "true"}
    else:
        assert rest == {}
    assert len(list(young_fields(schema_of(grown), NOW))) == (4 if is_young else 0)


def test_what_new_fields_will_not_take_is_seen_all_the_same():
    fields = {"plan": marked(LONG, NOW), "Plan_Name": LONG, "new": marked(TEXT, NOW)}
    _, census, _ = run(
        fields, [{"plan": "gold", "Plan Name": 1, "Plan-Name": 2, "other": 1}, {"plan": 5}]
    )
    assert list(census) == ["Plan-Name", "other", "plan"]
    assert census["plan"].total == 1
    assert census.has_clashed("Plan-Name")


@pytest.mark.parametrize(
    ("description", "moment"),
    [
        ("Property 'a'. Added 2026-11-22T05:12:00Z by target-aep.", NOW),
        ("Added 2026-11-22T05:12:00Z by target-aep.", NOW),
        ("Property 'Added 2026-11-22T05:12:00Z by target-aep.'.", None),
        ("Added 2026-13-22T05:12:00Z by target-aep.", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_the_mark_of_a_field(description, moment):
    assert added_at(description) == moment


def test_a_mark_is_read_from_where_it_was_written():
    local = NOW.astimezone(timezone(timedelta(hours=5)))
    node = marked({"type": "string", "description": "Property 'a'."}, local)
    assert node["description"] == "Property 'a'. Added 2026-11-22T05:12:00Z by target-aep."
    assert added_at(marked(TEXT, NOW)["description"]) == NOW
    schema = schema_of({name: marked(part, NOW) for name, part in (
        ("a", TEXT), ("b", LONG), ("c", struct(x=TEXT)), ("d", list_of(TEXT)),
    )})  # fmt: skip
    found = schema.find(("_acme", "p"))
    assert {part.added for part in found.properties.values()} == {NOW}
    assert settled(found, NOW).properties == {}
    assert settled(found, NOW + timedelta(hours=1)) is found

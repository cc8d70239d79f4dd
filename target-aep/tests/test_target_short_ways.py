"""Short ways of conversions and counts have the results of the long ones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mapping_records import PLAIN_VALUES, VALUES
from target_aep.loading.json_lines import json_text
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.property_text import property_text
from target_aep.provisioning.property_types import SeenTypes
from target_aep.provisioning.text_labels import labels_of_text
from target_aep.provisioning.value_kinds import kind_of
from target_aep.xdm.coercion import OMITTED, compile_coercer, has_value, prune
from target_aep.xdm.date_coercion import date_time_text
from target_aep.xdm.event_time import compile_event_time
from target_aep.xdm.exact_coercion import _preparation, compile_exact_coercer
from target_aep.xdm.schema import XdmField, parse_schema
from target_aep.xdm.unconvertible import UnconvertibleError

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
TEXT = {"type": "string"}

FIELDS = [
    TEXT,
    {"type": "boolean"},
    {"type": "integer"},
    {"type": "number"},
    {**TEXT, "format": "date-time"},
    {"type": "array", "items": TEXT},
    {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT},
    {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"sku": TEXT, "price": {"type": "number"}},
            "required": ["sku"],
        },
    },
    {"type": "number", "minimum": 0.5, "maximum": 2.5},
    {"type": "integer", "minimum": 3},
    {**TEXT, "enum": ["a", "1"]},
    {**TEXT, "maxLength": 3},
    {**TEXT, "format": "uri"},
    {**TEXT, "format": "date"},
    {"type": "object", "properties": {"a": TEXT, "price": {"type": "number"}}},
]


def converted(coerce, value):
    try:
        return repr(coerce(value))
    except UnconvertibleError as error:
        return error.reason, error.path


@pytest.mark.parametrize("node", FIELDS, ids=str)
@given(value=VALUES)
@example(value=Decimal("-0"))
@example(value=Decimal(123456789012345))
@example(value=Decimal("1234567890.123456"))
@example(value={"a": "", "price": Decimal("0.30")})
@example(value=[{"sku": "x"}, {"price": 1}])
def test_an_exact_conversion_has_no_other_result_for_being_short(node, value):
    field = parse_schema({"type": "object", "properties": {"x": node}}).properties["x"]
    whole, prepare = compile_coercer(field), _preparation(field)
    assert converted(compile_exact_coercer(field), value) == converted(
        lambda value: whole(prepare(value)), value
    )


MAPPED = [
    *(node for node in FIELDS if node["type"] not in ("array", "object")),
    {**TEXT, "format": "uri-reference"},
    {**TEXT, "format": "uri-reference", "maxLength": 3},
    {**TEXT, "pattern": "^[A-Z]{2}$"},
    {**TEXT, "enum": ["", "a", "12"]},
    {**TEXT, "minLength": 2, "maxLength": 4},
    {"type": "number", "minimum": 1, "maximum": 10},
]


@pytest.mark.parametrize("node", MAPPED, ids=str)
@given(value=VALUES | st.text("aZ09[]:/%. é٣", max_size=5))
def test_a_value_that_is_valid_as_it_is_is_what_its_conversion_gives(node, value):
    schema = parse_schema({"type": "object", "properties": {"x": node}})
    mapper = RecordMapper(load_mapping_set([{"source": "a", "destination": "x"}]), schema)
    expected = converted(compile_coercer(schema.properties["x"]), value)
    for _ in range(2):  # a text that was valid is known the next time
        row = mapper.map({"a": value})
        if not mapper.report.failures:
            assert repr(row.get("x", OMITTED)) == expected
        else:
            assert not isinstance(expected, str)


@given(VALUES)
def test_a_value_is_something_if_anything_of_it_is_kept(value):
    assert has_value(value) == (prune(value) is not OMITTED)


@given(st.dictionaries(st.text() | st.integers(), VALUES) | VALUES)
@example({"a": [1e16, 1e-7, float("nan"), Decimal("1E+3"), '\u2028\x7f\x00"\\/']})
def test_the_text_of_a_property_is_its_json(value):
    assert property_text(value) == json_text(value)


@given(
    st.datetimes(datetime(1969, 12, 31), datetime(2026, 1, 2)),  # noqa: DTZ001 - made UTC below
    st.sampled_from(["{}", "{}Z", " {}Z", "{}z", "{}+01:00"]),
)
@example(datetime(2026, 1, 1, 0, 10, 0, 1000), "{}Z")  # noqa: DTZ001
@example(datetime(1969, 12, 31, 23, 59, 59, 999_000), "{}Z")  # noqa: DTZ001
@example(datetime(2024, 2, 29), "{}Z")  # noqa: DTZ001
def test_event_times_are_what_any_date_time_is(moment, spelling):
    event_time = compile_event_time(lambda: NOW, timedelta(minutes=10))
    event_time("2025-12-31T00:00:00.000Z")
    text = spelling.format(moment.isoformat(timespec="milliseconds"))
    expected, instant = date_time_text(text)
    in_time = datetime(1970, 1, 1, tzinfo=timezone.utc) <= instant <= NOW + timedelta(minutes=10)
    if in_time:
        assert event_time(text) == expected
    else:
        with pytest.raises(UnconvertibleError, match=r"before 1970|in the future"):
            event_time(text)


@pytest.mark.parametrize(
    "day", ["2024-02-30", "2023-02-29", "2024-04-31", "2024-13-01", "2024-00-01"]
)
def test_a_day_that_is_none_is_no_event_time(day):
    event_time = compile_event_time(lambda: NOW, timedelta(minutes=10))
    event_time("2025-12-31T00:00:00.000Z")
    with pytest.raises(UnconvertibleError):
        event_time(f"{day}T00:00:00.000Z")


LIKE_NUMBERS = st.text("0123456789-+.:eETZz \u00a0\u0661", min_size=1, max_size=26)


@given(
    st.text(min_size=1) | LIKE_NUMBERS | st.sampled_from(["True", "FALSE", "truE", "2024-05-18"])
)
@example("2024-05-18T05:05:48.123z")
@example("2024-05-18T05:05:48+02:00")
@example(" 2024-05-18t05:05")
@example("-1.5E+3")
def test_labels_of_texts_are_their_kind_and_what_takes_them(text):
    labels = [kind_of(text)]
    for kind in ("boolean", "integer", "number", "date", "date-time"):
        coerce = compile_exact_coercer(XdmField(kind))
        try:
            coerce(text)
        except UnconvertibleError:
            continue
        labels.append(f"text as {kind}")
    assert list(labels_of_text(text)) == labels


@given(
    st.lists(VALUES.filter(has_value))
    | st.lists(PLAIN_VALUES.filter(has_value))
    | st.lists(st.integers())
    | st.lists(st.booleans())
)
def test_values_together_count_as_one_by_one(values):
    one_by_one, together = SeenTypes(), SeenTypes()
    for value in values:
        one_by_one.observe(value)
    if values:
        together.observe_all(values)
    assert counts_of(together) == counts_of(one_by_one)


def counts_of(seen):
    return sorted((path, sorted(counts.items())) for path, counts in seen._counts.items())

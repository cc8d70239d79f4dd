"""Values of mappings in the types of their fields, and without a schema."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_aep.data_prep.automatic_dates import parse_automatically
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.coercion import compile_coercer, prune
from target_aep.xdm.schema import parse_schema
from target_aep.xdm.unconvertible import UnconvertibleError

FIELDS = {
    "text": {"type": "string"},
    "flag": {"type": "boolean"},
    "long": {"type": "integer"},
    "number": {"type": "number"},
    "when": {"type": "string", "format": "date-time"},
    "day": {"type": "string", "format": "date"},
    "map": {"type": "object", "meta:xdmType": "map", "additionalProperties": {"type": "string"}},
}
SCHEMA = parse_schema({"type": "object", "properties": FIELDS})
MORNING = parse_automatically("2020-01-01T01:00:00+02:00")


def coerce(name, value):
    return compile_coercer(SCHEMA.properties[name])(value)


@pytest.mark.parametrize("text", ["y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"])
def test_texts_that_are_true(text):
    assert coerce("flag", text) is True


@pytest.mark.parametrize("text", ["n", "N", "no", "NO", "off", "OFF", "false", "FALSE"])
def test_texts_that_are_false(text):
    assert coerce("flag", text) is False


@pytest.mark.parametrize("value", ["Yes", "No", "1", "0", "True", " yes", "t", 2, -1, MORNING])
def test_no_other_value_is_a_boolean(value):
    with pytest.raises(UnconvertibleError):
        coerce("flag", value)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020-12-31 10:11:12+0100", "2020-12-31"),
        ("2020/12/31", "2020-12-31"),
        ("2020.12.31", "2020-12-31"),
        ("2020-Dec-31", "2020-12-31"),
        ("20201231", "2020-12-31"),
        ("12-31-2020", "2020-12-31"),
        ("12112020", "2020-12-11"),
        ("2/28/2020", "2020-02-28"),
        ("28.2.2020", "2020-02-28"),
        ("2/28/2020 01:02:03 PM", "2020-02-28"),
        ("28.Feb.2020", "2020-02-28"),
        ("28-Feb-2020", "2020-02-28"),
    ],
)
def test_automatic_patterns_are_dates(text, day):
    assert coerce("day", text) == day
    assert coerce("when", text).startswith(day)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("when", MORNING, "2019-12-31T23:00:00.000Z"),
        ("day", MORNING, "2020-01-01"),
        ("text", MORNING, "2020-01-01T01:00:00+02:00"),
        ("long", MORNING, 1577833200000),
        ("map", {"a": MORNING, "b": [MORNING]},
         {"a": "2020-01-01T01:00:00+02:00", "b": '["2020-01-01T01:00:00+02:00"]'}),
        ("text", 1e10, "1.0E10"),
        ("text", Decimal("1.50"), "1.50"),
        ("when", "2022-05-18T05:05:48.123Z", "2022-05-18T05:05:48.123Z"),
        ("when", "2022-05-18T24:00:00.000Z", None),
        ("when", "2022-13-18T05:05:48.123Z", None),
        ("number", Decimal("12.5"), 12.5),
        ("number", MORNING, None),
        ("number", 10**400, None),
        ("number", Decimal("1E+400"), None),
        pytest.param("long", 10**5000, None, id="huge"),
    ],
)  # fmt: skip
def test_values_of_expressions_convert(name, value, expected):
    if expected is None:
        with pytest.raises(UnconvertibleError):
            coerce(name, value)
    else:
        assert coerce(name, value) == expected


def test_without_a_schema_values_stay_and_dates_are_text():
    assert prune({"a": [MORNING, None], "b": 1.5}) == {
        "a": ["2020-01-01T01:00:00+02:00"],
        "b": 1.5,
    }


def expressions(schema=None, **sources):
    mappings = [
        {"sourceType": "EXPRESSION", "source": source, "destination": name}
        for name, source in sources.items()
    ]
    return RecordMapper(load_mapping_set(mappings), schema)


def test_a_failing_expression_leaves_its_field_empty_and_is_counted_with_the_first_reason():
    mapper = expressions(SCHEMA, long="a / b", text="upper(c)", number="c")
    assert mapper.map({"a": 6, "b": 3, "c": "x"}) == {"long": 2, "text": "X"}
    assert mapper.map({"a": 6, "b": 0, "c": "y"}) == {"text": "Y"}
    assert mapper.map({"a": 6, "b": "z", "c": "1"}) == {"text": "1", "number": 1}
    failures = mapper.report.failures
    assert {n: (f.destination, f.count) for n, f in failures.items()} == {
        1: ("long", 2),
        3: ("number", 2),
    }
    assert "zero" in failures[1].reason
    assert failures[3].reason == "the text is not a number"
    assert next(mapper.report.lines()) == (
        f"values were left empty by mapping 1 to long (2; first: {failures[1].reason})"
    )


def test_a_required_field_rejects_the_record_with_the_reason():
    schema = parse_schema({"type": "object", "properties": FIELDS, "required": ["long"]})
    mapper = expressions(schema, long="a / b", text="upper(c)")
    with pytest.raises(RejectedRecordError) as rejection:
        mapper.map({"a": 6, "b": 0})
    assert rejection.value.field_path == "long"
    assert "zero" in rejection.value.reason
    assert not mapper.report.failures, "the record is in the dead letters, with this reason"


def test_all_expressions_of_a_record_see_one_moment():
    mapper = expressions(None, a="now()", b="now()", c="timestamp()")
    row = mapper.map({})
    assert row["a"] == row["b"]
    assert isinstance(row["c"], int)
    assert row["a"].endswith("Z")

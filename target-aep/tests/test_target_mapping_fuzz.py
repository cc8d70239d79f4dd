"""No mapping set and no record give any error but the documented ones."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_aep.errors import MappingSetError
from target_aep.loading.json_lines import json_text
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.coercion import is_nothing
from target_aep.xdm.schema import parse_schema

TEXT = {"type": "string"}
SCHEMA = parse_schema(
    {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": TEXT,
            "b": {"type": "object", "properties": {"a": TEXT, "b": {"type": "integer"}},
                  "required": ["a"]},
            "c": {"type": "array", "items": {"type": "object", "properties": {
                "a": {"type": "number"}, "b": {"type": "array", "items": TEXT}}}},
            "d": {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT},
            "timestamp": {"type": "string", "format": "date-time"},
            "_id": TEXT,
        },
    }
)  # fmt: skip
PIECES = ["a", "b", "c", "d", "timestamp", "_id", "identityMap", "[*]", "[0]", "[2]", ".", "\\",
          "${", "}", "a.b", "c[*].a", "c[*].b", "c[*].b[*]", "x y", "\u00e9", "$"]  # fmt: skip
TOKENS = ["a", "b", "c", "d", "1", "0", "1.5", '"x"', "'2020-01-01'", "null", "true", "+", "-",
          "*", "/", "==", "&&", "?", ":", "(", ")", "[", "]", ",", ".", "upper", "date", "now()",
          "to_object", "concat", "explode", "split", "iif", "=~", "x -> x", "{", "}", "${a}",
          "${A}", "filterArray", "coalesce", "to_integer", "json_to_object"]  # fmt: skip
PATHS = st.lists(st.sampled_from(PIECES), max_size=5).map("".join) | st.text(max_size=6)
GOOD = st.sampled_from(["a", "b", "b.a", "b.b", "c", "c[*].a", "c[*].b", "c[*].b[*]", "c[0].a",
                        "c[1].b[0]", "d", "d.x", "d.y", "timestamp", "_id", "c[*]"])  # fmt: skip
EXPRESSIONS = st.lists(st.sampled_from(TOKENS), max_size=9).map(" ".join) | st.sampled_from(
    ["a + b", "upper(a)", "date(a)", "to_object('a', b)", "c", "a ?? b", "now()", "split(a, 'x')",
     "coalesce(a, b)", "arrays_to_objects('a', c)", "a * 1e300 * 1e300", "json_to_object(a)",
     "array_to_string(',', c)", "format(date(a), 'yyyy')", "{1, 2}", "{:}", "b.a / 0"]
)  # fmt: skip
MAPPINGS = st.one_of(
    st.fixed_dictionaries({"source": PATHS, "destination": PATHS}),
    st.fixed_dictionaries({"source": GOOD, "destination": GOOD}),
    st.fixed_dictionaries(
        {
            "sourceType": st.just("EXPRESSION"),
            "source": EXPRESSIONS,
            "destination": GOOD | PATHS,
        }
    ),
    st.fixed_dictionaries(
        {"sourceType": st.just("STATIC"), "source": st.text(max_size=5), "destination": GOOD}
    ),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=4),
    st.sampled_from(["2020-01-01", "1/2/2020", "9" * 400, Decimal("1E+999"), 10**300, '{"a":1}']),
)
KEYS = st.sampled_from(["a", "b", "c", "d", "a.b", "x"]) | st.text(max_size=2)
VALUES = st.recursive(
    LEAVES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(KEYS, VALUES, max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mappings", "source", "destination", "sourceType", "data", "id",
                             "mappingSet", "remainder", "fields", "rest", "columns",
                             "sourceAttribute", "sourceExpression", "missingFields"])
            | st.text(max_size=3),
            part,
            max_size=5,
        )
    ),
    max_leaves=12,
)  # fmt: skip


def leaves(value):
    if isinstance(value, (dict, list)):
        assert value, "an empty container"
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value


OFTEN = settings(max_examples=max(500, settings().max_examples))


def usable(mapping, schema):
    try:
        RecordMapper(load_mapping_set([mapping]).for_tenant("t"), schema)
    except MappingSetError:
        return False
    return True


@OFTEN
@given(
    st.lists(MAPPINGS, min_size=1, max_size=5),
    st.sampled_from([None, SCHEMA]),
    st.sampled_from(["error", "leave_out"]),
    st.lists(RECORDS, max_size=3),
)
def test_mappings_and_records_raise_nothing_else(mappings, schema, missing, records):
    mappings = [each for each in mappings if usable(each, schema)] or mappings
    document = {"mappings": mappings, "missingFields": missing}
    try:
        mapping_set = load_mapping_set(document).with_variables({"A": 'a"b.c'})
        mapper = RecordMapper(mapping_set.for_tenant("t"), schema)
    except MappingSetError:
        return
    for record in records:
        before = repr(record)
        try:
            row = mapper.map(record)
        except RejectedRecordError:
            pass
        else:
            assert not any(is_nothing(leaf) for part in row.values() for leaf in leaves(part))
            json.loads(json_text(row))
        assert repr(record) == before


@given(JSON)
def test_documents_raise_nothing_else(document):
    with contextlib.suppress(MappingSetError):
        mapping_set = load_mapping_set(document if isinstance(document, (dict, list)) else [])
        RecordMapper(mapping_set.for_tenant("t"), None)


def test_a_record_that_is_nested_too_deeply_is_rejected():
    record = {}
    for _ in range(100_000):
        record = {"a": record}
    mapper = RecordMapper(load_mapping_set([{"source": "a", "destination": "x"}]), None)
    with pytest.raises(RejectedRecordError, match="the record: nested too deeply") as rejection:
        mapper.map(record)
    assert rejection.value.field_path is None
    while record:  # taken apart by hand, so that nothing recurses
        record = record["a"]

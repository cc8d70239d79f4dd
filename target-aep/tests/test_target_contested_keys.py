"""Names that can be no key of a map, in records in which two properties want the same field."""

from __future__ import annotations

import json

import pytest
from run_comparison import LastingPool, assert_same
from target_aep.mapping.model import Remainder
from target_aep.mapping.remainder import RemainderPlan
from target_aep.mapping.report import MappingReport
from target_aep.xdm.schema import parse_schema
from target_messages import EVENT_SCHEMA, record, state

TEXT = {"type": "string"}
FIELDS = {"type": "object", "properties": {"pNum": {"type": "number"}}}
MIXPANEL = {
    "type": "object",
    "properties": {
        "properties": FIELDS,
        "otherProperties": {"type": "object", "additionalProperties": TEXT},
    },
}
DOCUMENT = {
    "$id": "https://ns.adobe.com/acme/schemas/1",
    "type": "object",
    "properties": {
        "_id": TEXT,
        "timestamp": {"type": "string", "format": "date-time"},
        "_acme": {"type": "object", "properties": {"mixpanel": MIXPANEL}},
    },
}
CONTEST = {"pNum": 1.5, "$pNum": 2.5}
ODD = {
    **CONTEST,
    **dict(zip(("\ud800k", "\ud801k", ""), ("first", "second", "third"), strict=True)),
}
NO_NAME = {**CONTEST, "": "third"}
KEPT = {"(no name)": "third", "\ufffdk": "first", "\ufffdk e76c38": "second", "$pNum": "2.5"}


@pytest.mark.parametrize("before", [0, 1, 4])
def test_all_values_are_kept_under_keys_that_can_be_sent(before):
    rule = Remainder(
        "properties", "_acme.mixpanel.properties", "_acme.mixpanel.otherProperties", {}
    )
    plan = RemainderPlan(rule, parse_schema(DOCUMENT), MappingReport())
    for _ in range(before):
        plan.place(dict(CONTEST), {})
    xdm = {}
    plan.place(dict(ODD), xdm)
    assert xdm["_acme"]["mixpanel"] == {"properties": {"pNum": 1.5}, "otherProperties": KEPT}


def test_all_ways_keep_them(tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(DOCUMENT), "utf-8")
    messages = [
        EVENT_SCHEMA,
        *(record(number, properties=CONTEST) for number in range(20)),
        *(record(number, properties=NO_NAME) for number in range(20, 40)),
        state(1),
    ]
    content = "".join(json.dumps(message) + "\n" for message in messages).encode()
    pool = LastingPool(2)
    try:
        seen = assert_same(content, pool, schema_path=str(schema))
    finally:
        pool.end_at_last()
    rows = [json.loads(line) for lines in seen.rows for line in lines]
    kept = [
        row["_acme"]["mixpanel"]["otherProperties"]
        for row in rows
        if len(row["_acme"]["mixpanel"]["otherProperties"]) > 1
    ]
    assert kept == [{"$pNum": "2.5", "(no name)": "third"}] * 20

"""Properties that a tap has given columns of their own: they are properties all the same."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone

import pytest
from target_aep.evolution import SchemaEvolution
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.field_age import marked
from target_aep.xdm.schema import parse_schema
from target_messages import EVENT_SCHEMA, record, state

TITLES = {"mp_browser": "$browser", "mp_seats": "seats", "plan_name": "Plan Name"}


def with_titles():
    schema = copy.deepcopy(EVENT_SCHEMA)
    for column, title in TITLES.items():
        schema["schema"]["properties"][column] = {"title": title}
    return schema


def spread(number, **columns):
    message = record(number, "events", properties={"other": "x"})
    message["record"].update(columns)
    return message


def row_of(sandbox, identifier):
    rows = sandbox.emulator.inspection.rows(sandbox.dataset_id)
    return next(row for row in rows if row["_id"] == identifier)


def test_a_run_places_columns_as_the_properties_that_they_are(sandbox):
    columns = {"mp_browser": "Chrome", "mp_seats": 5, "plan_name": None, "_sdc_sequence": 7}
    outcome = sandbox.run([with_titles(), spread(1, **columns), state(1)])
    assert outcome.error is None
    row = row_of(sandbox, "id1")
    assert row["environment"]["browserDetails"]["name"] == "Chrome"
    rest = row["_acmeretail"]["mixpanel"]["otherProperties"]
    assert rest == {"other": "x", "seats": "5"}


def test_a_dead_letter_has_the_record_as_it_came(sandbox, tmp_path):
    message = spread(1, mp_seats=5)
    message["record"]["time"] = "never"
    sandbox.run([with_titles(), message, state(1)])
    letters = [path for path in tmp_path.rglob("*.jsonl") if "events" in path.name]
    found = [json.loads(line) for path in letters for line in path.read_text().splitlines()]
    assert message["record"] in [each.get("record") for each in found]


def mapper_of(setting="mixpanel", titles=True):
    mapper = RecordMapper(load_mapping_set(setting).for_tenant("acme"), None)
    if titles:
        mapper.learn_columns(with_titles()["schema"])
    return mapper


def test_without_titles_columns_go_by_their_own_names():
    event = spread(1, mp_seats=5)["record"]
    rest = mapper_of(titles=False).map(event)["_acme"]["mixpanel"]["otherProperties"]
    assert rest == {"other": "x", "mp_seats": "5"}


def test_no_value_is_overwritten_and_no_record_changed():
    event = spread(1, mp_seats=5, other="y")["record"]
    event["properties"]["seats"] = "many"
    before = copy.deepcopy(event)
    rest = mapper_of().map(event)["_acme"]["mixpanel"]["otherProperties"]
    assert event == before
    assert rest.pop("other") == "x"
    assert rest.pop("seats") == "many"
    assert rest.pop("mp_seats") == "5"
    assert list(rest.values()) == ["y"]


def test_a_record_without_such_columns_is_not_copied():
    event = record(1, "events", properties={"a": 1})["record"]
    assert mapper_of().with_properties(event) is event


@pytest.mark.parametrize("properties", [None, {}, 5])
def test_odd_properties(properties):
    event = {**spread(1, mp_seats=5)["record"], "properties": properties}
    found = mapper_of().with_properties(event)["properties"]
    assert found == (5 if properties == 5 else {"seats": 5})


def test_a_set_without_a_rule_for_properties_reads_columns_only():
    event = spread(1, mp_seats=5)["record"]
    assert mapper_of([{"source": "event_id", "destination": "_id"}]).with_properties(event) is event


def test_fields_of_mappings_that_ingestion_may_not_know_yet_are_told():
    now = datetime(2026, 11, 22, 5, 12, tzinfo=timezone.utc)
    text = {"type": "string"}
    schema = {
        "type": "object",
        "properties": {
            "_id": text,
            "_acme": {"properties": {"new": marked(text, now), "old": text}},
        },
    }
    mappings = [
        {"source": "a", "destination": "_acme.new"},
        {"source": "b", "destination": "_acme.old"},
    ]
    mapper = RecordMapper(load_mapping_set(mappings), parse_schema(schema), now=lambda: now)
    assert mapper.young_fields == {"_acme.new": now + timedelta(minutes=16)}


def test_a_run_warns_once_of_young_fields_of_mappings(sandbox, monkeypatch):
    monkeypatch.setattr(
        RecordMapper,
        "_find_young_fields",
        lambda _self, _now: {"_x.y": datetime(2026, 1, 1, 10, 15, 30, tzinfo=timezone.utc)},
    )
    outcome = sandbox.run([EVENT_SCHEMA, spread(1), spread(2), state(2)])
    (line,) = [each for each in outcome.log.splitlines() if "may refuse rows" in each]
    assert "until 10:16 UTC" in line
    assert "target-aep retry" in line
    assert "_x.y" in line


def test_apply_after_another_run_says_that_it_was_first(caplog):
    class Binding:
        dataset, schema = "D", None

    caplog.set_level("INFO")
    evolution = SchemaEvolution("apply")
    rule = load_mapping_set("mixpanel").for_tenant("acme")
    evolution.census_of(Binding, rule).observe("seats", 5)
    evolution.finish(lambda *_: [])
    assert "another run, or target-aep provision, was first" in caplog.text
    assert "set it to apply" not in caplog.text

"""`schema_evolution`: what a run tells of unknown properties, and the fields that it adds."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from emulators.aep import AepEmulator, Limits, Promotion
from emulators.aep.demo import MIXPANEL_DATASET, install_demo
from singer_sdk.exceptions import ConfigValidationError
from target_aep.errors import PlatformError, TargetError
from target_aep.evolution import MOST_ADDED, SchemaEvolution
from target_aep.mapping.field_names import suffixed, typed_sibling
from target_aep.mapping.report import MappingReport
from target_aep.run_summary import summarise
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state
from werkzeug.wrappers import Response

PROPERTIES = "_acmeretail.mixpanel.properties"


def events(first, *properties, stream="events"):
    return [record(first + n, stream, properties=each) for n, each in enumerate(properties)]


def messages(*records):
    return [EVENT_SCHEMA, *records, state(records[-1]["record"]["event_id"])]


def evolution_lines(outcome):
    return [line for line in outcome.log.splitlines() if "schema_evolution: " in line]


def only(lines):
    (line,) = lines
    return line


def typed_and_rest(sandbox, identifier):
    rows = {row["_id"]: row for row in sandbox.emulator.inspection.rows(sandbox.dataset_id)}
    mixpanel = rows[identifier]["_acmeretail"]["mixpanel"]
    return mixpanel.get("properties", {}), mixpanel.get("otherProperties", {})


def writes_of_schema(sandbox):
    return sum(sandbox.calls(method, "/schemaregistry/") for method in ("PATCH", "POST", "PUT"))


@pytest.fixture
def clock(monkeypatch):
    """Sets the target's clock ahead."""

    def ahead(**delta):
        moment = datetime.now(timezone.utc) + timedelta(**delta)
        monkeypatch.setattr(TargetAEP, "now", staticmethod(lambda: moment))

    return ahead


@pytest.fixture
def summary(monkeypatch):
    """What the last run of the test says in its summary of the schema."""
    runs = []
    tell = TargetAEP._tell_in_words
    monkeypatch.setattr(
        TargetAEP, "_tell_in_words", lambda target: (runs.append(target._run()), tell(target))
    )
    return lambda: summarise(runs[-1]).get("schemaEvolution")


def test_what_goes_to_the_map_is_counted(sandbox):
    outcome = sandbox.run(
        messages(*events(1, {"seats": 5, "color": "red"}, {"seats": 6, "plan": {"a": 1}}))
    )
    assert (
        "4 values of 3 properties have no typed field and went to the map: seats (2), color (1), "
        "plan (1)"
    ) in outcome.log
    assert evolution_lines(outcome) == []


def test_the_counts_of_the_map_are_bounded():
    report = MappingReport()
    assert report.map_line() is None
    for number in range(12_000):
        report.count_in_map(["a", f"p{number}"])
    line = report.map_line()
    assert line.startswith("24000 values of 1001 properties have no typed field")
    assert "a (12000), (other names) (11001), p0 (1), " in line
    assert line.endswith(", …")


def test_off_says_nothing_in_the_summary(sandbox, summary):
    sandbox.run(messages(*events(1, {"seats": 5})))
    assert summary() is None


def test_plan_tells_and_changes_nothing(sandbox, summary):
    outcome = sandbox.run(
        messages(
            *events(1, {"seats": 5, "plan": {"a": 1}}, {"seats": 6, "Cart Total": "x"}, {"plan": 1})
        ),
        schema_evolution="plan",
    )
    line = only(evolution_lines(outcome))
    sibling = typed_sibling("plan", "object")
    assert (
        f"3 fields would be added for the dataset {sandbox.dataset_id} (set it to apply, or run "
        f"target-aep provision): {PROPERTIES}.seats (long, 2 times); "
        f"{PROPERTIES}.Cart_Total (string, 1 times); {PROPERTIES}.{sibling} (object of a, 1 times)"
    ) in line
    assert writes_of_schema(sandbox) == 0
    (found,) = summary()
    json.dumps(found)
    assert found["datasetId"] == sandbox.dataset_id
    assert found["added"] == []
    assert found["proposed"][2] == {
        "path": f"{PROPERTIES}.{sibling}",
        "type": "object of a",
        "property": "plan",
        "reason": "type change",
        "count": 1,
    }


def test_a_run_without_anything_new_says_nothing(sandbox, summary):
    outcome = sandbox.run(messages(*events(1, {"plan": "pro"})), schema_evolution="apply")
    assert evolution_lines(outcome) == []
    assert summary() is None
    assert writes_of_schema(sandbox) == 0


def test_apply_adds_fields_that_later_runs_use(sandbox, clock, summary):
    def run(first):
        first_event = {"seats": 5, "plan": {"a": 1}, "City": "A", "city": "B"}
        outcome = sandbox.run(
            messages(*events(first, first_event, {"seats": 6})), schema_evolution="apply"
        )
        assert outcome.error is None
        return outcome

    added = run(1)
    names = ["seats", suffixed("City"), typed_sibling("plan", "object")]
    assert "3 fields were added" in only(evolution_lines(added))
    assert set(summary()[0]["added"]) == {f"{PROPERTIES}.{name}" for name in names}
    before = writes_of_schema(sandbox)

    waiting = run(3)
    assert "were added less than 16 minutes ago" in waiting.log
    assert evolution_lines(waiting) == []
    assert set(typed_and_rest(sandbox, "id3")[1]) == set(typed_and_rest(sandbox, "id1")[1])

    clock(minutes=17)
    settled = run(5)
    assert "minutes ago" not in settled.log
    assert evolution_lines(settled) == []
    typed, rest = typed_and_rest(sandbox, "id5")
    assert rest == {}
    assert typed == {"city": "B", **dict(zip(names, [5, "A", {"a": 1}], strict=True))}
    assert "went to the map" not in settled.log
    assert writes_of_schema(sandbox) == before
    assert sandbox.summary()["failedRows"] == {}


def test_new_keys_of_objects_and_lists_get_fields(sandbox, clock):
    items = [{"sku": "A", "color": "red", "size": {"cm": 5}}, {"sku": "B", "price": 2.5}]
    values = {"items": items, "address": {"street": "Main", "geo": {"lat": 1.5, "name": "home"}}}
    for number in (1, 2):
        sandbox.run(messages(*events(number, values)), schema_evolution="apply")
        clock(minutes=17)
    assert typed_and_rest(sandbox, "id1")[0] == {}
    assert typed_and_rest(sandbox, "id2") == (values, {})


def test_a_changed_type_is_followed_over_runs(sandbox, clock):
    def run(first, *properties):
        outcome = sandbox.run(messages(*events(first, *properties)), schema_evolution="apply")
        assert outcome.error is None

    run(1, {"size": 5}, {"size": 6})
    clock(minutes=20)
    run(3, {"size": "large"}, {"size": "7"})
    assert typed_and_rest(sandbox, "id3") == ({}, {"size": "large"})
    assert typed_and_rest(sandbox, "id4") == ({"size": 7}, {})
    clock(minutes=40)
    run(5, {"size": "small"}, {"size": 8})
    assert typed_and_rest(sandbox, "id5") == ({typed_sibling("size", "string"): "small"}, {})
    assert typed_and_rest(sandbox, "id6") == ({"size": 8}, {})


@pytest.fixture
def slow_sandbox(sandbox, serve, tmp_path):
    """A sandbox whose ingestion knows schemas as they were up to 15 minutes ago."""
    sandbox.time = datetime.now(timezone.utc)

    def now():
        return sandbox.time.timestamp()

    emulator = AepEmulator(
        tmp_path / "slow",
        promotion=Promotion(statuses=()),
        limits=Limits(schema_cache_seconds=900),
        now=now,
    )
    sandbox.dataset_id = install_demo(emulator)[MIXPANEL_DATASET]
    url = serve(emulator)
    sandbox.emulator = emulator
    sandbox.config.update(ims_url=url, platform_url=url, dataset_id=sandbox.dataset_id)
    yield sandbox
    emulator.close()


@pytest.mark.parametrize(("minutes", "is_typed"), [(14, False), (17, True)])
def test_new_fields_are_not_used_before_ingestion_knows_them(
    slow_sandbox, monkeypatch, minutes, is_typed
):
    monkeypatch.setattr(TargetAEP, "now", staticmethod(lambda: slow_sandbox.time))
    for number in (1, 2):
        slow_sandbox.run(messages(*events(number, {"seats": 5})), schema_evolution="apply")
        slow_sandbox.time += timedelta(minutes=minutes)
    typed, rest = typed_and_rest(slow_sandbox, "id2")
    assert (typed, rest) == (({"seats": 5}, {}) if is_typed else ({}, {"seats": "5"}))
    assert slow_sandbox.summary()["failedRows"] == {}


def test_a_refusal_costs_no_record(sandbox, summary):
    def alter(request, ask):
        if request.method in ("PATCH", "POST") and "/schemaregistry/" in request.path:
            return Response('{"title": "no", "status": 403}', 403, mimetype="application/json")
        return ask()

    sandbox.front.alter = alter
    outcome = sandbox.run(messages(*events(1, {"seats": 5})), schema_evolution="apply")
    assert outcome.error is None
    assert len(outcome.states) == 1
    assert sandbox.ids() == ["id1"]
    line = only(evolution_lines(outcome))
    assert "the 1 new fields could not be added to the schema of the dataset" in line
    assert "stay in the map" in line
    assert "403" in summary()[0]["problem"]


def test_streams_of_one_dataset_add_a_field_once(sandbox):
    other = {**EVENT_SCHEMA, "stream": "others"}
    outcome = sandbox.run(
        [
            EVENT_SCHEMA,
            other,
            *events(1, {"seats": 5}),
            *events(2, {"seats": "many"}, {"seats": "few"}, stream="others"),
            state(1),
        ],
        schema_evolution="plan",
    )
    assert f"{PROPERTIES}.seats (string, 3 times)" in only(evolution_lines(outcome))


def test_a_set_without_a_rule_for_properties_does_not_evolve(sandbox):
    outcome = sandbox.run(
        messages(*events(1, {"seats": 5})),
        mapping=[
            {"source": "event_id", "destination": "_id"},
            {"source": "time", "destination": "timestamp"},
        ],
        schema_evolution="apply",
    )
    assert outcome.error is None
    assert evolution_lines(outcome) == []


def test_local_files_can_be_planned_for(sandbox, tmp_path):
    local = {"destination": "local", "local_path": str(tmp_path / "out")}
    outcome = sandbox.run(messages(*events(1, {"seats": 5})), schema_evolution="plan", **local)
    assert "1 fields would be added for the schema" in only(evolution_lines(outcome))
    with pytest.raises(ConfigValidationError) as caught:
        sandbox.run(messages(*events(1, {})), schema_evolution="apply", **local)
    (complaint,) = caught.value.errors
    assert complaint == (
        "schema_evolution: apply changes a schema in Experience Platform; with destination=local "
        "use plan"
    )


class Binding:
    """A dataset whose schema is not known."""

    schema = None
    dataset = "D"


class MappingSet:
    """One that has a rule for properties."""

    class remainder:  # noqa: N801 - stands for an attribute
        fields = "_t.p"


def evolve(mode, values, add_fields):
    evolution = SchemaEvolution(mode)
    census = evolution.census_of(Binding, MappingSet)
    for name, value in values:
        census.observe(name, value)
    evolution.finish(add_fields)
    return evolution.results


def test_one_run_adds_a_bounded_number_of_fields_the_most_frequent(caplog):
    caplog.set_level("INFO")
    values = [(f"p{number:03}", 1) for number in range(MOST_ADDED + 20)] + [("p519", 2)]
    asked = []

    def add_fields(dataset, parent, proposals):
        asked.append((dataset, parent, [each.path[-1] for each in proposals]))
        return [each.path[-1] for each in proposals]

    (result,) = evolve("apply", values, add_fields)
    ((dataset, parent, names),) = asked
    assert (dataset, parent) == ("D", ("_t", "p"))
    assert names == ["p519", *(f"p{number:03}" for number in range(MOST_ADDED - 1))]
    assert "20 more properties of the dataset D have no field" in caplog.text
    assert "and 480 more" in caplog.text
    assert result.document()["notListed"] == 20


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (TargetError("no"), "no"),
        (PlatformError("no", status=403), "no"),
        (KeyError("x"), "unexpected KeyError, please report it"),
    ],
)
def test_what_goes_wrong_is_a_warning(error, problem, caplog):
    def add_fields(*_):
        raise error

    (result,) = evolve("apply", [("a", 1)], add_fields)
    assert (result.problem, list(result.added)) == (problem, [])
    assert "All records are loaded" in only(
        [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    )


def test_what_can_have_no_field_and_what_is_too_much_is_told(caplog):
    caplog.set_level("INFO")
    values = [("cart", {"odd key": 1})] + [(f"p{number}", None) for number in range(5000)]
    (result,) = evolve("plan", values, None)
    assert "1 properties of the dataset D can't have a field and stay in the map (its " in (
        caplog.text
    )
    assert "levels): cart" in caplog.text
    assert "1 values of the dataset D were of properties beyond the first thousands" in caplog.text
    assert result.document()["keptInMap"][0]["property"] == "cart"

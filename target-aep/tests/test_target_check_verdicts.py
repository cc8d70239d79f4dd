"""`target-aep check` says what a run then meets: the same configurations are checked and run."""

from __future__ import annotations

import json

import pytest
from check_running import CATALOG, NAMESPACES, REGISTRY, Check, make_namespaces, refuse
from emulators.aep.demo import mixpanel_schema
from emulators.aep.testing import AepClient
from preview_running import make_runner
from target_messages import EVENT_SCHEMA, record, state
from werkzeug.wrappers import Response

RECORDS = [EVENT_SCHEMA, record(1), record(2), state(1)]
MIXPANEL = ["_acmeretail", "mixpanel"]
LINES = [
    {"source": "event_id", "destination": "_id"},
    {"source": "time", "destination": "timestamp"},
]


@pytest.fixture
def check(sandbox, tmp_path, monkeypatch, capsys, caplog):
    check = Check(sandbox, make_runner(tmp_path, monkeypatch, capsys, caplog))
    make_namespaces(check, AepClient(sandbox.config["platform_url"], sandbox.emulator))
    return check


def dataset_requiring(sandbox, path, name):
    """A dataset whose schema requires a field of an object, at a path of names."""
    body = json.loads(json.dumps(mixpanel_schema("_acmeretail")))
    node = body
    for step in path:
        node = node["properties"][step]
    node["properties"].setdefault(name, {"type": "string"})
    node["required"] = [*node.get("required", ()), name]
    schema = sandbox.emulator.provisioning.add_schema({**body, "title": "Strict"})
    return sandbox.emulator.provisioning.add_dataset("Strict", schema.id).id


@pytest.mark.parametrize(
    ("path", "name", "level"),
    [
        ([], "producedBy", "FAIL"),
        (["_acmeretail"], "source", "FAIL"),
        (MIXPANEL, "source", "FAIL"),
        (["placeContext", "geo"], "source", "warn"),
        ([], "identityMap", "ok"),
        ([], "_acmeretail", "ok"),
        (["_acmeretail"], "mixpanel", "ok"),
        (MIXPANEL, "eventName", "ok"),
        (MIXPANEL, "otherProperties", "ok"),
        ([*MIXPANEL, "properties"], "plan", "ok"),
    ],
)
def test_a_required_field_that_nothing_fills(sandbox, check, letters, path, name, level):
    made = dataset_requiring(sandbox, path, name)
    found = [each for each in check(dataset_id=made).of("mapping") if each[0] != "ok"]
    assert [each for each, _ in found] == ([] if level == "ok" else [level])
    assert all(
        f"no mapping fills {'.'.join([*path, name])}, which the" in text for _, text in found
    )
    sandbox.run(RECORDS, dataset_id=made)
    assert len(letters()) == (2 if level == "FAIL" else 0)


@pytest.mark.parametrize(
    ("destination", "level"),
    [("shop.city", "warn"), ("shop.id", "ok"), ("shop", "ok"), ("shops[*].city", "warn")],
)
def test_what_an_object_of_a_list_or_a_copy_requires(sandbox, check, destination, level):
    shop = {"type": "object", "properties": {"city": {"type": "string"}, "id": {"type": "string"}}}
    shop["required"] = ["id"]
    own = {"shop": shop, "shops": {"type": "array", "items": shop}}
    body = mixpanel_schema("_acmeretail")
    body["properties"]["_acmeretail"] = {"type": "object", "properties": own}
    schema = sandbox.emulator.provisioning.add_schema({**body, "title": "Shops"})
    made = sandbox.emulator.provisioning.add_dataset("Shops", schema.id).id
    source = "properties.shops[*].city" if "*" in destination else "properties.shop"
    mapping = [*LINES, {"source": source, "destination": f"_acmeretail.{destination}"}]
    assert check(dataset_id=made, mapping=mapping).levels("mapping") == {level, "ok"}


@pytest.mark.parametrize(
    ("field", "level"),
    [
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "FAIL"),
        ({"type": "string"}, "FAIL"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "FAIL"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "ok"),
    ],
)
def test_a_map_that_takes_no_text(sandbox, check, letters, field, level):
    body = json.loads(json.dumps(mixpanel_schema("_acmeretail")))
    body["properties"]["_acmeretail"]["properties"]["mixpanel"]["properties"]["otherProperties"] = (
        field
    )
    schema = sandbox.emulator.provisioning.add_schema({**body, "title": "Odd map"})
    made = sandbox.emulator.provisioning.add_dataset("Odd map", schema.id).id
    lines = check(dataset_id=made)
    assert lines.levels("mapping") == {level}
    assert ("is no map of texts in the schema" in str(lines)) == (level == "FAIL")
    sandbox.run([EVENT_SCHEMA, record(1, properties={"colour": "red"}), state(1)], dataset_id=made)
    assert len(letters()) == (level == "FAIL")


def test_a_stream_with_a_mapping_and_no_dataset(sandbox, check):
    settings = {"dataset_id": None, "datasets": {"events": sandbox.dataset_id}}
    lines = check(**settings, mappings={"orders": "mixpanel"})
    ((topic, text),) = lines.failures()
    assert (topic, text.partition(";")[0]) == ("dataset", "datasets: none for the stream orders")


def test_a_sandbox_that_hides_its_tenant_from_a_mapping_without_any(sandbox, check):
    def alter(request, ask):
        if request.path == f"{REGISTRY}/stats":
            return Response("{}", status=403)
        answer = ask()
        if f"{REGISTRY}/tenant/schemas/" in request.path:
            document = json.loads(answer.get_data())
            document["properties"].pop("_acmeretail")
            return Response(json.dumps(document))
        return answer

    sandbox.front.alter = alter
    assert not check(mapping=LINES).failures()
    assert sandbox.run(RECORDS, mapping=LINES).error is None


def test_a_list_of_namespaces_that_is_refused_stops_no_run(sandbox, check):
    refuse(sandbox, NAMESPACES)
    lines = check()
    assert not lines.failures()
    assert lines.levels("namespace") == {"skip"}
    assert sandbox.run(RECORDS).error is None


@pytest.mark.parametrize(
    ("path", "method", "permission"),
    [
        (f"{CATALOG}/dataSets", "GET", "View Datasets (Data Management)"),
        (REGISTRY, "GET", "View Schemas (Data Modeling)"),
        ("/data/foundation/import", "POST", "Manage Datasets (Data Management)"),
    ],
)
def test_a_refused_call_of_a_run_names_the_permission(sandbox, path, method, permission):
    def alter(request, ask):
        if request.path.startswith(path) and request.method == method:
            return Response("{}", status=403)
        return ask()

    sandbox.front.alter = alter
    error = str(sandbox.run(RECORDS).error)
    assert f"{method} {path}" in error
    assert f"give the credential a role for the sandbox with {permission}" in error

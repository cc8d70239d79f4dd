"""Custom field groups: what the Schema Registry takes, adds and refuses."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from emulators.aep import AepEmulator
from emulators.aep.testing import AepClient, ManualClock, field_group_body, schema_body
from emulators.aep.xdm_schema import EXPERIENCE_EVENT

GROUPS = "tenant/fieldgroups"
PLAIN = "application/vnd.adobe.xed+json; version=1"
FULL = "application/vnd.adobe.xed-full+json; version=1"
TEXT = {"type": "string"}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def emulator(clock):
    return AepEmulator(sandboxes=("prod", "dev"), now=clock)


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


def made(client, properties, title="Mixpanel"):
    answer = client.registry("POST", GROUPS, field_group_body(title, properties))
    assert answer.status_code == 201, answer.text
    return answer.json()


def refusal(client, body):
    answer = client.registry("POST", GROUPS, body)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["report"]["detailed-message"] == problem["detail"]
    return problem


def test_a_field_group_gets_ids_version_and_types(client, emulator, clock):
    group = made(client, {"plan": TEXT, "count": {"type": "integer"}, "tags": {
        "type": "array", "items": TEXT}})  # fmt: skip
    assert group["$id"].startswith("https://ns.adobe.com/acmeretail/mixins/")
    assert group["meta:altId"] == f"_acmeretail.mixins.{group['$id'].rpartition('/')[2]}"
    assert (group["version"], group["meta:resourceType"]) == ("1.0", "mixins")
    assert (group["imsOrg"], group["meta:containerId"]) == (emulator.org, "tenant")
    dates = group["meta:registryMetadata"]
    assert dates["repo:createdDate"] == dates["repo:lastModifiedDate"] == int(clock.time * 1000)
    own = group["definitions"]["own"]["properties"]["_acmeretail"]
    assert {name: field["meta:xdmType"] for name, field in own["properties"].items()} == {
        "plan": "string",
        "count": "int",
        "tags": "array",
    }
    for name in (group["meta:altId"], quote(group["$id"], safe="")):
        for kind in ("fieldgroups", "mixins"):
            assert client.schema(f"tenant/{kind}/{name}", PLAIN).json() == group
    full = client.schema(f"{GROUPS}/{group['meta:altId']}", FULL).json()
    assert full["properties"]["_acmeretail"]["properties"].keys() == {"plan", "count", "tags"}


@pytest.mark.parametrize(
    ("field", "xdm_type"),
    [
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "uri"}, "string"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "integer", "minimum": -128, "maximum": 127}, "byte"),
        ({"type": "integer", "minimum": 0}, "int"),
        ({"type": "integer", "minimum": -(2**53) + 1, "maximum": 2**53 - 1}, "long"),
        ({"type": "object", "properties": {"a": TEXT}}, "object"),
        ({"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT}, "map"),
    ],
    ids=str,
)
def test_types(client, field, xdm_type):
    group = made(client, {"x": field})
    own = group["definitions"]["own"]["properties"]["_acmeretail"]["properties"]
    assert own["x"]["meta:xdmType"] == xdm_type


@pytest.mark.parametrize(
    "properties",
    [
        {"x": {"type": "decimal"}},
        {"x": {}},
        {"x": {"type": "object"}},
        {"x": {"type": "object", "properties": {}}},
        {"x": {"type": "object", "additionalProperties": TEXT}},
        {"x": {"type": "object", "meta:xdmType": "map"}},
        {"x": {"type": "object", "meta:xdmType": "map", "additionalProperties": {"type": "array"}}},
        {"x": {"type": "array"}},
        {"x": {"type": "array", "items": {"type": "decimal"}}},
        {"x": {"type": "string", "enum": []}},
        {"x": {"type": "string", "pattern": "("}},
        {"x": {"type": "integer", "minimum": "0"}},
        {"$x": TEXT},
        {"_x": TEXT},
        {"a b": TEXT},
        {"": TEXT},
        {"Größe": TEXT},
        {"City": TEXT, "city": TEXT},
        {"x": {"type": "object", "properties": {"A": TEXT, "a": TEXT}}},
        {"x": {"type": "array", "items": {"type": "object", "properties": {"A": TEXT, "a": TEXT}}}},
        {"x": {"type": "object", "properties": {"a": TEXT}, "required": ["b"]}},
    ],
    ids=str,
)
def test_fields_that_cannot_be(client, properties):
    refusal(client, field_group_body("Mixpanel", properties))
    listed = client.schema(GROUPS, "application/vnd.adobe.xed-id+json").json()
    assert listed["results"] == []


@pytest.mark.parametrize("name", ["plan", "_other", "environment"])
def test_fields_outside_the_tenant_are_refused(client, name):
    body = field_group_body("Mixpanel", {"a": TEXT})
    body["definitions"]["own"]["properties"][name] = TEXT
    assert refusal(client, body)["type"].endswith("XDM-1021-400")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": None},
        {"type": "array"},
        {"description": 5},
        {"meta:intendedToExtend": []},
        {"meta:intendedToExtend": ["https://ns.adobe.com/xdm/context/unknown"]},
        {"allOf": [{"$ref": "#/definitions/other"}]},
        {"allOf": [{"$ref": EXPERIENCE_EVENT}]},
        {"allOf": {}},
        {"definitions": {"own": []}},
        {"definitions": {"own": {"properties": []}}},
    ],
    ids=str,
)
def test_bodies_that_are_no_field_group(client, changes):
    refusal(client, {**field_group_body("Mixpanel", {"a": TEXT}), **changes})


def test_only_json_is_taken(client):
    url = "/data/foundation/schemaregistry/tenant/fieldgroups"
    for content_type, data in (("text/plain", "{}"), ("application/json", "{")):
        answer = client.call("POST", url, data=data, headers={"Content-Type": content_type})
        assert answer.status_code == 400
    assert client.registry("POST", GROUPS, []).status_code == 400


def test_titles_are_unique_over_all_kinds_and_per_sandbox(client):
    made(client, {"a": TEXT})
    problem = refusal(client, field_group_body("Mixpanel", {"a": TEXT}))
    assert problem["type"].endswith("XDM-1521-400")
    assert client.registry("POST", "tenant/schemas", schema_body("Mixpanel")).status_code == 400
    client.headers["x-sandbox-name"] = "dev"
    made(client, {"a": TEXT})


def test_the_global_container_is_read_only(client):
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        path = "global/fieldgroups" + ("" if method == "POST" else "/x")
        assert client.registry(method, path, {}).status_code == 405


def test_a_patch_adds_fields_and_counts_versions(client, clock):
    group = made(client, {"a": TEXT})
    clock.time += 60
    patch = [
        {"op": "test", "path": "/title", "value": "Mixpanel"},
        {
            "op": "add",
            "path": "/definitions/own/properties/_acmeretail/properties/b",
            "value": {"type": "number", "title": "B"},
        },
        {"op": "replace", "path": "/description", "value": "new"},
    ]
    changed = client.registry("PATCH", f"{GROUPS}/{group['meta:altId']}", patch).json()
    assert (changed["version"], changed["description"]) == ("1.1", "new")
    own = changed["definitions"]["own"]["properties"]["_acmeretail"]["properties"]
    assert own["b"] == {"type": "number", "title": "B", "meta:xdmType": "number"}
    dates = changed["meta:registryMetadata"]
    assert dates["repo:lastModifiedDate"] - dates["repo:createdDate"] == 60_000
    assert dates["eTag"] != group["meta:registryMetadata"]["eTag"]


@pytest.mark.parametrize(
    "patch",
    [
        {},
        [5],
        [{"op": "add", "path": "/definitions/other/properties/x", "value": 1}],
        [{"op": "add", "path": "title", "value": "x"}],
        [{"op": "add", "path": "/title"}],
        [{"op": "add", "path": "/allOf/5", "value": {}}],
        [{"op": "remove", "path": "/nothing"}],
        [{"op": "remove", "path": ""}],
        [{"op": "replace", "path": "/nothing", "value": 1}],
        [{"op": "test", "path": "/title", "value": "other"}],
        [{"op": "increase", "path": "/title"}],
        [
            {"op": "replace", "path": "/description", "value": "lost"},
            {"op": "replace", "path": "/title", "value": ""},
        ],
    ],
    ids=str,
)
def test_a_bad_patch_changes_nothing(client, patch):
    group = made(client, {"a": TEXT})
    path = f"{GROUPS}/{group['meta:altId']}"
    assert client.registry("PATCH", path, patch).status_code == 400
    assert client.schema(path, PLAIN).json() == group


def test_a_put_replaces(client):
    group = made(client, {"a": TEXT})
    path = f"{GROUPS}/{group['meta:altId']}"
    body = field_group_body("Renamed", {"b": TEXT})
    changed = client.registry("PUT", path, {**body, "$id": "mine", "version": "9.9"}).json()
    assert (changed["$id"], changed["version"]) == (group["$id"], "1.1")
    own = changed["definitions"]["own"]["properties"]["_acmeretail"]["properties"]
    assert (changed["title"], own.keys()) == ("Renamed", {"b"})


def test_an_unused_field_group_can_be_deleted(client):
    group = made(client, {"a": TEXT})
    path = f"{GROUPS}/{group['meta:altId']}"
    schema = client.registry("POST", "tenant/schemas", schema_body("Events", group["$id"])).json()
    assert client.registry("DELETE", path).status_code == 400
    alt_id = schema["meta:altId"]
    assert client.registry("DELETE", f"tenant/schemas/{alt_id}").status_code == 204
    answer = client.registry("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("PATCH", "PUT", "DELETE"):
        assert client.registry(method, path, []).status_code == 404
    assert client.schema(path, PLAIN).status_code == 404


def test_field_groups_are_kept_over_restarts(serve, tmp_path):
    first = AepEmulator(tmp_path)
    client = AepClient(serve(first), first)
    groups = [made(client, {"a": TEXT}, f"Group {number}") for number in range(3)]
    second = AepEmulator(tmp_path)
    client = AepClient(serve(second), second)
    listed = client.schema(GROUPS, "application/vnd.adobe.xed+json", orderby="title").json()
    assert listed["results"] == groups

"""Datasets made and changed through Catalog, and what ingestion then does."""

from __future__ import annotations

import pytest
import requests
from emulators.aep import AepEmulator, Limits
from emulators.aep.testing import AepClient, ManualClock, field_group_body, schema_body

DATASETS = "/data/foundation/catalog/dataSets"
V2 = "/data/foundation/catalog/v2/dataSets"
CONTENT_TYPE = "application/vnd.adobe.xed+json;version=1"
TEXT = {"type": "string"}
PROFILE_TAGS = {"unifiedProfile": ["enabled:true"], "unifiedIdentity": ["enabled:true"]}
UNION = {"meta:immutableTags": ["union"]}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def emulator(clock):
    return AepEmulator(
        sandboxes=("prod", "dev"), now=clock, limits=Limits(schema_cache_seconds=900)
    )


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


@pytest.fixture
def group(client):
    body = field_group_body("Mixpanel", {"plan": TEXT})
    return client.registry("POST", "tenant/fieldgroups", body).json()


@pytest.fixture
def schema(client, group):
    return client.registry("POST", "tenant/schemas", schema_body("Events", group["$id"])).json()


def wanted(schema, **changes):
    reference = {"id": schema["$id"], "contentType": CONTENT_TYPE}
    return {"name": "Mixpanel events", "schemaRef": reference, **changes}


def made(client, body):
    answer = client.call("POST", DATASETS, json=body)
    assert answer.status_code == 201, answer.text
    (reference,) = answer.json()
    assert reference.startswith("@/dataSets/")
    identifier = reference.rpartition("/")[2]
    assert answer.headers["Location"].endswith(identifier)
    return identifier


def read(client, dataset_id):
    return client.call("GET", f"{DATASETS}/{dataset_id}").json()[dataset_id]


def test_a_dataset_is_made_as_asked(client, schema, clock):
    body = wanted(
        schema, description="all", enableErrorDiagnostics=True, tags={"made-by": ["target-aep"]}
    )
    found = read(client, made(client, body))
    assert body.items() <= found.items()
    assert found["created"] == found["updated"] == int(clock.time * 1000)
    assert found["version"] == "1.0.0"


def test_names_are_not_unique(client, schema):
    ids = [made(client, wanted(schema)) for _ in range(2)]
    found = client.call("GET", DATASETS, params={"name": "Mixpanel events"}).json()
    assert found.keys() == set(ids)
    assert read(client, ids[0])["enableErrorDiagnostics"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"name": " "},
        {"schemaRef": None},
        {"schemaRef": {"contentType": CONTENT_TYPE}},
        {"schemaRef": {"id": "https://ns.adobe.com/x/schemas/y", "contentType": CONTENT_TYPE}},
        {"enableErrorDiagnostics": "true"},
        {"tags": {"unifiedProfile": "enabled:true"}},
        {"tags": ["x"]},
        {"tags": PROFILE_TAGS},
        {"tags": {"unifiedProfile": ["enabled: true"]}},
    ],
    ids=str,
)
def test_datasets_that_cannot_be(client, schema, changes):
    answer = client.call("POST", DATASETS, json=wanted(schema, **changes))
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert client.call("GET", DATASETS).json() == {}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "application/vnd.adobe.xed+json",
        "application/vnd.adobe.xed+json;version=2",
        "application/vnd.adobe.xed-id+json;version=1",
    ],
)
def test_content_types_of_schemas(client, schema, content_type):
    reference = {"id": schema["$id"], "contentType": content_type}
    answer = client.call("POST", DATASETS, json=wanted(schema, schemaRef=reference))
    assert answer.status_code == 400
    good = {**reference, "contentType": "application/vnd.adobe.xed-full-notext+json; version=1"}
    made(client, wanted(schema, schemaRef=good))


def test_only_json_is_taken(client):
    answer = client.call("POST", DATASETS, data="{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400


def patch(client, dataset_id, operations):
    return client.call(
        "PATCH",
        f"{DATASETS}/{dataset_id}",
        json=operations,
        headers={"Content-Type": "application/json-patch+json"},
    )


def test_profile_is_enabled_by_a_json_patch_once_the_schema_is(client, schema):
    dataset = made(client, wanted(schema, tags={"made-by": ["target-aep"]}))
    operations = [
        {"op": "add", "path": f"/tags/{name}", "value": value}
        for name, value in PROFILE_TAGS.items()
    ]
    refused = patch(client, dataset, operations)
    assert refused.status_code == 400
    assert refused.json()["detail"] == "To enable profile datasets the schema should be valid"
    tag = [{"op": "add", "path": "/meta:immutableTags", "value": ["union"]}]
    assert client.registry("PATCH", f"tenant/schemas/{schema['meta:altId']}", tag).ok
    answer = patch(client, dataset, operations)
    assert answer.json() == [f"@/dataSets/{dataset}"]
    found = read(client, dataset)
    assert found["tags"] == {"made-by": ["target-aep"], **PROFILE_TAGS}
    assert found["version"] == "1.0.1"


@pytest.mark.parametrize(
    "operations",
    [
        {},
        [{"op": "remove", "path": "/name"}],
        [{"op": "replace", "path": "/nothing", "value": 1}],
        [{"op": "add", "path": "", "value": []}],
        [{"op": "replace", "path": "/schemaRef/id", "value": "https://ns.adobe.com/x"}],
        [{"op": "add", "path": "/tags/x", "value": "text"}],
    ],
    ids=str,
)
def test_a_bad_json_patch_changes_nothing(client, schema, operations):
    dataset = made(client, wanted(schema))
    before = read(client, dataset)
    assert patch(client, dataset, operations).status_code == 400
    assert read(client, dataset) == before


def test_json_replaces_attributes_and_v2_merges_them(client, schema):
    dataset = made(client, wanted(schema, tags={"a": ["1"], "b": ["2"]}))
    answer = client.call("PATCH", f"{V2}/{dataset}", json={"tags": {"a": ["3"]}})
    assert answer.json() == [f"@/dataSets/{dataset}"]
    assert read(client, dataset)["tags"] == {"a": ["3"], "b": ["2"]}
    changes = {"tags": {"c": ["4"]}, "enableErrorDiagnostics": True, "created": 5}
    assert client.call("PATCH", f"{DATASETS}/{dataset}", json=changes).status_code == 200
    found = read(client, dataset)
    assert (found["tags"], found["enableErrorDiagnostics"]) == ({"c": ["4"]}, True)
    assert found["created"] != 5
    assert client.call("PATCH", f"{V2}/unknown", json={}).status_code == 404


def test_datasets_are_kept_over_restarts(serve, tmp_path):
    first = AepEmulator(tmp_path)
    client = AepClient(serve(first), first)
    schema = client.registry("POST", "tenant/schemas", {**schema_body("Events"), **UNION}).json()
    dataset = made(client, wanted(schema, tags=PROFILE_TAGS, description="kept"))
    before = read(client, dataset)
    second = AepEmulator(tmp_path)
    assert read(AepClient(serve(second), second), dataset) == before


def add_field(client, group, name):
    path = f"/definitions/own/properties/_acmeretail/properties/{name}"
    operation = {"op": "add", "path": path, "value": TEXT}
    answer = client.registry("PATCH", f"tenant/fieldgroups/{group['meta:altId']}", [operation])
    assert answer.status_code == 200


def rows_in(emulator, dataset):
    emulator.lifecycle.settle()
    return emulator.inspection.summary(dataset)["rows"]


def test_ingestion_learns_of_new_fields_late(client, emulator, clock, group, schema):
    dataset = made(client, wanted(schema))

    def load(identifier, **own):
        row = {"_id": identifier, "timestamp": "2023-05-01T00:00:00.000Z", "_acmeretail": own}
        client.load(dataset, [row])
        return rows_in(emulator, dataset)

    assert load("1", plan="a") == 1
    add_field(client, group, "size")
    assert load("2", plan="a", size="b") == 1
    clock.time += 899
    assert load("3", plan="a", size="b") == 1
    clock.time += 1
    assert load("4", plan="a", size="b") == 2


def test_a_schema_that_ingestion_has_not_read_is_fresh(client, emulator, group, schema):
    dataset = made(client, wanted(schema))
    add_field(client, group, "size")
    row = {"_id": "1", "timestamp": "2023-05-01T00:00:00Z", "_acmeretail": {"size": "b"}}
    client.load(dataset, [row])
    assert rows_in(emulator, dataset) == 1


def test_what_was_made_is_listed_for_tests(client, emulator, group, schema):
    dataset = made(client, wanted(schema))
    space = {"name": "n", "code": "Space", "idType": "DEVICE"}
    made_space = client.call("POST", "/data/core/idnamespace/identities", json=space).json()
    url = f"{client.url}/__emulator__/resources"
    listing = requests.get(url, timeout=10).json()
    assert listing == emulator.resources.listing()
    assert listing["fieldGroups"] == [group]
    assert listing["namespaces"] == [made_space]
    assert listing["descriptors"] == []
    (found,) = listing["schemas"]
    assert found["$id"] == schema["$id"]
    assert found["references"] == [part["$ref"] for part in schema["allOf"]]
    assert found["properties"]["_acmeretail"]["properties"].keys() == {"plan"}
    (entry,) = listing["datasets"]
    assert (entry["id"], entry["name"], entry["tags"]) == (dataset, "Mixpanel events", {})
    other = requests.get(url, params={"sandbox": "dev"}, timeout=10).json()
    assert not any(other.values())

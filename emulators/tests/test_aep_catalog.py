"""Catalog listings, schema reads, and installing datasets over HTTP."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests
from emulators.aep import AepEmulator, install_demo
from emulators.aep.testing import AepClient
from emulators.aep.xdm_schema import event_schema, string, struct

DATASETS = "/data/foundation/catalog/dataSets"
FULL = "application/vnd.adobe.xed-full+json; version=1"


class Clock:
    def __init__(self):
        self.time = 1_700_000_000.0

    def __call__(self):
        self.time += 1
        return self.time


@pytest.fixture
def emulator():
    return AepEmulator(sandboxes=("prod", "dev"), now=Clock())


@pytest.fixture
def datasets(emulator):
    return install_demo(emulator)


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


def test_a_dataset_is_keyed_by_its_id(client, datasets):
    for name, dataset_id in datasets.items():
        found = client.call("GET", f"{DATASETS}/{dataset_id}").json()
        assert found.keys() == {dataset_id}
        assert found[dataset_id]["name"] == name
        assert found[dataset_id]["enableErrorDiagnostics"] is False
        assert found[dataset_id]["schemaRef"]["contentType"].startswith("application/vnd.adobe")
    answer = client.call("GET", f"{DATASETS}/{dataset_id}", params={"properties": "name,tags"})
    assert answer.json() == {dataset_id: {"name": name, "tags": {}}}


def test_datasets_are_found_by_name(client, datasets):
    def named(**query):
        return set(client.call("GET", DATASETS, params=query).json())

    assert named() == set(datasets.values())
    assert named(name="Orders") == {datasets["Orders"]}
    assert named(name="orders") == set()
    assert named(property="name==Mixpanel (Adobe source)") == {datasets["Mixpanel (Adobe source)"]}
    assert len(named(property="name~^Mixpanel")) == 2
    assert len(named(limit=2)) == 2
    assert len(named(limit=2, start=2)) == 1


def test_another_sandbox_is_empty(client, datasets):
    client.headers["x-sandbox-name"] = "dev"
    assert client.call("GET", DATASETS).json() == {}
    assert client.call("GET", f"{DATASETS}/{datasets['Orders']}").status_code == 404
    assert client.schema("tenant/schemas", "application/vnd.adobe.xed+json").json()["results"] == []


@pytest.mark.parametrize(
    "path", [f"{DATASETS}/unknown", "/data/foundation/catalog/batches/unknown"]
)
def test_unknown_objects(client, path):
    answer = client.call("GET", path)
    assert answer.status_code == 404
    assert answer.json()["title"] == "NotFoundError"


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 101},
        {"limit": -1},
        {"limit": "ten"},
        {"start": "x"},
        {"orderBy": "up:created"},
        {"createdAfter": "today"},
    ],
    ids=str,
)
def test_bad_parameters(client, query):
    answer = client.call("GET", "/data/foundation/catalog/batches", params=query)
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["size==5", "name", "name~("])
def test_bad_property_filters(client, text):
    assert client.call("GET", DATASETS, params={"property": text}).status_code == 400


def test_batches_are_filtered_ordered_and_paged(client, datasets):
    orders, events = datasets["Orders"], datasets["Mixpanel events"]
    made = [client.create(orders, externalId=f"run-{number}").json() for number in range(5)]
    other = client.create(events).json()["id"]
    ids = [batch["id"] for batch in made]
    client.act(ids[0], "ABORT")
    assert list(client.batches()) == [other, *reversed(ids)]
    assert list(client.batches(dataSet=orders, orderBy="asc:created")) == ids
    assert list(client.batches(dataSet=orders, limit=2, start=1)) == [ids[3], ids[2]]
    assert list(client.batches(externalId="run-2")) == [ids[2]]
    assert list(client.batches(externalId="run")) == []
    assert list(client.batches(status="aborted")) == [ids[0]]
    assert list(client.batches(batch=ids[1])) == [ids[1]]
    assert len(client.batches(createdClient="emulator-client")) == 6
    assert list(client.batches(createdAfter=made[3]["created"], dataSet=orders)) == [ids[4]]
    assert list(client.batches(createdBefore=made[1]["created"])) == [ids[0]]
    assert client.batches(externalId="run-2", properties="status") == {
        ids[2]: {"status": "loading"}
    }


def test_default_and_largest_page(client, datasets):
    for _ in range(101):
        client.create(datasets["Orders"])
    assert len(client.batches()) == 20
    assert len(client.batches(limit=100)) == 100


@pytest.mark.usefixtures("datasets")
def test_stats_name_the_tenant(client, emulator):
    stats = client.schema("stats", "application/json").json()
    assert (stats["tenantId"], stats["imsOrg"]) == ("acmeretail", emulator.org)
    assert stats["counts"]["schemas"] == 3


def test_a_schema_by_either_id(client, datasets):
    found = client.call("GET", f"{DATASETS}/{datasets['Mixpanel events']}").json()
    reference = next(iter(found.values()))["schemaRef"]["id"]
    schema = client.schema(f"tenant/schemas/{quote(reference, safe='')}", FULL).json()
    assert schema["$id"] == reference
    assert schema["required"] == ["_id", "timestamp"]
    own = schema["properties"]["_acmeretail"]["properties"]["mixpanel"]["properties"]
    assert own["properties"]["properties"]["items"]["items"]["properties"].keys() == {
        "sku",
        "price",
        "name",
        "quantity",
    }
    assert own["otherProperties"]["additionalProperties"]["type"] == "string"
    assert client.schema(f"tenant/schemas/{schema['meta:altId']}", FULL).json() == schema


def test_the_forms_of_a_schema(client, emulator):
    body = event_schema("Titled", {"title": string(title="A title"), "o": struct({"a": string()})})
    alt_id = emulator.provisioning.add_schema(body).alt_id
    path = f"tenant/schemas/{alt_id}"
    plain = client.schema(path, "application/vnd.adobe.xed+json;version=1").json()
    assert "properties" not in plain
    assert {"$ref": "https://ns.adobe.com/xdm/context/experienceevent"} in plain["allOf"]
    silent = client.schema(path, "application/vnd.adobe.xed-full-notext+json; version=1").json()
    assert "title" not in silent
    assert "title" not in silent["properties"]["title"]
    assert silent["properties"]["o"]["properties"].keys() == {"a"}
    listed = client.schema("tenant/schemas", "application/vnd.adobe.xed-id+json").json()
    assert {"title": "Titled", "meta:altId": alt_id}.items() <= listed["results"][-1].items()
    named = client.schema("tenant/schemas?property=title==Titled", "application/vnd.adobe.xed+json")
    assert [schema["meta:altId"] for schema in named.json()["results"]] == [alt_id]


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("tenant/schemas", "*/*", 406),
        ("tenant/schemas", "application/json", 406),
        ("tenant/schemas", "application/vnd.adobe.xed+json;version=1", 400),
        ("tenant/schemas", "application/vnd.adobe.xed-full+json", 400),
        ("tenant/schemas/{}", "*/*", 406),
        ("tenant/schemas/{}", "application/vnd.adobe.xed-full+json", 400),
        ("tenant/schemas/{}", "application/vnd.adobe.xed-full+json; version=2", 406),
        ("tenant/schemas/{}", "application/vnd.adobe.xed-id+json", 406),
        ("tenant/schemas/unknown", FULL, 404),
        ("global/schemas/{}", FULL, 404),
        ("other/schemas/{}", FULL, 404),
    ],
)
def test_schema_reads_are_refused(client, emulator, path, accept, status):
    alt_id = emulator.provisioning.add_schema(event_schema("x")).alt_id
    answer = client.schema(path.format(alt_id), accept)
    assert answer.status_code == status
    assert answer.json()["title"]


def test_the_global_container_is_empty(client):
    listed = client.schema("global/schemas", "application/vnd.adobe.xed-id+json").json()
    assert listed["results"] == []


def test_datasets_and_schemas_are_installed_over_http(client):
    url = f"{client.url}/__emulator__"
    body = event_schema("Installed", {"colour": string(enum=["red"])})
    schema = requests.post(f"{url}/schemas", json={"schema": body}, timeout=10)
    assert schema.status_code == 201
    wanted = {"name": "A", "schemaId": schema.json()["$id"], "tags": {"a": ["b"]}}
    first = requests.post(f"{url}/datasets", json=wanted, timeout=10)
    both = {"name": "B", "schema": body, "enableErrorDiagnostics": True, "sandbox": "dev"}
    second = requests.post(f"{url}/datasets", json=both, timeout=10)
    assert (first.status_code, second.status_code) == (201, 201)
    found = client.call("GET", f"{DATASETS}/{first.json()['id']}").json()
    assert found[first.json()["id"]]["tags"] == {"a": ["b"]}
    client.headers["x-sandbox-name"] = "dev"
    found = client.call("GET", f"{DATASETS}/{second.json()['id']}").json()
    assert found[second.json()["id"]]["enableErrorDiagnostics"] is True


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("schemas", {}),
        ("schemas", {"schema": {"title": "x", "properties": {"a": {"type": "decimal"}}}}),
        ("schemas", {"schema": event_schema("x"), "sandbox": "other"}),
        ("datasets", {"name": "x", "schemaId": "unknown"}),
        ("datasets", {"name": "x"}),
    ],
)
def test_bad_installations(client, path, body):
    answer = requests.post(f"{client.url}/__emulator__/{path}", json=body, timeout=10)
    assert answer.status_code == 400

"""Faults on demand, as a plain client meets them."""

from __future__ import annotations

import pytest
import requests
from emulators.aep import AepEmulator, Promotion
from emulators.aep.testing import AepClient
from emulators.aep.xdm_schema import event_schema
from emulators.faults import Fault

IMPORT = "/data/foundation/import/batches"
CATALOG = "/data/foundation/catalog"
TOKEN = "/ims/token/v3"
LINE = b'{"_id": "a", "timestamp": "2022-05-18T05:05:48Z"}\n'


@pytest.fixture
def emulator():
    return AepEmulator(promotion=Promotion(statuses=()))


@pytest.fixture
def dataset(emulator):
    schema = emulator.provisioning.add_schema(event_schema("events"))
    return emulator.provisioning.add_dataset("events", schema.id).id


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


def test_a_token_can_expire_in_mid_run(client, emulator, dataset):
    emulator.faults.add(Fault("expired_token", match={"method": "PUT"}))
    batch = client.create(dataset).json()["id"]
    refused = client.put(batch, dataset, "a.json", LINE)
    assert (refused.status_code, refused.json()["error_code"]) == (401, "401013")
    fresh = AepClient(client.url, emulator)
    assert fresh.put(batch, dataset, "a.json", LINE).status_code == 201


def test_throttling_says_how_long_to_wait(client, emulator):
    emulator.faults.add(
        Fault("throttle", args={"retry_after": 7}), Fault("throttle", match={"path": TOKEN})
    )
    answer = client.call("GET", f"{CATALOG}/dataSets")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == {"error_code": "429050", "message": "Too many requests"}
    answer = requests.post(client.url + TOKEN, timeout=10)
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    assert client.call("GET", f"{CATALOG}/dataSets").status_code == 200


def test_server_errors_over_http(client, dataset):
    fault = {
        "kind": "status",
        "times": 2,
        "match": {"method": "POST", "path": IMPORT},
        "args": {"status": 503, "headers": {"Retry-After": "1"}},
    }
    url = f"{client.url}/__emulator__/faults"
    assert requests.post(url, json=fault, timeout=10).status_code == 201
    assert [client.create(dataset).status_code for _ in range(3)] == [503, 503, 201]
    assert len(client.batches()) == 1


@pytest.mark.parametrize("kind", ["reset", "close"])
def test_a_broken_connection_has_no_effect(client, emulator, dataset, kind):
    emulator.faults.add(Fault(kind, match={"method": "POST", "path": IMPORT}))
    with pytest.raises(requests.ConnectionError):
        client.create(dataset)
    assert client.batches() == {}


@pytest.mark.parametrize("kind", ["reset", "close", "status"])
def test_answers_are_lost_after_the_effect(client, emulator, dataset, kind):
    def lost(method, path, call, **query):
        match = {"method": method, "path": path, "query": query}
        emulator.faults.add(Fault(kind, match=match, after_effect=True))
        if kind == "status":
            assert call().status_code == 500
        else:
            with pytest.raises(requests.ConnectionError):
                call()

    mints = emulator.tokens.mints
    if kind != "status":
        lost("POST", TOKEN, lambda: AepClient(client.url, emulator))
        assert emulator.tokens.mints == mints + 1
    lost("POST", IMPORT, lambda: client.create(dataset, externalId="mine"))
    [batch] = client.batches(externalId="mine")
    lost("PUT", IMPORT, lambda: client.put(batch, dataset, "a.json", LINE))
    assert client.put(batch, dataset, "a.json", LINE).status_code == 200
    lost("POST", IMPORT, lambda: client.act(batch, "COMPLETE"), action="COMPLETE")
    lost("GET", CATALOG, lambda: client.call("GET", f"{CATALOG}/batches/{batch}"))
    assert client.batch(batch)["status"] == "success"
    other = client.create(dataset).json()["id"]
    lost("POST", IMPORT, lambda: client.act(other, "ABORT"), action="ABORT")
    assert client.batch(other)["status"] == "aborted"
    assert emulator.inspection.summary(dataset)["rows"] == 1


def test_a_large_upload_survives_a_fault_before_it(client, emulator, dataset):
    emulator.faults.add(Fault("status", match={"method": "PUT"}, args={"status": 500}))
    batch = client.create(dataset).json()["id"]
    content = LINE * 100_000
    assert client.put(batch, dataset, "a.json", content).status_code == 500
    assert client.put(batch, dataset, "a.json", content).status_code == 201


def test_requests_are_logged_without_secrets(client, dataset):
    secret = {"client_secret": "hidden", "grant_type": "client_credentials"}
    requests.post(client.url + TOKEN, params=secret, timeout=10)
    client.create(dataset)
    log = requests.get(f"{client.url}/__emulator__/requests", timeout=10)
    assert "hidden" not in log.text
    assert [(entry["method"], entry["path"], entry["status"]) for entry in log.json()[-2:]] == [
        ("POST", TOKEN, 400),
        ("POST", IMPORT, 201),
    ]

"""Credentials that may not do everything, and streaming connections."""

from __future__ import annotations

import pytest
import requests
from emulators.aep import AepEmulator, Credential
from emulators.aep.testing import AepClient

CONNECTIONS = "/data/foundation/flowservice/connections"
REGISTRY = "/data/foundation/schemaregistry"


def call(serve, credential, method, path, **kwargs):
    emulator = AepEmulator(credentials=[credential])
    client = AepClient(serve(emulator), emulator)
    return client.call(method, path, **kwargs)


@pytest.mark.parametrize(
    ("credential", "status", "error"),
    [
        (Credential(is_enabled=False), 400, "invalid_client"),
        (Credential(client_secrets=()), 401, "invalid_client"),
        (Credential(scopes=frozenset()), 400, "invalid_scope"),
    ],
    ids=["disabled", "no secret left", "no scope"],
)
def test_credentials_that_get_no_token(serve, credential, status, error):
    url = serve(AepEmulator(credentials=[credential]))
    form = {
        "grant_type": "client_credentials",
        "client_id": credential.client_id,
        "client_secret": "emulator-secret",
        "scope": "openid,AdobeID",
    }
    answer = requests.post(f"{url}/ims/token/v3", data=form, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_without_a_product_profile_no_call_passes(serve):
    credential = Credential(has_product_profile=False)
    answer = call(serve, credential, "GET", "/data/foundation/catalog/dataSets")
    assert answer.status_code == 403
    assert answer.json()["error_code"] == "403025"


def test_one_method_of_a_service_can_be_denied(serve):
    emulator = AepEmulator(credentials=[Credential(denied=(f"POST {REGISTRY}",))])
    client = AepClient(serve(emulator), emulator)
    answer = client.registry("POST", "tenant/fieldgroups", {})
    assert answer.status_code == 403
    assert answer.json()["report"]["detailed-message"]
    assert client.schema("stats", "*/*").status_code == 200


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/data/foundation/catalog/dataSets", "detail"),
        ("/data/core/idnamespace/identities", "detail"),
        (f"{REGISTRY}/stats", "detail"),
        (CONNECTIONS, "errorMessage"),
    ],
)
def test_a_service_can_be_denied(serve, path, key):
    answer = call(serve, Credential(denied=(path,)), "GET", path)
    assert answer.status_code == 403
    assert answer.json()[key]


def test_batch_ingestion_denies_without_a_body(serve):
    path = "/data/foundation/import/batches"
    answer = call(serve, Credential(denied=(path,)), "POST", path, json={})
    assert (answer.status_code, answer.content) == (403, b"")


def test_streaming_connections(serve):
    emulator = AepEmulator(sandboxes=("prod", "dev"))
    client = AepClient(serve(emulator), emulator)
    assert client.call("GET", CONNECTIONS).json()["items"] == []
    url = "https://dcs.adobedc.net/collection/0123"
    made = emulator.connections.add_streaming("Mixpanel", url)
    emulator.connections.add_streaming("Other", url, enabled=False)
    answer = client.call("GET", f"{CONNECTIONS}/{made['id']}").json()
    assert answer["items"] == [made]
    parameters = answer["items"][0]["auth"]["params"]
    assert (parameters["inletUrl"], parameters["inletId"]) == (url, "0123")
    listed = client.call("GET", CONNECTIONS, params={"property": "state==disabled"}).json()
    assert [entry["name"] for entry in listed["items"]] == ["Other"]
    client.headers["x-sandbox-name"] = "dev"
    answer = client.call("GET", f"{CONNECTIONS}/{made['id']}")
    assert answer.status_code == 404
    assert made["id"] in answer.json()["errorMessage"]

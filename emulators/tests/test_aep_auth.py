"""IMS tokens and the gateway's refusals."""

from __future__ import annotations

import pytest
import requests
from emulators.aep import AepEmulator, Credential, Limits
from emulators.aep.testing import AepClient, ManualClock

CATALOG = "/data/foundation/catalog/dataSets"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def emulator(clock):
    credential = Credential("client", ("first", "second"))
    limits = Limits(token_seconds=60, tokens_per_minute=3)
    return AepEmulator(credentials=[credential], limits=limits, now=clock)


@pytest.fixture
def url(serve, emulator):
    return serve(emulator)


def mint(url, **changes):
    form = {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_secret": "first",
        "scope": "openid, AdobeID",
    }
    return requests.post(f"{url}/ims/token/v3", data={**form, **changes}, timeout=10)


def test_both_secrets_of_a_rotation_work(url, emulator):
    tokens = [mint(url, client_secret=secret).json() for secret in ("first", "second")]
    assert {token["token_type"] for token in tokens} == {"bearer"}
    assert {token["expires_in"] for token in tokens} == {60}
    assert tokens[0]["access_token"] != tokens[1]["access_token"]
    assert emulator.tokens.mints == 2
    assert requests.get(f"{url}/__emulator__/tokens", timeout=10).json() == {"mints": 2}


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "other"}, 400, "invalid_client"),
        ({"client_id": None}, 400, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "openid,admin"}, 400, "invalid_scope"),
        ({"scope": ""}, 400, "invalid_scope"),
    ],
)
def test_ims_refuses(url, emulator, changes, status, error):
    answer = mint(url, **changes)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]
    assert emulator.tokens.mints == 0


def test_ims_takes_forms_only(url):
    path = f"{url}/ims/token/v3"
    assert requests.post(path, json={"grant_type": "x"}, timeout=10).status_code == 400
    assert requests.get(path, timeout=10).status_code == 405


def test_too_many_tokens_are_throttled(url, clock):
    assert [mint(url).status_code for _ in range(4)] == [200, 200, 200, 429]
    clock.time += 61
    assert mint(url).status_code == 200


def test_a_token_ends_with_its_time_and_on_demand(url, emulator, clock):
    client = AepClient(url, emulator)
    assert client.call("GET", CATALOG).status_code == 200
    clock.time += 60
    assert client.call("GET", CATALOG).json()["error_code"] == "401013"
    client = AepClient(url, emulator)
    requests.delete(f"{url}/__emulator__/tokens", timeout=10)
    assert client.call("GET", CATALOG).status_code == 401


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("Authorization", None, 403, "403010"),
        ("Authorization", "Bearer", 403, "403010"),
        ("Authorization", "Bearer nonsense", 401, "401013"),
        ("Authorization", "Basic nonsense", 401, "401013"),
        ("x-api-key", None, 403, "403000"),
        ("x-api-key", "other", 403, "403003"),
        ("x-gw-ims-org-id", None, 400, "400003"),
        ("x-gw-ims-org-id", "OTHER@AdobeOrg", 403, "403027"),
        ("x-sandbox-name", None, 400, "400003"),
    ],
)
def test_the_gateway_refuses(url, emulator, header, value, status, code):
    client = AepClient(url, emulator)
    answer = client.call("GET", CATALOG, headers={header: value})
    assert answer.status_code == status
    assert answer.json()["error_code"] == code
    assert answer.json()["message"]


@pytest.mark.parametrize("sandbox", ["dev", "PROD"])
def test_an_unknown_sandbox_is_forbidden(url, emulator, sandbox):
    client = AepClient(url, emulator)
    answer = client.call("GET", CATALOG, headers={"x-sandbox-name": sandbox})
    assert answer.status_code == 403
    assert sandbox in answer.json()["detail"]


def test_a_long_url_is_refused(url, emulator):
    client = AepClient(url, emulator)
    assert client.call("GET", CATALOG, params={"name": "x" * 2000}).status_code == 414


def test_unknown_paths_and_methods(url, emulator):
    client = AepClient(url, emulator)
    assert client.call("GET", "/data/foundation/nothing").status_code == 404
    assert client.call("DELETE", CATALOG).status_code == 405

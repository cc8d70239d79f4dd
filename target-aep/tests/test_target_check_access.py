"""`target-aep check`: a token or none, headers, sandbox, permissions; the message for each."""

from __future__ import annotations

import json
import socket

import pytest
from check_running import (
    CATALOG,
    NAMESPACES,
    REGISTRY,
    REST,
    gateway,
    refuse,
)
from emulators.aep.config import Credential
from werkzeug.wrappers import Response

IMPORT = "/data/foundation/import"
EXPORT = "/data/foundation/export"
SANDBOXES = "/data/foundation/sandbox-management/"
AFTER_TOKEN = ("authorization", "api key", "organisation", "sandbox", "permission")


def allow(sandbox, **changes):
    """Change what the sandbox's credential may do."""
    sandbox.emulator.tokens.credentials["emulator-client"] = Credential(**changes)


IMS_REFUSALS = [
    ("wrong secret", {"client_secret": "wrong-value"}, None, "the secret is not valid"),
    ("unknown client", {"client_id": "nobody"}, None, "there is no such credential"),
    ("scopes", {"scopes": "openid,more"}, None, "check scopes: only those that are listed"),
    (
        "expired",
        {},
        (400, {"error": "invalid_client", "error_description": "client secret has expired"}),
        "has expired or is switched off",
    ),
    (
        "disabled",
        {},
        (401, {"error": "invalid_client", "error_description": "The client is disabled"}),
        "add a new secret",
    ),
    ("kind", {}, (400, {"error": "unauthorized_client"}), "it is of another kind"),
    ("no IMS", {}, (404, "not here"), "check ims_url: what answers there"),
    ("no words", {}, (400, []), "check client_id and client_secret"),
]


@pytest.mark.parametrize(
    ("settings", "answer", "words"),
    [case[1:] for case in IMS_REFUSALS],
    ids=[case[0] for case in IMS_REFUSALS],
)
def test_no_token(sandbox, check, settings, answer, words):
    if answer:
        refuse(sandbox, "/ims/", status=answer[0], body=answer[1])
    lines = check(**settings)
    ((topic, text),) = lines.failures()
    assert topic == "token"
    assert words in text
    assert "wrong-value" not in text
    assert lines.levels(*AFTER_TOKEN, *REST) == {"skip"}
    assert lines.of("dataset") == [("skip", "because there is no token")]
    assert sandbox.calls("GET", "/data/") == 0


def test_ims_that_cant_be_reached(check, closed_port):
    ((topic, text),) = check(ims_url=f"http://127.0.0.1:{closed_port}").failures()
    assert topic == "token"
    assert "can't be reached" in text
    assert "check ims_url and the network" in text


@pytest.fixture
def closed_port():
    """A port that nobody listens on: taken, and let go again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_platform_that_cant_be_reached(check, closed_port):
    lines = check(platform_url=f"http://127.0.0.1:{closed_port}")
    ((topic, text),) = lines.failures()
    assert topic == "gateway"
    assert text.endswith("check platform_url and the network")
    assert lines.levels(*AFTER_TOKEN, *REST) == {"skip"}


GATEWAY_REFUSALS = [
    ("403010", 403, "authorization", "no proxy takes the Authorization header away"),
    ("401013", 401, "authorization", "ims_url and platform_url belong together"),
    ("403000", 403, "api key", "set client_id"),
    ("403003", 403, "api key", "project in the Developer Console has the Experience Platform API"),
    ("400003", 400, "organisation", "set org_id"),
    ("403027", 403, "organisation", "check org_id, and that the credential has a product profile"),
    ("403025", 403, "product profile", "Admin Console) and a role for the sandbox (Permissions)"),
]


@pytest.mark.parametrize(("code", "status", "topic", "words"), GATEWAY_REFUSALS)
def test_what_the_gateway_refuses_is_told_once(sandbox, check, code, status, topic, words):
    refuse(sandbox, "/data/", status=status, body=gateway(code))
    lines = check()
    ((failed, text),) = lines.failures()
    assert failed == topic
    assert words in text
    assert lines.levels(*REST) == {"skip"}
    assert lines.of("dataset") == [("skip", f"because every call is refused ({topic})")]
    mints = sandbox.emulator.tokens.mints
    assert mints <= 2


def test_an_organisation_that_is_not_the_credentials(check):
    ((topic, text),) = check(org_id="OTHER@AdobeOrg").failures()
    assert topic == "organisation"
    assert "403027" in text


def test_a_wrong_address_is_no_question_of_permissions(sandbox, check):
    refuse(sandbox, "/data/", status=404, body={})
    ((topic, text),) = check().failures()
    assert topic == "gateway"
    assert "check platform_url" in text


def test_a_page_in_place_of_an_answer(sandbox, check):
    sandbox.front.alter = lambda request, ask: (
        Response("<html>") if request.path.startswith("/data/") else ask()
    )
    ((topic, text),) = check().failures()
    assert (topic, "without JSON" in text) == ("gateway", True)


def test_a_sandbox_that_is_not_there(check):
    lines = check(sandbox_name="dev")
    ((topic, text),) = lines.failures()
    assert topic == "sandbox"
    assert "there is no such sandbox, or no access to it: check sandbox_name" in text
    assert lines.levels("authorization", "api key", "organisation") == {"ok"}
    assert lines.levels(*REST) == {"skip"}


def test_a_sandbox_beside_those_that_may_be_used(sandbox, check):
    def alter(request, ask):
        if request.path == SANDBOXES:
            shown = {"sandboxes": [{"name": "stage"}, {"name": "prod", "state": "active"}, 7]}
            return Response(json.dumps(shown))
        return ask()

    sandbox.front.alter = alter
    ((_, text),) = check(sandbox_name="dev").failures()
    assert text.startswith(
        "dev is not among the sandboxes that the credential may use (prod, stage): set sandbox_name"
    )


SERVICES = [
    (f"{CATALOG}/dataSets", "Catalog datasets", "View Datasets", {"dataset", "schema", "mapping"}),
    (f"{CATALOG}/batches", "Catalog batches", "View Datasets", {"limits"}),
    (REGISTRY, "Schema Registry", "View Schemas (Data Modeling)", {"schema", "mapping"}),
    (NAMESPACES, "Identity namespaces", "View Identity Namespaces", {"namespace"}),
    (IMPORT, "Batch Ingestion", "Manage Datasets", set()),
    (EXPORT, "Data Access", "View Datasets", set()),
]


@pytest.mark.parametrize(("path", "name", "permission", "skipped"), SERVICES)
@pytest.mark.usefixtures("namespaces")
def test_each_service_that_is_denied(sandbox, check, path, name, permission, skipped):
    allow(sandbox, denied=(path,))
    lines = check()
    ((level, text),) = [each for each in lines.of("permission") if each[0] != "ok"]
    assert level == ("warn" if path == NAMESPACES else "FAIL")  # no run lists namespaces
    assert text.startswith(f"{name}: GET {path}")
    assert f"give the credential a role for the sandbox with {permission}" in text
    assert lines.of("sandbox") == [("ok", "prod is there")]
    for topic in REST:
        assert ("skip" in lines.levels(topic)) == (
            topic in skipped or (topic == "identity" and "mapping" in skipped)
        )


def test_a_credential_without_product_profile(sandbox, check):
    allow(sandbox, has_product_profile=False)
    ((topic, text),) = check().failures()
    assert topic == "product profile"
    assert "403025" in text


def test_a_credential_that_was_disabled(sandbox, check):
    allow(sandbox, is_enabled=False)
    ((topic, text),) = check().failures()
    assert topic == "token"
    assert "there is no such credential, or it was disabled or deleted" in text


def test_no_permission_at_all_is_told_call_by_call(sandbox, check):
    refuse(sandbox, "/data/", body={"title": "Forbidden", "detail": "not permitted"})
    lines = check()
    assert len(lines.failures()) == 5
    assert len(lines.of("permission")) == 6
    assert lines.levels("sandbox", *REST) == {"skip"}
    assert lines.levels("authorization", "api key", "organisation") == {"ok"}


@pytest.mark.usefixtures("namespaces")
def test_an_api_that_the_project_lacks_for_one_service(sandbox, check):
    refuse(sandbox, NAMESPACES, body=gateway("403003"))
    lines = check()
    assert not lines.failures()
    ((_, text),) = [each for each in lines.of("permission") if each[0] == "warn"]
    assert "403003" in text
    assert lines.levels("authorization", "api key", "organisation") == {"ok"}
    assert lines.levels("dataset", "schema", "mapping", "limits") == {"ok", "warn"}


def test_a_service_that_is_down_does_not_hide_the_others(sandbox, check):
    refuse(sandbox, REGISTRY, status=503, body={})
    lines = check()
    ((topic, text), *others) = lines.failures()
    assert topic == "permission"
    assert "Schema Registry: GET" in text
    assert "gave up after 3 tries" in text
    assert {topic for topic, _ in others} == {"namespace"}


@pytest.mark.usefixtures("namespaces")
def test_a_service_that_has_no_answer_for_what_is_not_there(sandbox, check):
    refuse(sandbox, IMPORT, EXPORT, status=500)
    lines = check()
    warned = [text for level, text in lines.of("permission") if level == "warn"]
    assert [text.partition(":")[0] for text in warned] == [
        "Batch Ingestion can't be told",
        "Data Access can't be told",
    ]


@pytest.mark.usefixtures("namespaces")
def test_namespaces_without_a_product_profile(sandbox, check):
    words = "Authorization failed - Missing product context acp for given IMS token."
    refuse(sandbox, NAMESPACES, status=401, body={"status": 401, "report": {"message": words}})
    lines = check()
    assert not lines.failures()
    ((_, text),) = [each for each in lines.of("permission") if each[0] == "warn"]
    assert "give the credential a product profile" in text
    assert lines.levels("authorization") == {"ok"}


def test_calls_that_are_refused_for_different_reasons(sandbox, check):
    def alter(request, ask):
        if request.path.startswith(CATALOG):
            return Response(json.dumps(gateway("403003")), status=403)
        if request.path.startswith("/data/"):
            return Response(json.dumps(gateway("403027")), status=403)
        return ask()

    sandbox.front.alter = alter
    lines = check()
    assert [topic for topic, _ in lines.failures()] == ["permission"] * 5
    assert lines.levels("authorization", "api key", "sandbox", *REST) == {"skip"}

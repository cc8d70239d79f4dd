"""Lexicon's schemas: shapes by Mixpanel's OpenAPI file, refusals, the limit of a minute."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import requests
from emulators.faults import Fault
from emulators.mixpanel import Limits, MixpanelEmulator, Project
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

AUTH = ("robot", "secret")
SPECS = os.environ.get("OPENAPI_SPECS")
SCHEMAS = [
    {
        "entityType": "event",
        "name": "Added To Cart",
        "schemaJson": {
            "description": "Something went into the cart",
            "properties": {
                "price": {"type": "number", "description": "In euros"},
                "$browser": {"type": "string", "metadata": {"com.mixpanel": {"hidden": True}}},
                "items": {"type": "array"},
            },
            "metadata": {"com.mixpanel": {"tags": ["shop"], "displayName": "Cart"}},
        },
    },
    {
        "entityType": "event",
        "name": "a/b",
        "schemaJson": {"properties": {"n": {"type": "integer"}}},
    },
    {"entityType": "profile", "name": "$user", "schemaJson": {"properties": {}}},
]
# Condensed from the OpenAPI file's ListSchemasResponse and its errors.
LISTED = {
    "type": "object",
    "required": ["results", "status"],
    "additionalProperties": False,
    "properties": {
        "status": {"enum": ["ok"]},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "entityType", "schemaJson"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "entityType": {"enum": ["event", "profile"]},
                    "schemaJson": {"type": "object"},
                },
            },
        },
    },
}
REFUSED = {
    "type": "object",
    "required": ["error", "status"],
    "additionalProperties": False,
    "properties": {"error": {"type": "string"}, "status": {"enum": ["error"]}},
}


@pytest.fixture
def seconds():
    return [1000.0]


@pytest.fixture
def emulator(seconds):
    projects = [
        Project(
            1,
            service_accounts=dict([AUTH]),
            api_secret="project-secret",
            oauth_tokens=["token"],
            schemas=SCHEMAS,
        ),
        Project(2),
    ]
    return MixpanelEmulator(projects=projects, limit_clock=lambda: seconds[0])


@pytest.fixture
def ask(emulator, serve):
    url = serve(emulator) + "/api/app/projects/"

    def get(path, auth=AUTH, **options):
        return requests.get(url + path, auth=auth, timeout=10, **options)

    return get


def names(answer):
    assert answer.status_code == 200
    Draft7Validator(LISTED).validate(answer.json())
    return [entry["name"] for entry in answer.json()["results"]]


def test_schemas_are_listed(ask):
    assert names(ask("1/schemas")) == ["Added To Cart", "a/b", "$user"]
    assert names(ask("1/schemas/event")) == ["Added To Cart", "a/b"]
    assert names(ask("1/schemas/profile")) == ["$user"]
    assert names(ask("1/schemas/event?entity_name=a/b")) == ["a/b"]


def test_one_entity_answers_its_schema_alone(ask):
    assert ask("1/schemas/event/Added%20To%20Cart").json() == SCHEMAS[0]["schemaJson"]
    assert ask("1/schemas/event/a%2Fb").json() == SCHEMAS[1]["schemaJson"]
    assert ask("1/schemas/event/Unheard of").status_code == 404


@pytest.mark.parametrize(
    ("path", "auth", "status"),
    [
        ("1/schemas", ("robot", "wrong"), 401),
        ("1/schemas", None, 401),
        ("1/schemas", ("project-secret", ""), 401),
        ("2/schemas/event", AUTH, 403),
        ("3/schemas/event", AUTH, 403),
        ("1/schemas/group", AUTH, 404),
        ("1/data-definitions", AUTH, 404),
    ],
)
def test_refusals_have_the_form_of_the_app_host(ask, path, auth, status):
    answer = ask(path, auth=auth)
    assert answer.status_code == status
    Draft7Validator(REFUSED).validate(answer.json())


def test_a_token_is_no_service_account(ask):
    assert ask("1/schemas", auth=None, headers={"Authorization": "Bearer token"}).status_code == 401


def test_five_a_minute(ask, seconds):
    assert [ask("1/schemas").status_code for _ in range(6)] == [200] * 5 + [429]
    seconds[0] += 60
    assert ask("1/schemas").status_code == 200


def test_the_limit_is_not_that_of_the_export(serve):
    project = Project(1, service_accounts=dict([AUTH]))
    emulator = MixpanelEmulator(projects=[project], limits=Limits(per_hour=0))
    url = serve(emulator) + "/api/app/projects/1/schemas"
    assert requests.get(url, auth=AUTH, timeout=10).status_code == 200


def test_only_reading_is_emulated(emulator, serve):
    url = serve(emulator) + "/api/app/projects/1/schemas"
    assert requests.delete(url, auth=AUTH, timeout=10).status_code == 405


def test_faults_hit_it_too(emulator, ask):
    args = {"status": 503, "body": "busy"}
    emulator.faults.add(Fault("status", match={"path": "/api/app/projects/"}, args=args))
    assert ask("1/schemas").status_code == 503
    assert ask("1/schemas").status_code == 200


@pytest.mark.skipif(SPECS is None, reason="OPENAPI_SPECS names no folder of OpenAPI files")
@pytest.mark.parametrize(
    ("path", "asked", "auth"),
    [
        ("/projects/{projectId}/schemas", "1/schemas", AUTH),
        ("/projects/{projectId}/schemas", "1/schemas", None),
        ("/projects/{projectId}/schemas", "2/schemas", AUTH),
        ("/projects/{projectId}/schemas/{entityType}", "1/schemas/event", AUTH),
        ("/projects/{projectId}/schemas/{entityType}/{name}", "1/schemas/event/a%2Fb", AUTH),
        ("/projects/{projectId}/schemas/{entityType}/{name}", "1/schemas/event/a%2Fb", None),
    ],
)
def test_answers_are_those_of_the_official_file(ask, path, asked, auth):
    official = YAML(typ="safe").load(Path(SPECS) / "mixpanel-lexicon-schemas.openapi.yaml")
    answer = ask(asked, auth=auth)
    described = official["paths"][path]["get"]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    Draft7Validator({**schema, "components": official["components"]}).validate(answer.json())

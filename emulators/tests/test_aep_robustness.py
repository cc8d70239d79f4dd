"""Whatever is written to the services, the answer is a success or a refusal with its reason."""

from __future__ import annotations

import copy

import pytest
from emulators.aep import AepEmulator
from emulators.aep.testing import AepClient, field_group_body, schema_body
from emulators.aep.xdm_schema import EXPERIENCE_EVENT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

REGISTRY = "/data/foundation/schemaregistry"
FIELDS = {
    "text": {"type": "string", "enum": ["a"], "pattern": "a", "maxLength": 5},
    "number": {"type": "integer", "minimum": 0},
    "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "number"}}}},
    "map": {"type": "object", "meta:xdmType": "map", "additionalProperties": {"type": "string"}},
    "object": {
        "type": "object",
        "properties": {"a": {"type": "boolean"}},
        "required": ["a"],
    },
}
GROUP = field_group_body("Group", FIELDS)
SCHEMA = schema_body("Schema", f"{EXPERIENCE_EVENT}-web")
NAMESPACE = {"name": "Space", "code": "Space", "idType": "EMAIL", "description": "d"}
ODD = st.sampled_from([None, True, 0, -1.5, "", "x", "_", [], [0], ["x"], {}, {"x": 1}, [{}]])
WRITES = (
    ("POST", f"{REGISTRY}/tenant/fieldgroups"),
    ("PUT", f"{REGISTRY}/tenant/fieldgroups/{{group}}"),
    ("PATCH", f"{REGISTRY}/tenant/fieldgroups/{{group}}"),
    ("POST", f"{REGISTRY}/tenant/schemas"),
    ("PUT", f"{REGISTRY}/tenant/schemas/{{schema}}"),
    ("PATCH", f"{REGISTRY}/tenant/schemas/{{schema}}"),
    ("POST", f"{REGISTRY}/tenant/descriptors"),
    ("POST", "/data/core/idnamespace/identities"),
    ("POST", "/data/foundation/catalog/dataSets"),
    ("PATCH", "/data/foundation/catalog/dataSets/{dataset}"),
    ("PATCH", "/data/foundation/catalog/v2/dataSets/{dataset}"),
)


class Sandbox:
    """An emulator with one of each kind, and a good body for every write."""

    def __init__(self, serve):
        emulator = AepEmulator()
        self.client = AepClient(serve(emulator), emulator)
        self.group = self.client.registry("POST", "tenant/fieldgroups", GROUP).json()["meta:altId"]
        schema = self.client.registry("POST", "tenant/schemas", SCHEMA).json()
        self.schema = schema["meta:altId"]
        content_type = "application/vnd.adobe.xed+json;version=1"
        reference = {"id": schema["$id"], "contentType": content_type}
        dataset = {"name": "Data", "schemaRef": reference, "tags": {"a": ["b"]}}
        self.dataset = emulator.provisioning.add_dataset("Data", schema["$id"]).id
        descriptor = {
            "@type": "xdm:descriptorIdentity",
            "xdm:sourceSchema": schema["$id"],
            "xdm:sourceVersion": 1,
            "xdm:sourceProperty": "/eventType",
            "xdm:namespace": "Email",
            "xdm:property": "xdm:code",
            "xdm:isPrimary": False,
        }
        patch = [{"op": "add", "path": "/description", "value": "x"}]
        self.bodies = {
            "fieldgroups": GROUP,
            "schemas": SCHEMA,
            "descriptors": descriptor,
            "identities": NAMESPACE,
            "dataSets": dataset,
            "PATCH": patch,
        }

    def body(self, method, path):
        if method == "PATCH" and REGISTRY in path:
            return self.bodies["PATCH"]
        return next(body for name, body in self.bodies.items() if name in path)


def places(value, path=()):
    """Every place in a body."""
    yield path
    items = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else items:
        yield from places(item, (*path, key))


def spoiled(body, path, odd):
    if not path:
        return odd
    changed = copy.deepcopy(body)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = odd
    return changed


@pytest.fixture
def sandbox(serve):
    return Sandbox(serve)


@pytest.mark.parametrize(("method", "path"), WRITES)
@settings(
    max_examples=40,
    deadline=None,
    # The sandbox is shared on purpose: what one example has written, the next one meets.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_body_is_too_odd(sandbox, method, path, data):
    body = sandbox.body(method, path)
    place = data.draw(st.sampled_from(list(places(body))))
    url = path.format(group=sandbox.group, schema=sandbox.schema, dataset=sandbox.dataset)
    answer = sandbox.client.call(method, url, json=spoiled(body, place, data.draw(ODD)))
    assert answer.status_code in {200, 201, 400, 409}
    if answer.status_code >= 400:
        assert answer.json()["title"]

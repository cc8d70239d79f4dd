"""Identity descriptors and the namespaces they name."""

from __future__ import annotations

import pytest
from emulators.aep import AepEmulator
from emulators.aep.testing import AepClient, field_group_body, schema_body
from emulators.aep.xdm_schema import event_schema, string, struct

DESCRIPTORS = "tenant/descriptors"
IDENTITIES = "/data/core/idnamespace/identities"
TEXT = {"type": "string"}
USER = "/_acmeretail/userId"


@pytest.fixture
def emulator():
    return AepEmulator(sandboxes=("prod", "dev"))


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


@pytest.fixture
def schema(client):
    fields = {
        "userId": TEXT,
        "deviceId": TEXT,
        "count": {"type": "integer"},
        "day": {"type": "string", "format": "date"},
        "list": {"type": "array", "items": TEXT},
        "deep": {"type": "object", "properties": {"id": TEXT}},
    }
    group = client.registry("POST", "tenant/fieldgroups", field_group_body("M", fields)).json()
    return client.registry("POST", "tenant/schemas", schema_body("Events", group["$id"])).json()


def identity(schema, path=USER, **changes):
    return {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceSchema": schema["$id"],
        "xdm:sourceVersion": 1,
        "xdm:sourceProperty": path,
        "xdm:namespace": "Email",
        "xdm:property": "xdm:code",
        "xdm:isPrimary": False,
        **changes,
    }


def describe(client, body):
    return client.registry("POST", DESCRIPTORS, body)


def listed(client, form, **query):
    return client.schema(DESCRIPTORS, f"application/vnd.adobe.{form}+json", **query).json()


def tag(client, schema):
    patch = [{"op": "add", "path": "/meta:immutableTags", "value": ["union"]}]
    return client.registry("PATCH", f"tenant/schemas/{schema['meta:altId']}", patch)


def test_a_descriptor_is_made_and_listed_in_four_forms(client, emulator, schema):
    answer = describe(client, identity(schema))
    assert answer.status_code == 201
    made = answer.json()
    assert identity(schema).items() <= made.items()
    assert (made["imsOrg"], made["version"], made["meta:containerId"]) == (
        emulator.org,
        "1",
        "tenant",
    )
    other = describe(client, identity(schema, "/_acmeretail/deep/id")).json()
    kind = "xdm:descriptorIdentity"
    ids = [made["@id"], other["@id"]]
    assert listed(client, "xdm") == {kind: [made, other]}
    assert listed(client, "xdm-id") == {kind: ids}
    assert listed(client, "xdm-link") == {kind: [f"/tenant/descriptors/{name}" for name in ids]}
    page = listed(client, "xdm-v2", orderby="@id", limit=1)
    assert [entry["@id"] for entry in page["results"]] == [min(ids)]
    assert page["_links"]["next"]
    assert listed(client, "xdm", property="xdm:sourceProperty==/_acmeretail/deep/id") == {
        kind: [other]
    }
    assert client.call("GET", f"{path_of(made)}").json() == made


def path_of(descriptor):
    return f"/data/foundation/schemaregistry/{DESCRIPTORS}/{descriptor['@id']}"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 406),
        ("application/json", 406),
        ("application/vnd.adobe.xed+json", 400),
        ("application/vnd.adobe.xdm+json; version=1", 400),
    ],
)
def test_descriptors_have_accept_headers_of_their_own(client, accept, status):
    assert client.schema(DESCRIPTORS, accept).status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"@type": "xdm:descriptorOther"},
        {"xdm:sourceSchema": "https://ns.adobe.com/acmeretail/schemas/unknown"},
        {"xdm:sourceSchema": None},
        {"xdm:sourceVersion": 2},
        {"xdm:sourceVersion": None},
        {"xdm:sourceProperty": None},
        {"xdm:sourceProperty": "_acmeretail/userId"},
        {"xdm:sourceProperty": "/_acmeretail/unknown"},
        {"xdm:sourceProperty": "/_acmeretail/count"},
        {"xdm:sourceProperty": "/_acmeretail/day"},
        {"xdm:sourceProperty": "/_acmeretail/list"},
        {"xdm:sourceProperty": "/_acmeretail/deep"},
        {"xdm:sourceProperty": "/_id"},
        {"xdm:sourceProperty": "/timestamp"},
        {"xdm:namespace": "Unknown"},
        {"xdm:namespace": None},
        {"xdm:namespace": "6"},
        {"xdm:property": "xdm:name"},
        {"xdm:property": None},
        {"xdm:isPrimary": "yes"},
    ],
    ids=str,
)
def test_descriptors_that_cannot_be(client, schema, changes):
    answer = describe(client, {**identity(schema), **changes})
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert listed(client, "xdm") == {}


def test_a_namespace_by_its_number(client, schema):
    body = identity(schema, **{"xdm:namespace": 6, "xdm:property": "xdm:id"})
    assert describe(client, body).status_code == 201


def test_one_primary_and_one_identity_a_field(client, schema):
    assert describe(client, identity(schema, **{"xdm:isPrimary": True})).status_code == 201
    other = identity(schema, "/_acmeretail/deviceId", **{"xdm:isPrimary": True})
    assert describe(client, other).status_code == 400
    assert describe(client, identity(schema)).status_code == 400
    assert describe(client, identity(schema, "/_acmeretail/deviceId")).status_code == 201


def test_descriptors_change_and_go(client, schema):
    made = describe(client, identity(schema)).json()
    path = f"{DESCRIPTORS}/{made['@id']}"
    body = identity(schema, **{"xdm:namespace": "Phone", "xdm:isPrimary": True})
    changed = client.registry("PUT", path, body).json()
    assert (changed["@id"], changed["xdm:namespace"]) == (made["@id"], "Phone")
    assert client.registry("DELETE", path).status_code == 204
    for method in ("PUT", "DELETE"):
        assert client.registry(method, path, body).status_code == 404
    assert client.call("GET", path_of(made)).status_code == 404


def test_the_primary_of_a_profile_schema_stays(client, schema):
    made = describe(client, identity(schema, **{"xdm:isPrimary": True})).json()
    assert tag(client, schema).status_code == 200
    path = f"{DESCRIPTORS}/{made['@id']}"
    assert client.registry("DELETE", path).status_code == 403
    for changes in ({"xdm:namespace": "Phone"}, {"xdm:isPrimary": False}):
        body = {**identity(schema, **{"xdm:isPrimary": True}), **changes}
        assert client.registry("PUT", path, body).status_code == 400
    assert client.call("GET", path_of(made)).json() == made


def test_a_union_needs_an_identity(client, emulator):
    body = event_schema("Bare", {"_acmeretail": struct({"userId": string()})})
    del body["properties"]["identityMap"]
    installed = emulator.provisioning.add_schema(body)
    bare = {"$id": installed.id, "meta:altId": installed.alt_id}
    answer = tag(client, bare)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("XDM-1528-400")
    assert describe(client, identity(bare, **{"xdm:isPrimary": True})).status_code == 201
    assert tag(client, bare).status_code == 200


def test_descriptors_go_with_their_schema(client, schema):
    describe(client, identity(schema))
    assert client.registry("DELETE", f"tenant/schemas/{schema['meta:altId']}").status_code == 204
    assert listed(client, "xdm-id") == {}


@pytest.mark.parametrize(
    ("row", "is_good"),
    [
        ({"_acmeretail": {"userId": "u"}}, True),
        ({"_acmeretail": {"deviceId": "d"}}, False),
        ({"_acmeretail": {"userId": None}}, False),
        ({}, False),
    ],
    ids=str,
)
def test_a_primary_identity_is_required_of_every_row(client, emulator, schema, row, is_good):
    describe(client, identity(schema, **{"xdm:isPrimary": True}))
    dataset = emulator.provisioning.add_dataset("events", schema["$id"]).id
    client.load(dataset, [{"_id": "1", "timestamp": "2023-05-01T00:00:00.000Z", **row}])
    emulator.lifecycle.settle()
    assert emulator.inspection.summary(dataset)["rows"] == int(is_good)


def namespace(**changes):
    return {
        "name": "Mixpanel user",
        "code": "MixpanelUserID",
        "idType": "CROSS_DEVICE",
        "description": "from Mixpanel",
        **changes,
    }


def test_namespaces_are_made_once(client, schema):
    standard = client.call("GET", IDENTITIES).json()
    assert {"ECID", "Email", "Phone"} <= {space["code"] for space in standard}
    assert not any(space["custom"] for space in standard)
    answer = client.call("POST", IDENTITIES, json=namespace())
    assert answer.status_code == 200
    made = answer.json()
    assert namespace().items() <= made.items()
    assert (made["custom"], made["status"]) == (True, "ACTIVE")
    assert client.call("GET", IDENTITIES).json() == [*standard, made]
    assert client.call("GET", f"{IDENTITIES}/{made['id']}").json() == made
    for code in ("MixpanelUserID", "mixpaneluserid", "ecid"):
        answer = client.call("POST", IDENTITIES, json=namespace(code=code))
        assert answer.status_code == 409
        assert answer.json()["title"] == "NAMESPACE_CODE_CONFLICT"
    body = identity(schema, **{"xdm:namespace": "MixpanelUserID"})
    assert describe(client, body).status_code == 201
    client.headers["x-sandbox-name"] = "dev"
    assert client.call("GET", IDENTITIES).json() == standard


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": None},
        {"code": "Mixpanel User"},
        {"code": "Mixpanel_User"},
        {"code": None},
        {"idType": "PERSON"},
        {"idType": None},
    ],
    ids=str,
)
def test_namespaces_that_cannot_be(client, changes):
    before = client.call("GET", IDENTITIES).json()
    answer = client.call("POST", IDENTITIES, json=namespace(**changes))
    assert answer.status_code == 400
    assert answer.json()["report"] == {"code": "INVALID_REQUEST_PARAMS"}
    assert client.call("GET", IDENTITIES).json() == before


def test_a_namespace_keeps_code_and_type(client):
    made = client.call("POST", IDENTITIES, json=namespace(idType="Cross_device")).json()
    path = f"{IDENTITIES}/{made['id']}"
    changed = client.call("PUT", path, json=namespace(name="Renamed")).json()
    assert [space["name"] for space in changed] == ["Renamed"]
    assert client.call("GET", path).json() == changed[0]
    for changes in ({"code": "Other"}, {"idType": "COOKIE"}):
        assert client.call("PUT", path, json=namespace(**changes)).status_code == 400
    standard = {"name": "x", "code": "Email", "idType": "EMAIL"}
    assert client.call("PUT", f"{IDENTITIES}/6", json=standard).status_code == 400
    for method in ("GET", "PUT"):
        answer = client.call(method, f"{IDENTITIES}/5", json=namespace())
        assert answer.status_code == 404


def test_namespaces_and_descriptors_are_kept_over_restarts(serve, tmp_path):
    first = AepEmulator(tmp_path)
    client = AepClient(serve(first), first)
    spaces = [
        client.call("POST", IDENTITIES, json=namespace(code=f"Space{number}")).json()
        for number in range(3)
    ]
    made = client.registry("POST", "tenant/schemas", schema_body("Events")).json()
    body = identity(made, "/eventType", **{"xdm:namespace": "Space1"})
    descriptor = describe(client, body).json()
    second = AepEmulator(tmp_path)
    client = AepClient(serve(second), second)
    assert client.call("GET", IDENTITIES).json()[-3:] == spaces
    assert listed(client, "xdm")["xdm:descriptorIdentity"] == [descriptor]

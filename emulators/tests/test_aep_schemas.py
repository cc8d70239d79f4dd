"""Schemas made of a class and field groups: composing, listing, evolving."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from emulators.aep import AepEmulator
from emulators.aep.testing import AepClient, ManualClock, field_group_body, schema_body
from emulators.aep.xdm_groups import standard_groups
from emulators.aep.xdm_schema import EXPERIENCE_EVENT, PROFILE, event_schema, string, struct

GROUPS = "tenant/fieldgroups"
SCHEMAS = "tenant/schemas"
IDS = "application/vnd.adobe.xed-id+json"
LIST = "application/vnd.adobe.xed+json"
PLAIN = "application/vnd.adobe.xed+json; version=1"
FULL = "application/vnd.adobe.xed-full+json; version=1"
WEB = f"{EXPERIENCE_EVENT}-web"
ENVIRONMENT = f"{EXPERIENCE_EVENT}-environment-details"
TEXT = {"type": "string"}
MAP = {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT}
OWN = "/definitions/own/properties/_acmeretail/properties"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def emulator(clock):
    return AepEmulator(sandboxes=("prod", "dev"), now=clock)


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


def group(client, properties, title="Mixpanel"):
    answer = client.registry("POST", GROUPS, field_group_body(title, properties))
    assert answer.status_code == 201, answer.text
    return answer.json()


def schema(client, *group_ids, title="Events", **attributes):
    answer = client.registry("POST", SCHEMAS, {**schema_body(title, *group_ids), **attributes})
    assert answer.status_code == 201, answer.text
    return answer.json()


def change(client, resource, *operations):
    kind = "schemas" if "schemas" in resource["meta:altId"] else "fieldgroups"
    return client.registry("PATCH", f"tenant/{kind}/{resource['meta:altId']}", list(operations))


def add(path, value):
    return {"op": "add", "path": path, "value": value}


def own(body):
    return body["properties"]["_acmeretail"]["properties"]


def use(emulator, resource):
    return emulator.provisioning.add_dataset("events", resource["$id"])


def test_a_schema_is_served_with_references_and_resolved(client):
    mine = group(client, {"plan": {"type": "string", "title": "Plan", "description": "which"}})
    made = schema(client, WEB, mine["$id"], description="all events")
    assert (made["version"], made["meta:class"]) == ("1.0", EXPERIENCE_EVENT)
    assert [part["$ref"] for part in made["allOf"]] == [EXPERIENCE_EVENT, WEB, mine["$id"]]
    assert {EXPERIENCE_EVENT, WEB, mine["$id"]} <= set(made["meta:extends"])
    alt_id = made["meta:altId"]
    assert client.schema(f"{SCHEMAS}/{alt_id}", PLAIN).json() == made
    full = client.full_schema(alt_id)
    assert "allOf" not in full
    assert full["required"] == ["_id", "timestamp"]
    assert full["meta:class"] == EXPERIENCE_EVENT
    assert full["properties"]["web"] == standard_groups()["web"]
    assert own(full)["plan"] == {
        "type": "string",
        "title": "Plan",
        "description": "which",
        "meta:xdmType": "string",
    }
    silent = "application/vnd.adobe.xed-full-notext+json; version=1"
    assert own(client.schema(f"{SCHEMAS}/{alt_id}", silent).json())["plan"] == {
        "type": "string",
        "meta:xdmType": "string",
    }


def test_groups_that_share_an_object_are_merged(client):
    event, other = ({"type": "object", "properties": {name: TEXT}} for name in "ab")
    events, others = ({"type": "array", "items": items} for items in (event, other))
    first = group(client, {"event": event, "events": events, "same": TEXT})
    second = group(client, {"event": other, "events": others, "same": TEXT}, "More")
    made = schema(client, first["$id"], second["$id"])
    found = own(client.full_schema(made["meta:altId"]))
    assert found["event"]["properties"].keys() == {"a", "b"}
    assert found["events"]["items"]["properties"].keys() == {"a", "b"}
    assert found.keys() == {"event", "events", "same"}


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ({"event": {"type": "number"}}, "XDM-1413-400"),
        ({"event": {"type": "object", "properties": {"a": TEXT}}}, "XDM-1413-400"),
        ({"list": {"type": "array", "items": {"type": "number"}}}, "XDM-1413-400"),
        ({"map": {**MAP, "additionalProperties": {"type": "integer"}}}, "XDM-1413-400"),
        ({"Event": TEXT}, "EMULATOR-XDM-400"),
    ],
)
def test_groups_that_contradict_each_other_are_refused(client, field, code):
    texts = {"event": TEXT, "list": {"type": "array", "items": TEXT}, "map": MAP}
    first, second = group(client, texts), group(client, field, "More")
    body = schema_body("Events", first["$id"], second["$id"])
    answer = client.registry("POST", SCHEMAS, body)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(code)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**schema_body("x"), "title": ""},
        {**schema_body("x"), "type": "string"},
        {**schema_body("x"), "allOf": []},
        {**schema_body("x"), "allOf": [{}]},
        {**schema_body("x"), "allOf": [{"$ref": WEB}]},
        {**schema_body("x"), "allOf": [{"$ref": EXPERIENCE_EVENT}, {"$ref": PROFILE}]},
        {**schema_body("x"), "allOf": [{"$ref": PROFILE}, {"$ref": WEB}]},
        {**schema_body("x"), "properties": {"_acmeretail": struct({"a": string()})}},
        {**schema_body("x"), "meta:immutableTags": ["other"]},
        schema_body("x", "https://ns.adobe.com/acmeretail/mixins/unknown"),
        schema_body("x", "_xdm.context.experienceevent-web"),
        schema_body("x", WEB, WEB),
    ],
    ids=str,
)
def test_bodies_that_are_no_schema(client, body):
    answer = client.registry("POST", SCHEMAS, body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert client.schema(SCHEMAS, IDS).json()["results"] == []


def test_adobes_library(client):
    listed = client.schema("global/fieldgroups", IDS).json()["results"]
    names = {entry["$id"].removeprefix(f"{EXPERIENCE_EVENT}-"): entry for entry in listed}
    assert names.keys() == {
        "environment-details",
        "web",
        "marketing",
        "application",
        "implementation-details",
        "commerce",
        "channel",
        "enduserids",
    }
    for entry in listed:
        full = client.schema(f"global/fieldgroups/{entry['meta:altId']}", FULL).json()
        assert full["meta:intendedToExtend"] == [EXPERIENCE_EVENT]
        assert full["properties"]
    environment = names["environment-details"]["meta:altId"]
    full = client.schema(f"global/fieldgroups/{environment}", FULL).json()
    assert full["properties"].keys() == {"environment", "device", "placeContext"}
    classes = client.schema("global/classes", IDS).json()["results"]
    assert {entry["$id"] for entry in classes} == {EXPERIENCE_EVENT, PROFILE}
    event = client.schema("global/classes/_xdm.context.experienceevent", FULL).json()
    assert event["required"] == ["_id", "timestamp"]
    for path in ("global/schemas", "global/datatypes", "tenant/classes", "tenant/datatypes"):
        assert client.schema(path, IDS).json()["results"] == []
    assert client.schema("tenant/classes/_xdm.context.experienceevent", FULL).status_code == 404


def test_lists_are_filtered_ordered_and_paged(client, clock):
    for number in range(5):
        clock.time += 1
        group(client, {"a": TEXT}, f"Group {number}")

    def titles(**query):
        answer = client.schema(GROUPS, IDS, **query)
        assert answer.status_code == 200
        return [entry["title"] for entry in answer.json()["results"]]

    everything = [f"Group {number}" for number in range(5)]
    assert titles() == everything
    assert titles(orderby="-title") == everything[::-1]
    assert titles(property="title==Group 3") == ["Group 3"]
    assert titles(property="title~[12]$") == ["Group 1", "Group 2"]
    assert titles(property=f"meta:intendedToExtend=={EXPERIENCE_EVENT}") == everything
    assert titles(property=f"meta:intendedToExtend=={PROFILE}") == []
    assert titles(property=["title!=Group 0", "title<Group 2"]) == ["Group 1"]
    assert titles(property="meta:immutableTags") == []
    assert titles(limit=2) == everything[:2]
    page = client.schema(GROUPS, IDS, orderby="title", limit=2).json()
    assert page["_page"]["count"] == 2
    seen = [entry["title"] for entry in page["results"]]
    while page["_links"]["next"]:
        query = parse_qs(urlsplit(page["_links"]["next"]).query)
        assert page["_page"]["next"] == page["_links"]["next"]
        page = client.schema(GROUPS, IDS, **query).json()
        seen += [entry["title"] for entry in page["results"]]
    assert seen == everything
    assert titles(orderby="-created", limit=500, start=int((clock.time - 2) * 1000)) == [
        "Group 1",
        "Group 0",
    ]


def test_titles_may_hold_commas_and_operators(client):
    for title in ("A, B", "A", "A == B"):
        group(client, {"a": TEXT}, title)
        found = client.schema(GROUPS, IDS, property=f"title=={title}").json()["results"]
        assert [entry["title"] for entry in found] == [title]


def test_a_page_takes_all_of_one_value(client):
    for number in range(3):
        group(client, {"a": TEXT}, f"Group {number}")
    page = client.schema(GROUPS, IDS, orderby="created", limit=1).json()
    assert page["_page"] == {"orderby": "created", "next": None, "count": 3}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 301},
        {"limit": 501, "orderby": "title"},
        {"limit": "many"},
        {"property": "==x"},
        {"property": "title~("},
        {"orderby": "created", "start": "x"},
    ],
    ids=str,
)
def test_bad_parameters_of_lists(client, query):
    group(client, {"a": TEXT})
    assert client.schema(GROUPS, IDS, **query).status_code == 400


def test_an_unused_schema_takes_every_change(client):
    mine = group(client, {"a": TEXT})
    made = schema(client, WEB, mine["$id"])
    assert change(client, mine, {"op": "remove", "path": f"{OWN}/a"}, add(f"{OWN}/b", TEXT)).ok
    answer = change(client, made, {"op": "remove", "path": "/allOf/1"}, add("/title", "New"))
    assert (answer.json()["title"], answer.json()["version"]) == ("New", "1.1")
    full = client.full_schema(made["meta:altId"])
    assert own(full).keys() == {"b"}
    assert "web" not in full["properties"]


def test_a_schema_in_use_takes_what_adds(client, emulator):
    mine = group(client, {"a": {"type": "string", "enum": ["x"]}, "n": {"type": "integer"}})
    made = schema(client, mine["$id"])
    use(emulator, made)
    assert change(client, mine, add(f"{OWN}/b", {"type": "boolean"})).ok
    assert change(client, mine, add(f"{OWN}/a/enum", ["x", "y"]), add(f"{OWN}/a/title", "A")).ok
    assert change(client, made, add("/allOf/-", {"$ref": WEB}), add("/description", "d")).ok
    full = client.full_schema(made["meta:altId"])
    assert own(full).keys() == {"a", "b", "n"}
    assert own(full)["a"]["enum"] == ["x", "y"]
    assert "web" in full["properties"]


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "remove", "path": f"{OWN}/a"}, "/_acmeretail/a: would be removed"),
        ({"op": "move", "from": f"{OWN}/a", "path": f"{OWN}/z"}, "would be removed"),
        (add(f"{OWN}/a/type", "number"), "type would change"),
        (add(f"{OWN}/a/format", "date-time"), "would change"),
        (add(f"{OWN}/a/enum", ["x"]), "enum"),
        (add(f"{OWN}/a/pattern", "x"), "pattern"),
        (add(f"{OWN}/a/minLength", 2), "minLength"),
        (add(f"{OWN}/a/maxLength", 2), "maxLength"),
        (add(f"{OWN}/n/maximum", 5), "maximum"),
        (add(f"{OWN}/n/minimum", 5), "minimum"),
        (add(f"{OWN}/o/required", ["p"]), "would become required"),
        (add(f"{OWN}/l/items/properties/q/type", "number"), "/_acmeretail/l[]/q"),
        (add(f"{OWN}/m/additionalProperties/type", "integer"), "/_acmeretail/m/*"),
    ],
    ids=str,
)
@pytest.mark.parametrize("how", ["dataset", "union"])
def test_a_schema_in_use_refuses_what_breaks(client, emulator, operation, reason, how):
    nested = {"type": "object", "properties": {"p": TEXT}}
    items = {"type": "object", "properties": {"q": TEXT}}
    texts = {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT}
    mine = group(
        client,
        {
            "a": TEXT,
            "n": {"type": "integer"},
            "o": nested,
            "l": {"type": "array", "items": items},
            "m": texts,
        },
    )
    made = schema(client, mine["$id"])
    if how == "dataset":
        use(emulator, made)
    else:
        assert change(client, made, add("/meta:immutableTags", ["union"])).ok
    answer = change(client, mine, operation)
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]
    assert client.schema(f"{GROUPS}/{mine['meta:altId']}", PLAIN).json() == mine


def test_a_schema_in_use_keeps_its_groups_and_itself(client, emulator):
    mine = group(client, {"a": TEXT})
    made = schema(client, WEB, mine["$id"])
    use(emulator, made)
    path = f"{SCHEMAS}/{made['meta:altId']}"
    assert change(client, made, {"op": "remove", "path": "/allOf/1"}).status_code == 400
    assert client.registry("PUT", path, schema_body("Events")).status_code == 400
    assert client.registry("DELETE", path).status_code == 400
    narrower = {"meta:intendedToExtend": [PROFILE]}
    answer = client.registry(
        "PUT", f"{GROUPS}/{mine['meta:altId']}", {**field_group_body("M", {"a": TEXT}), **narrower}
    )
    assert answer.status_code == 400
    assert client.schema(path, PLAIN).json() == made


def test_a_union_is_for_ever(client):
    mine = group(client, {"a": TEXT})
    made = schema(client, mine["$id"])
    assert client.schema("tenant/unions", IDS).json()["results"] == []
    tagged = change(client, made, add("/meta:immutableTags", ["union"])).json()
    assert tagged["meta:immutableTags"] == ["union"]
    for operation in (
        {"op": "remove", "path": "/meta:immutableTags"},
        {"op": "replace", "path": "/meta:immutableTags", "value": []},
    ):
        assert change(client, made, operation).status_code == 400
    assert client.registry("DELETE", f"{SCHEMAS}/{made['meta:altId']}").status_code == 400
    union = client.schema("tenant/unions", IDS).json()["results"][0]
    assert union["$id"] == f"{EXPERIENCE_EVENT}__union"
    plain = client.schema(f"tenant/unions/{union['meta:altId']}", PLAIN).json()
    assert {"$ref": mine["$id"]} in plain["allOf"]
    full = client.schema(f"tenant/unions/{union['meta:altId']}", FULL).json()
    assert own(full).keys() == {"a"}


def test_schemas_of_a_union_must_fit_each_other(client):
    first = group(client, {"a": TEXT})
    other = group(client, {"b": TEXT}, "Other")
    schema(client, first["$id"], **{"meta:immutableTags": ["union"]})
    made = schema(client, other["$id"], title="More", **{"meta:immutableTags": ["union"]})
    answer = change(client, other, add(f"{OWN}/a", {"type": "number"}))
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("XDM-1413-400")
    assert own(client.full_schema(made["meta:altId"])).keys() == {"b"}


def test_schemas_that_were_installed_flattened_can_grow(client, emulator):
    installed = emulator.provisioning.add_schema(
        event_schema("Installed", {"_acmeretail": struct({"old": string()})})
    )
    emulator.provisioning.add_dataset("events", installed.id)
    before = client.full_schema(installed.alt_id)
    mine = group(client, {"new": TEXT})
    resource = {"meta:altId": installed.alt_id}
    answer = change(client, resource, add("/allOf/-", {"$ref": mine["$id"]}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == "1.1"
    full = client.full_schema(installed.alt_id)
    assert own(full).keys() == {"old", "new"}
    assert full["required"] == before["required"]
    assert full["properties"].keys() == before["properties"].keys()
    assert change(client, mine, add(f"{OWN}/newer", TEXT)).ok
    assert own(client.full_schema(installed.alt_id)).keys() == {"old", "new", "newer"}
    assert change(client, mine, {"op": "remove", "path": f"{OWN}/new"}).status_code == 400


def test_other_sandboxes_have_other_resources(client):
    mine = group(client, {"a": TEXT})
    client.headers["x-sandbox-name"] = "dev"
    assert client.schema(GROUPS, LIST).json()["results"] == []
    body = schema_body("Events", mine["$id"])
    assert client.registry("POST", SCHEMAS, body).status_code == 400


def test_schemas_are_kept_over_restarts(serve, tmp_path):
    first = AepEmulator(tmp_path)
    client = AepClient(serve(first), first)
    mine = group(client, {"a": TEXT})
    made = schema(client, mine["$id"])
    removed = schema(client, title="Removed")
    assert client.registry("DELETE", f"{SCHEMAS}/{removed['meta:altId']}").status_code == 204
    second = AepEmulator(tmp_path)
    client = AepClient(serve(second), second)
    assert client.schema(SCHEMAS, LIST).json()["results"] == [made]
    assert change(client, mine, add(f"{OWN}/b", TEXT)).ok
    assert own(client.full_schema(made["meta:altId"])).keys() == {"a", "b"}

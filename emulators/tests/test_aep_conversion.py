"""Data Prep's endpoints: mapping sets, their preview, and the language's."""

from __future__ import annotations

import pytest
import requests
from emulators.aep import AepEmulator, install_demo
from emulators.aep.conversion import PREFIX
from emulators.aep.testing import AepClient, ManualClock

SETS = f"{PREFIX}/mappingSets"
LANGUAGE = f"{PREFIX}/languages/el"
NAME = {"sourceType": "ATTRIBUTE", "source": "customer.name", "destination": "eventType"}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def emulator(clock):
    emulator = AepEmulator(sandboxes=("prod", "dev"), now=clock)
    install_demo(emulator)
    yield emulator
    emulator.close()


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


@pytest.fixture
def schema_ref(emulator):
    schema = next(iter(emulator.inspection._lake.schemas.values()))
    return {"id": schema.id, "contentType": "application/vnd.adobe.xed-full+json;version=1"}


@pytest.fixture
def mapping_set(schema_ref):
    def make(*mappings, **others):
        return {
            "outputSchema": {"schemaRef": schema_ref},
            "mappings": list(mappings) or [NAME],
            **others,
        }

    return make


def create(client, mapping_set):
    answer = client.call("POST", SETS, json=mapping_set)
    assert answer.status_code == 200
    return answer.json()["id"]


def test_a_set_is_given_with_both_spellings_and_the_types_of_the_service(client, mapping_set):
    entries = [
        NAME,
        {"sourceType": "EXPRESSION", "source": "upper(a)", "destination": "b"},
        {"sourceType": "STATIC", "source": "x", "destination": "c"},
        {"sourceAttribute": "d", "destinationXdmPath": "d"},
    ]
    identifier = create(client, mapping_set(*entries, name="Orders"))
    found = client.call("GET", f"{SETS}/{identifier}").json()
    assert (found["id"], found["version"], found["name"]) == (identifier, 0, "Orders")
    assert [each["sourceType"] for each in found["mappings"]] == [
        "text/x.schema-path",
        "text/x.aep-xl",
        "text/plain",
        "text/x.schema-path",
    ]
    for each in found["mappings"]:
        assert each["source"] == each["sourceAttribute"]
        assert each["destination"] == each["destinationXdmPath"]
    assert found["mappings"] == client.call("GET", f"{SETS}/{identifier}/mappings").json()
    one = found["mappings"][1]
    assert one == client.call("GET", f"{SETS}/{identifier}/mappings/{one['id']}").json()
    assert client.call("GET", f"{SETS}/{identifier}/mappings/none").status_code == 404


def test_an_update_is_a_new_version(client, clock, mapping_set):
    identifier = create(client, mapping_set(name="old"))
    clock.time += 5
    answer = client.call("PUT", f"{SETS}/{identifier}", json=mapping_set(name="new"))
    assert answer.json()["version"] == 1
    assert answer.json()["modifiedDate"] - answer.json()["createdDate"] == 5000

    def name(**query):
        return client.call("GET", f"{SETS}/{identifier}", params=query).json().get("name")

    assert (name(), name(version=0), name(version=1)) == ("new", "old", "new")
    assert client.call("GET", f"{SETS}/{identifier}", params={"version": 2}).status_code == 404
    assert client.call("PUT", f"{SETS}/none", json=mapping_set()).status_code == 404


def test_sets_are_listed_by_pages(client, clock, mapping_set):
    for name in "abc":
        create(client, mapping_set(name=name))
        clock.time += 1

    def names(**query):
        answer = client.call("GET", SETS, params={"limit": 10, "start": 0, **query}).json()
        assert answer["_page"]["count"] == len(answer["data"])
        return "".join(each["name"] for each in answer["data"])

    assert names() == "cba"
    assert names(orderBy="+createdDate") == "abc"
    assert names(orderBy="-updatedDate", limit=2, start=1) == "ba"
    assert names(name="b") == "b"
    for query in ({"limit": 1}, {"start": 0}, {"limit": 1, "start": 0, "orderBy": "name"}):
        assert client.call("GET", SETS, params=query).status_code == 400
    client.headers["x-sandbox-name"] = "dev"
    assert names() == ""


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"outputSchema": {}}, "outputSchema.schemaRef"),
        ({"outputSchema": {"schemaRef": {"id": "x"}}}, "outputSchema.schemaRef"),
        ({"mappings": []}, "mappings is mandatory"),
        ({"mappings": ["x"]}, "must be an object"),
        ({"remainder": {}}, "Unrecognized field of a mapping set: remainder"),
        ({"mappings": [{**NAME, "replaces": True}]}, "Unrecognized field of a mapping: replaces"),
        ({"mappings": [{**NAME, "sourceType": "CONSTANT"}]}, "sourceType CONSTANT"),
        ({"mappings": [{"source": "a"}]}, "a mapping without destination"),
        ({"mappings": [{"destination": "a"}]}, "a mapping without source"),
    ],
)
def test_what_is_no_mapping_set_is_refused(client, mapping_set, change, detail):
    for path in (SETS, f"{SETS}/validate"):
        answer = client.call("POST", path, json={**mapping_set(), **change})
        assert answer.status_code == 400
        assert detail in answer.json()["detail"]


def test_a_destination_that_the_schema_lacks_does_not_validate(client, mapping_set):
    missing = {**NAME, "destination": "none.such"}
    answer = client.call("POST", f"{SETS}/validate", json=mapping_set(NAME, missing)).json()
    assert [each["status"] for each in answer["validationResponse"]] == ["SUCCESS", "FAILED"]
    assert answer["validationResponse"][1]["errors"][0]["destination"] == "none.such"


def test_without_put_answers_a_preview_copies_attributes(client, mapping_set):
    entries = [
        NAME,
        {"sourceType": "STATIC", "source": "x", "destination": "web.webPageDetails.name"},
        {"sourceType": "EXPRESSION", "source": "upper(a)", "destination": "b"},
        {"source": "none", "destination": "c"},
        {"source": "number", "destination": "_id"},
    ]
    body = {
        "data": [{"customer": {"name": "Jim"}, "number": 5}],
        "mappingSet": mapping_set(*entries),
    }
    (found,) = client.call("POST", f"{SETS}/preview", json=body).json()
    page = {"webPageDetails": {"name": "x"}}
    assert found["data"] == {"eventType": "Jim", "web": page, "_id": "5"}
    assert [each["source"] for each in found["errors"]] == ["upper(a)"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("array", [{"data": {"a": 1}, "errors": None}]),
        ("object", {"data": {"a": 1}, "errors": None}),
        ("wrapped", {"previewDataOutput": [{"data": {"a": 1}, "errors": None}]}),
    ],
)
def test_a_preview_answers_what_was_put_there(client, mapping_set, form, expected):
    put = {"answers": [{"data": {"a": 1}, "errors": None}], "form": form}
    admin = f"{client.url}/__emulator__/previews"
    assert requests.post(admin, json=put, timeout=10).status_code == 201
    body = {"data": {}, "mappingSet": mapping_set()}
    assert client.call("POST", f"{SETS}/preview", json=body).json() == expected
    assert requests.delete(admin, timeout=10).status_code == 200
    assert client.call("POST", f"{SETS}/preview", json=body).json() == [
        {"data": {}, "errors": None}
    ]


@pytest.mark.parametrize("put", [{}, {"answers": [1]}, {"answers": [], "form": "text"}])
def test_what_is_no_answer_can_not_be_put(client, put):
    assert (
        requests.post(f"{client.url}/__emulator__/previews", json=put, timeout=10).status_code
        == 400
    )


@pytest.mark.parametrize("body", [{"data": [1]}, {"data": [{}]}, {"data": [{}], "mappingSet": {}}])
def test_a_preview_needs_records_and_a_set(client, body):
    assert client.call("POST", f"{SETS}/preview", json=body).status_code == 400


def test_the_language_endpoints_have_the_documented_forms(client):
    def validate(expression):
        return client.call("POST", f"{LANGUAGE}/validate", json={"expression": expression})

    assert validate('upper("a")').json() == {"validationStatus": "succeeded", "error": "none"}
    assert validate({"expression": "upper(a"}).json()["validationStatus"] == "failed"
    assert validate("").status_code == 400
    functions = client.call("GET", f"{LANGUAGE}/functions").json()
    assert {"function", "category", "returnType", "params", "since"} <= functions[0].keys()
    assert client.call("GET", f"{LANGUAGE}/operators").json()[0]["operatorSymbol"] == "+"


def test_the_gateway_stands_before_it(client):
    client.headers["x-sandbox-name"] = "none"
    assert client.call("GET", SETS, params={"limit": 1, "start": 0}).status_code == 403
    del client.headers["Authorization"]
    assert client.call("GET", f"{LANGUAGE}/functions").status_code == 403

"""Provisioning where lists lag, others are faster, answers are odd, or datasets share a schema."""

from __future__ import annotations

import io
import json
import stat

import pytest
from emulators.faults import Fault
from provisioning_sandbox import NAME, TENANT, event, make_runner, make_sandbox, messages_of
from werkzeug.wrappers import Response

NAMESPACES = "/data/core/idnamespace/identities"
DATASETS = "/data/foundation/catalog/dataSets"
GROUPS = "/data/foundation/schemaregistry/tenant/fieldgroups"
SCHEMAS = "/data/foundation/schemaregistry/tenant/schemas"
DESCRIPTORS = "/data/foundation/schemaregistry/tenant/descriptors"


@pytest.fixture
def sandbox(serve, tmp_path, monkeypatch, capsys, caplog):
    box = make_sandbox(serve, tmp_path, make_runner(tmp_path, monkeypatch, capsys, caplog))
    yield box
    box.emulator.close()


def answer(document):
    return Response(json.dumps(document), content_type="application/json")


def body_of(request):
    """The JSON of a request, which the emulator can read again."""
    data = request.get_data()
    request.environ["wsgi.input"] = io.BytesIO(data)
    return json.loads(data)


def lag(path, empty, times):
    """The list of a path shows nothing new for some calls after the first POST."""
    left = [times]
    posted = []

    def alter(request, ask):
        if request.path != path:
            return ask()
        if request.method == "POST":
            posted.append(request.path)
        elif posted and left[0]:
            left[0] -= 1
            return answer(empty)
        return ask()

    return alter


def orders(value, stream="events"):
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    record = {"id": "1", "at": "2026-01-05T10:00:00Z", "total": value}
    return [
        {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"]},
        {"type": "RECORD", "stream": stream, "record": record},
    ]


def orders_mapping(*more, **settings):
    return {
        "name": "orders",
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"},
            {"sourceType": "ATTRIBUTE", "source": "at", "destination": "timestamp"},
            {
                "sourceType": "ATTRIBUTE",
                "source": "total",
                "destination": "_${TENANT_ID}.orders.total",
            },
            *more,
        ],
        **settings,
    }


def test_a_lost_dataset_that_is_listed_late_is_made_once(sandbox):
    match = {"method": "POST", "path": DATASETS}
    sandbox.emulator.faults.add(Fault("close", match=match, after_effect=True))
    sandbox.front.alter = lag(DATASETS, {}, 2)
    done = sandbox.run("provision", messages=messages_of([event(1)]))
    assert done.status == 0, done.log
    assert [each["name"] for each in sandbox.emulator.resources.listing()["datasets"]] == [NAME]


def test_what_others_make_meanwhile_is_adopted_with_what_it_lacks(sandbox):
    assert sandbox.run("provision", messages=messages_of([event(1, a=1)])).status == 0
    hidden = {"results": [], "_page": {"next": None}}

    def alter(request, ask):
        lists = {NAMESPACES: [], GROUPS: hidden, SCHEMAS: hidden, DATASETS: {}}
        posted = sandbox.calls("POST") > before
        if request.method == "GET" and request.path in lists and not posted:
            return answer(lists[request.path])
        return ask()

    before = sandbox.calls("POST")
    sandbox.front.alter = alter
    done = sandbox.run("provision", messages=messages_of([event(2, b=2)]), identities=[])
    assert done.status == 0, done.log
    sandbox.front.alter = None
    assert {"a", "b"} <= set(sandbox.property_nodes())


def test_a_namespace_that_is_listed_late_is_adopted(sandbox):
    assert sandbox.run("provision", messages=messages_of([event(1)])).status == 0
    left = [3]

    def alter(request, ask):
        if request.method == "GET" and request.path == NAMESPACES and left[0]:
            left[0] -= 1
            return answer([])
        return ask()

    sandbox.front.alter = alter
    done = sandbox.run("provision", messages=messages_of([event(1)]))
    assert done.status == 0, done.log


def test_a_title_with_a_comma_is_found_by_looking_at_all(sandbox):
    def alter(request, ask):
        assert "," not in request.args.get("property", "")
        assert "," not in request.args.get("name", "")
        return ask()

    sandbox.front.alter = alter
    for _ in range(2):
        done = sandbox.run(
            "provision", messages=messages_of([event(1)]), dataset_name="Mixpanel, EU"
        )
        assert done.status == 0, done.log
    assert "Plan: 0 to create, 0 to change" in done.out


@pytest.mark.parametrize(
    ("path", "document"),
    [
        (DATASETS, None),
        (DATASETS, []),
        (NAMESPACES, 5),
        (NAMESPACES, {}),
        (SCHEMAS, []),
        (SCHEMAS, {"results": None}),
    ],
)
def test_an_odd_answer_never_means_nothing_there(sandbox, path, document):
    def alter(request, ask):
        odd = request.method == "GET" and request.path == path
        return answer(document) if odd else ask()

    sandbox.front.alter = alter
    done = sandbox.run("provision", messages=messages_of([event(1)]))
    assert done.status == 1
    assert "answered without" in done.log
    assert "of the input" not in done.log
    assert sandbox.calls("POST", "PATCH") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"allOf": 3},
        {"properties": []},
        {"required": "x"},
        {"meta:immutableTags": 7},
        {"properties": {"a": 1}},
    ],
)
def test_an_odd_schema_is_told(sandbox, change):
    assert sandbox.run("provision", messages=messages_of([event(1)])).status == 0

    def alter(request, ask):
        response = ask()
        if request.method == "GET" and request.path.startswith(f"{SCHEMAS}/"):
            return answer({**response.get_json(), **change})
        return response

    sandbox.front.alter = alter
    done = sandbox.run("plan", messages=messages_of([event(1)]))
    assert done.status == 1
    assert "answered without" in done.log


def test_other_values_of_the_profile_tags_stay(sandbox):
    sent = messages_of([event(1)])
    assert sandbox.run("provision", messages=sent).status == 0
    patched = []

    def alter(request, ask):
        if request.method == "PATCH" and request.path.startswith(DATASETS):
            patched.extend(body_of(request))
        response = ask()
        if request.method == "GET" and request.path == DATASETS:
            found = response.get_json()
            for document in found.values():
                document["tags"] = {"unifiedProfile": ["enabled: false", "isUpsert:true"]}
            return answer(found)
        return response

    sandbox.front.alter = alter
    done = sandbox.run("provision", "--profile", "--yes", messages=sent)
    assert done.status == 0, done.log
    (operation,) = [each for each in patched if each["path"].endswith("unifiedProfile")]
    assert operation["value"] == ["enabled:true", "isUpsert:true"]


def test_datasets_that_share_a_schema_keep_all_fields(sandbox):
    first = messages_of([event(1, nest={"a": 1})])
    second = messages_of([event(2, nest={"b": 1})], "more")
    done = sandbox.run("provision", messages=messages_of([]))
    (schema,) = sandbox.emulator.resources.listing()["schemas"]
    title = ["--schema-title", schema["title"]]
    other = sandbox.run("provision", *title, messages=messages_of([]), dataset_name="Other")
    ids = [line.rsplit(" ", 1)[1] for line in other.lines if line.startswith("dataset of")]
    done = sandbox.run("provision", messages=[*first, *second], datasets={"more": ids[0]})
    assert done.status == 0, done.log
    assert set(sandbox.property_nodes()["nest"]["properties"]) == {"a", "b"}


def test_streams_of_one_dataset_get_the_wider_type(sandbox):
    sent = [*orders(3), *orders(4.5, "more"), *orders(5, "last")]
    done = sandbox.run("provision", messages=sent, mapping=orders_mapping())
    assert done.status == 0, done.log
    total = sandbox.schema()["properties"][TENANT]["properties"]["orders"]["properties"]["total"]
    assert total["type"] == "number"


def test_streams_of_one_dataset_that_contradict_each_other_are_refused(sandbox):
    sent = [*orders(3), *orders({"net": 3}, "more")]
    done = sandbox.run("plan", messages=sent, mapping=orders_mapping())
    assert done.status == 1
    assert "one stream of the dataset gives integer, and another object" in done.out


def test_a_descriptor_on_a_number_is_refused_before_anything_is_made(sandbox):
    done = sandbox.run(
        "provision",
        messages=messages_of([event(1)]),
        identity_storage="descriptors",
        identities=[{"field": "mp_processing_time_ms", "namespace": "Odd", "primary": True}],
    )
    assert done.status == 1
    assert "only text can be an identity" in done.out
    assert sandbox.calls("POST", "PATCH") == 0


def test_a_descriptor_may_name_its_namespace_by_number(sandbox):
    sent = messages_of([event(1)])
    settings = {"identity_storage": "descriptors"}
    assert sandbox.run("provision", messages=sent, **settings).status == 0
    numbers = {each["code"]: each["id"] for each in sandbox.ask("GET", NAMESPACES)}

    def alter(request, ask):
        response = ask()
        if request.method == "GET" and request.path == DESCRIPTORS:
            found = response.get_json()
            for each in found["xdm:descriptorIdentity"]:
                each["xdm:namespace"] = numbers[each["xdm:namespace"]]
                each["xdm:property"] = "xdm:id"
            return answer(found)
        return response

    sandbox.front.alter = alter
    done = sandbox.run("plan", messages=sent, **settings)
    assert done.status == 0, done.out
    assert "Plan: 0 to create, 0 to change" in done.out


def test_a_primary_identity_that_nothing_fills_is_refused(sandbox):
    sent = messages_of([event(1)])
    assert sandbox.run("provision", messages=sent).status == 0
    document = {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceProperty": f"/{TENANT}/crm/id",
        "xdm:namespace": "Email",
        "xdm:isPrimary": True,
    }

    def alter(request, ask):
        response = ask()
        if request.method == "GET" and request.path.startswith(f"{SCHEMAS}/"):
            document["xdm:sourceSchema"] = response.get_json()["$id"]
        if request.method == "GET" and request.path == DESCRIPTORS:
            return answer({"xdm:descriptorIdentity": [document]})
        return response

    sandbox.front.alter = alter
    done = sandbox.run("plan", messages=sent)
    assert done.status == 1
    assert "no mapping fills it: every row without it is rejected" in done.out


def test_a_standard_field_that_may_be_missing_is_a_note(sandbox):
    weather = {"sourceType": "ATTRIBUTE", "source": "x", "destination": "weather.wind"}
    mapping = orders_mapping(weather, missingFields="leave_out")
    done = sandbox.run("plan", messages=orders(3), mapping=mapping)
    assert done.status == 0, done.out + done.log
    assert "note: the mapping fills weather" in done.out


def test_a_map_of_numbers_is_refused(sandbox):
    sent = messages_of([event(1)])
    assert sandbox.run("provision", messages=sent).status == 0

    def alter(request, ask):
        response = ask()
        full = "xed-full" in request.headers.get("Accept", "")
        if full and request.method == "GET" and request.path.startswith(f"{SCHEMAS}/"):
            found = response.get_json()
            mixpanel = found["properties"][TENANT]["properties"]["mixpanel"]["properties"]
            mixpanel["otherProperties"]["additionalProperties"] = {"type": "integer"}
            return answer(found)
        return response

    sandbox.front.alter = alter
    done = sandbox.run("plan", messages=sent)
    assert done.status == 1
    assert "is a map of integer in the schema" in done.out


def test_records_that_are_all_rejected_are_a_refusal(sandbox):
    sent = messages_of([{**event(1), "event_id": None}])
    done = sandbox.run("plan", messages=sent)
    assert done.status == 1
    assert "all 1 sample records would be rejected" in done.out


def test_one_refused_name_does_not_keep_the_others_out(sandbox):
    assert sandbox.run("provision", messages=messages_of([event(1, first=1)])).status == 0

    def alter(request, ask):
        if request.method == "PATCH" and any(
            each["path"].endswith("/bad") for each in body_of(request)
        ):
            return Response('{"title": "Bad field", "status": 400}', 400)
        return ask()

    sandbox.front.alter = alter
    sent = messages_of([event(2, bad=1, good=2, fine=3)])
    done = sandbox.run("provision", messages=sent)
    assert done.status == 1
    assert "refuses to add bad (the others were added)" in done.log
    assert {"good", "fine"} <= set(sandbox.property_nodes())


def test_a_failing_provision_as_json_tells_what_it_has_made(sandbox):
    match = {"method": "POST", "path": DATASETS}
    sandbox.emulator.faults.add(Fault("status", times=None, match=match, args={"status": 403}))
    done = sandbox.run("provision", "--json", messages=messages_of([event(1)]))
    assert done.status == 1
    (plan,) = json.loads(done.out)
    assert set(plan["ids"]) == {"field group", "schema"}


def test_a_saved_id_takes_the_place_of_the_name_and_secrets_stay_private(sandbox, tmp_path):
    real = tmp_path / "real.json"
    real.write_text('{"dataset_name": "x", "client_secret": "s"}')
    real.chmod(0o600)
    link = tmp_path / "link.json"
    link.symlink_to(real)
    assert sandbox.run("provision", "--save", str(link), messages=messages_of([])).status == 0
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert json.loads(real.read_text()) == {
        "client_secret": "s",
        "dataset_id": sandbox.dataset_id(),
    }
    env = tmp_path / ".env"
    env.write_text("TARGET_AEP_DATASET_NAME=Mixpanel events\nA=1\n")
    sandbox.run("provision", "--save", str(env), messages=messages_of([]))
    assert env.read_text() == f"A=1\nTARGET_AEP_DATASET_ID={sandbox.dataset_id()}\n"
    for name in ("new.json", "new.env"):
        done = sandbox.run("provision", "--save", str(tmp_path / name), messages=messages_of([]))
        assert "dataset_name is set elsewhere" in done.out
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600

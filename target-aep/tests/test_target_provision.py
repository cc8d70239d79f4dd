"""`target-aep plan` and `provision`: from an empty sandbox to a dataset that takes every event."""

from __future__ import annotations

import json

import pytest
from provisioning_sandbox import NAME, TENANT, event, make_runner, make_sandbox, messages_of

MIXPANEL = f"{TENANT}.mixpanel"


@pytest.fixture
def sandbox(serve, tmp_path, monkeypatch, capsys, caplog):
    box = make_sandbox(serve, tmp_path, make_runner(tmp_path, monkeypatch, capsys, caplog))
    yield box
    box.emulator.close()


def records():
    return [
        event(1, **{"$browser": "Chrome", "Plan Name": "gold", "price": 3, "$city": "Bern"}),
        event(2, price=4.5, tags=["a", "b"], address={"zip": "3000", "no": 7}),
        event(3, signed_up="2026-01-05T10:00:00", vip=True),
    ]


def test_a_plan_of_an_empty_sandbox_names_all_that_is_missing_and_writes_nothing(sandbox):
    done = sandbox.run("plan", messages=messages_of(records()))
    assert done.status == 0
    for line in (
        "+ identity namespace MixpanelDistinctID",
        "+ identity namespace MixpanelUserID",
        "+ identity namespace MixpanelDeviceID",
        "+ field group 'Mixpanel events fields'",
        "+ schema 'Mixpanel events'",
        "+ dataset 'Mixpanel events'",
    ):
        assert f"  {line}" in done.out
    types = dict(line.split(None, 1) for line in done.out.splitlines() if TENANT in line)
    assert types[f"{MIXPANEL}.eventName"] == "string"
    assert types[f"{MIXPANEL}.import"] == "boolean"
    assert types[f"{MIXPANEL}.apiTimestampMs"] == "long"
    assert types[f"{MIXPANEL}.otherProperties"] == "map of string"
    assert types[f"{MIXPANEL}.properties.price"].startswith("double")
    assert types[f"{MIXPANEL}.properties.Plan_Name"].startswith("string  (property 'Plan Name'")
    assert types[f"{MIXPANEL}.properties.tags[*]"].startswith("string")
    assert types[f"{MIXPANEL}.properties.address.no"].startswith("long")
    assert types[f"{MIXPANEL}.properties.signed_up"].startswith("date-time")
    assert f"{MIXPANEL}.properties.browser" not in types
    assert "Environment Details" in done.out
    assert done.lines[-1] == "Plan: 6 to create, 0 to change, 0 as they are."
    assert sandbox.calls("POST", "PUT", "PATCH", "DELETE") == 0


def test_provision_makes_it_and_every_event_has_its_place(sandbox):
    sent = messages_of(records())
    done = sandbox.run("provision", "--profile", "--yes", messages=sent)
    assert done.status == 0, done.log
    ids = dict(line.rsplit(": ", 1) for line in done.lines if " of 'Mixpanel events': " in line)
    dataset = ids["dataset of 'Mixpanel events'"]
    assert f"meltano config set target-aep dataset_id {dataset}" in done.out
    document = sandbox.emulator.inspection.summary(dataset)
    assert document["name"] == NAME
    loaded = sandbox.load(sent)
    assert loaded == []
    rows = {row["_id"]: row for row in sandbox.emulator.inspection.rows(dataset)}
    assert len(rows) == 3
    first = rows["event-1"]
    assert first["environment"]["browserDetails"]["name"] == "Chrome"
    assert first["placeContext"]["geo"]["city"] == "Bern"
    assert first["identityMap"]["MixpanelDistinctID"][0]["primary"] is True
    own = first[TENANT]["mixpanel"]
    assert own["properties"] == {"Plan_Name": "gold", "price": 3}
    assert "otherProperties" not in own
    assert rows["event-2"][TENANT]["mixpanel"]["properties"]["address"] == {"zip": "3000", "no": 7}


def test_a_second_provision_finds_everything_as_it_is(sandbox):
    sent = messages_of(records())
    assert sandbox.run("provision", messages=sent).status == 0
    before = sandbox.calls("POST", "PUT", "PATCH", "DELETE")
    done = sandbox.run("provision", messages=sent)
    assert done.status == 0
    assert "Plan: 0 to create, 0 to change, 6 as they are." in done.out
    assert sandbox.calls("POST", "PUT", "PATCH", "DELETE") == before


def test_new_properties_extend_the_field_group_and_types_stay(sandbox):
    sandbox.run("provision", messages=messages_of(records()))
    before = sandbox.property_nodes()
    other = [event(7, price="a lot", colour="red", Colour="RED", vip=True)]
    done = sandbox.run("provision", messages=messages_of(other))
    assert done.status == 0
    assert "~ field group 'Mixpanel events fields'" in done.out
    assert "up to 15 minutes" in done.out
    after = sandbox.property_nodes()
    assert {name: after[name] for name in before} == before
    added = set(after) - set(before)
    assert len(added) == 3
    assert "Colour" in added
    assert len([name for name in added if name.startswith("colour_")]) == 1
    (sibling,) = [name for name in added if name.startswith("price_string")]
    assert after[sibling]["type"] == "string"


def test_a_field_of_another_shape_is_refused_with_a_proposal_and_nothing_is_done(sandbox):
    mapping = {
        "name": "orders",
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"},
            {"sourceType": "ATTRIBUTE", "source": "at", "destination": "timestamp"},
            {
                "sourceType": "ATTRIBUTE",
                "source": "total",
                "destination": "_${TENANT_ID}.orders.total",
            },
        ],
    }
    first = [{"id": "1", "at": "2026-01-05T10:00:00Z", "total": 3.5}]
    second = [{"id": "2", "at": "2026-01-05T10:00:00Z", "total": {"net": 3, "gross": 4}}]
    assert sandbox.run("provision", messages=first, mapping=mapping).status == 0
    before = sandbox.calls("POST", "PUT", "PATCH", "DELETE")
    plan = sandbox.run("plan", messages=second, mapping=mapping)
    assert plan.status == 1
    assert f"! {TENANT}.orders.total is number in the schema, and the mapping gives object" in (
        plan.out
    )
    assert "proposal: map to a new field" in plan.out
    done = sandbox.run("provision", messages=second, mapping=mapping)
    assert done.status == 1
    assert "nothing was done" in done.log
    assert sandbox.calls("POST", "PUT", "PATCH", "DELETE") == before


def test_profile_asks_for_a_yes_before_anything_is_done(sandbox):
    done = sandbox.run("provision", "--profile", messages=messages_of(records()))
    assert done.status == 1
    assert "add --yes" in done.log
    assert sandbox.calls("POST", "PUT", "PATCH", "DELETE") == 0


def test_profile_without_a_primary_identity_is_refused(sandbox):
    identities = [{"field": "distinct_id", "namespace": "MixpanelDistinctID"}]
    done = sandbox.run("plan", "--profile", messages=messages_of(records()), identities=identities)
    assert done.status == 1
    assert "no entry of identities is primary" in done.out


def test_profile_can_be_switched_on_later(sandbox):
    sent = messages_of(records())
    assert sandbox.run("provision", messages=sent).status == 0
    done = sandbox.run("provision", "--profile", "--yes", messages=sent)
    assert done.status == 0, done.log
    assert "~ schema 'Mixpanel events' for Real-Time Customer Profile" in done.out
    assert "~ dataset 'Mixpanel events'" in done.out
    again = sandbox.run("provision", "--profile", "--yes", messages=sent)
    assert "Plan: 0 to create, 0 to change" in again.out


def test_identities_as_descriptors(sandbox):
    sent = messages_of(records())
    settings = {"identity_storage": "descriptors"}
    done = sandbox.run("provision", "--profile", "--yes", messages=sent, **settings)
    assert done.status == 0, done.log
    assert f"+ identity descriptor of {MIXPANEL}.distinctId" in done.out
    assert f"+ identity descriptor of {MIXPANEL}.userId" in done.out
    again = sandbox.run("provision", "--profile", "--yes", messages=sent, **settings)
    assert "Plan: 0 to create, 0 to change" in again.out
    assert sandbox.load(sent, **settings) == []
    dataset = sandbox.dataset_id()
    (first, *_) = sandbox.emulator.inspection.rows(dataset)
    assert "identityMap" not in first


def test_an_identity_without_a_field_can_have_no_descriptor(sandbox):
    done = sandbox.run(
        "plan",
        messages=messages_of(records()),
        identity_storage="descriptors",
        identities=[{"field": "$email", "namespace": "Email", "primary": True}],
    )
    assert done.status == 1
    assert "no mapping puts $email into a field" in done.out


def test_without_a_dataset_in_the_settings_its_name_is_asked_for(sandbox):
    done = sandbox.run("plan", messages=messages_of(records()), dataset_name=None)
    assert done.status == 1
    assert "dataset_name: name the dataset" in done.log


def test_an_unknown_dataset_id_is_told(sandbox):
    done = sandbox.run(
        "plan", messages=messages_of([]), dataset_name=None, dataset_id="5c8c3c555033b814b69f947f"
    )
    assert done.status == 1
    assert "does not exist in this sandbox" in done.log


def test_without_records_only_the_mapping_counts(sandbox):
    done = sandbox.run("plan", messages=messages_of([]))
    assert done.status == 0
    assert f"{MIXPANEL}.properties" not in done.out
    assert "without any, properties get no fields" in done.out


def test_a_plan_as_json(sandbox):
    done = sandbox.run("plan", "--json", messages=messages_of(records()))
    (plan,) = json.loads(done.out)
    assert plan["dataset"] == NAME
    assert [step["action"] for step in plan["steps"]] == ["create"] * 6
    assert plan["refused"] == []


def test_local_has_nothing_to_provision(sandbox):
    done = sandbox.run("plan", messages=[], destination="local")
    assert done.status == 1
    assert "nothing to provision for local" in done.log


def test_a_fetched_id_is_saved_for_later_runs(sandbox, tmp_path):
    config = tmp_path / "saved.json"
    config.write_text('{"dataset_name": "Mixpanel events", "sandbox_name": "prod"}')
    done = sandbox.run("provision", "--save", str(config), messages=messages_of(records()))
    assert done.status == 0
    saved = json.loads(config.read_text())
    assert saved == {"sandbox_name": "prod", "dataset_id": sandbox.dataset_id()}
    env = tmp_path / ".env"
    env.write_text("TAP_X=1\nTARGET_AEP_DATASET_ID=old\n")
    sandbox.run("provision", "--save", str(env), messages=messages_of(records()))
    assert env.read_text() == f"TAP_X=1\nTARGET_AEP_DATASET_ID={sandbox.dataset_id()}\n"


def test_standard_groups_unknown_to_us_are_refused_with_a_proposal(sandbox):
    mapping = {
        "name": "odd",
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"},
            {"sourceType": "ATTRIBUTE", "source": "at", "destination": "timestamp"},
            {"sourceType": "ATTRIBUTE", "source": "x", "destination": "weather.wind"},
        ],
    }
    done = sandbox.run("plan", messages=[{"id": "1"}], mapping=mapping)
    assert done.status == 1
    assert "the mapping fills weather, and no standard field group" in done.out


def test_a_namespace_that_differs_in_case_is_refused(sandbox):
    sandbox.run("provision", messages=messages_of(records()))
    identities = [{"field": "distinct_id", "namespace": "mixpaneldistinctid", "primary": True}]
    done = sandbox.run("plan", messages=messages_of(records()), identities=identities)
    assert done.status == 1
    assert "write MixpanelDistinctID in identities" in done.out


def test_objects_without_a_type_are_refused_with_a_proposal(sandbox):
    mapping = {
        "name": "odd",
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"},
            {"sourceType": "ATTRIBUTE", "source": "at", "destination": "timestamp"},
            {"sourceType": "ATTRIBUTE", "source": "x", "destination": "_${TENANT_ID}.odd.x"},
        ],
    }
    records = [{"id": "1", "at": "2026-01-05T10:00:00Z", "x": {"$a b": 1}}]
    done = sandbox.run("plan", messages=records, mapping=mapping)
    assert done.status == 1
    assert f"! {TENANT}.odd.x: the mapping gives objects that XDM has no type for" in done.out
    assert "proposal: map their parts" in done.out


def test_samples_without_the_primary_identity_are_told(sandbox):
    nobody = {**event(4), "distinct_id": None}
    done = sandbox.run(
        "plan",
        messages=messages_of([event(1), nobody, event(3)]),
        identity_storage="descriptors",
    )
    assert done.status == 0
    assert "1 of 3 sample records would be rejected" in done.out
    assert f"{MIXPANEL}.distinctId: the primary identity is missing" in done.out

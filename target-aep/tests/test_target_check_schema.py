"""`target-aep check`: schema, mapping set, namespaces and identities of a dataset."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from check_running import (
    CATALOG,
    REGISTRY,
    orders,
)
from emulators.aep.demo import (
    ADOBE_SOURCE_DATASET,
    ORDERS_DATASET,
    install_demo,
    mixpanel_schema,
)
from target_aep.xdm.field_age import marked
from werkzeug.wrappers import Response


def demo_dataset(sandbox, name):
    return install_demo(sandbox.emulator)[name]


@pytest.mark.usefixtures("namespaces")
def test_what_the_mapping_would_lose_is_named(sandbox, check):
    lines = check(dataset_id=demo_dataset(sandbox, ORDERS_DATASET))
    texts = [text for level, text in lines.of("mapping") if level == "warn"]
    assert "the schema has no field for these, which would be lost: " in texts[0]
    assert "event_name (to _acmeretail.mixpanel.eventName)" in texts[0]
    assert "properties.$browser (to environment.browserDetails.name)" in texts[0]
    assert "`target-aep provision` would make" in texts[0]
    ((_, text),) = lines.failures()
    assert "has no map _acmeretail.mixpanel.otherProperties: every" in text


@pytest.mark.usefixtures("namespaces")
def test_what_goes_to_the_map_is_not_lost(sandbox, check):
    body = mixpanel_schema("_acmeretail")
    del body["properties"]["environment"]
    schema = sandbox.emulator.provisioning.add_schema({**body, "title": "Thin"})
    thin = sandbox.emulator.provisioning.add_dataset("Thin", schema.id).id
    ((level, text),) = check(dataset_id=thin).of("mapping")
    assert level == "warn"
    assert "would be kept as text in _acmeretail.mixpanel.otherProperties: $browser" in text
    assert "lost" not in text


FREE_FORM = {"type": "object"}
"""What the registry makes of an object without a field."""


def schema_with_free_form(field):
    body = mixpanel_schema("_acmeretail")
    body["properties"]["_acmeretail"]["properties"]["mixpanel"]["properties"][field] = FREE_FORM
    return {**body, "title": "Free form"}


@pytest.mark.parametrize("field", ["eventName", "otherProperties"])
@pytest.mark.usefixtures("namespaces")
def test_what_parquet_has_no_column_for(sandbox, check, field):
    schema = sandbox.emulator.provisioning.add_schema(schema_with_free_form(field))
    dataset = sandbox.emulator.provisioning.add_dataset("Free form", schema.id).id
    assert "file_format" not in str(check(dataset_id=dataset).of("mapping"))
    texts = [text for _, text in check(dataset_id=dataset, file_format="parquet").failures()]
    (text,) = [text for text in texts if "with file_format=parquet every record" in text]
    assert text.startswith("stream events, set mixpanel: ")
    assert f"what they hold: _acmeretail.mixpanel.{field}. Set file_format to json" in text


def test_what_parquet_has_no_column_for_of_a_schema_file(check, tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema_with_free_form("eventName")), "utf-8")
    local = {"destination": "local", "dataset_id": None, "schema_path": str(path)}
    assert check(**local).failures() == []
    ((topic, text),) = check(**local, file_format="parquet").failures()
    assert topic == "mapping"
    assert "what they hold: _acmeretail.mixpanel.eventName. Set" in text


@pytest.mark.usefixtures("namespaces")
def test_parquet_has_columns_for_all_of_the_default_set(check):
    assert check(file_format="parquet").levels("mapping") == {"ok"}


@pytest.mark.usefixtures("namespaces")
def test_mistakes_of_a_mapping_set_with_the_schema(check):
    mapping = [
        {"source": "event_id", "destination": "_id"},
        {"source": "time", "destination": "timestamp"},
        {"source": "x", "destination": "device.manufacturor"},
        {"source": "y", "destination": "eventTyp"},
    ]
    failures = check(mapping=mapping).failures()
    assert [topic for topic, _ in failures] == ["mapping", "mapping"]
    assert "mapping 3: destination device.manufacturor: the schema has no such" in failures[0][1]
    assert "the nearest is eventType" in failures[1][1]


@pytest.mark.usefixtures("namespaces")
def test_a_mapping_set_that_cant_be_fetched(check):
    ((topic, text),) = check(mapping={"id": "gone"}).failures()
    assert topic == "mapping"
    assert text.startswith("stream events: ")


def test_the_adobe_source_mapping_fits_its_schema(sandbox, check):
    lines = check(dataset_id=demo_dataset(sandbox, ADOBE_SOURCE_DATASET), mapping="adobe-source")
    assert lines.levels("mapping") == {"ok"}


def change_schema(sandbox, **changes):
    def alter(request, ask):
        answer = ask()
        if f"{REGISTRY}/tenant/schemas/" in request.path:
            return Response(json.dumps({**json.loads(answer.get_data()), **changes}))
        return answer

    sandbox.front.alter = alter


@pytest.mark.usefixtures("namespaces")
def test_a_schema_of_another_class(sandbox, check):
    profile = "https://ns.adobe.com/xdm/context/profile"
    change_schema(sandbox, **{"meta:class": profile, "meta:extends": [profile]})
    ((level, text),) = check().of("schema")
    assert level == "FAIL"
    assert "is of the class https://ns.adobe.com/xdm/context/profile" in text


@pytest.mark.parametrize(
    ("above", "level"),
    [
        ("https://ns.adobe.com/xdm/context/experienceevent", "ok"),
        ("https://ns.adobe.com/xdm/data/time-series", "warn"),
        ("https://ns.adobe.com/xdm/data/record", "FAIL"),
    ],
)
@pytest.mark.usefixtures("namespaces")
def test_a_class_of_the_organisation_itself(sandbox, check, above, level):
    own = "https://ns.adobe.com/acmeretail/classes/00"
    change_schema(sandbox, **{"meta:class": own, "meta:extends": [own, above]})
    assert check().levels("schema") == {level}


@pytest.mark.usefixtures("namespaces")
def test_a_schema_that_cant_be_read(sandbox, check):
    change_schema(sandbox, properties={}, allOf=[])
    lines = check()
    ((topic, text),) = lines.failures()
    assert topic == "schema"
    assert "has no properties" in text
    assert lines.levels("mapping", "identity") == {"skip"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "has no XDM schema (schemaRef)"),
        ({"id": "https://ns.adobe.com/acmeretail/schemas/00"}, "is not in the Schema Registry"),
    ],
)
@pytest.mark.usefixtures("namespaces")
def test_a_dataset_without_its_schema(sandbox, check, answer, words):
    def alter(request, ask):
        if request.path == f"{CATALOG}/dataSets/{sandbox.dataset_id}":
            return Response(json.dumps({sandbox.dataset_id: {"name": "x", "schemaRef": answer}}))
        return ask()

    sandbox.front.alter = alter
    ((topic, text),) = check().failures()
    assert topic == "schema"
    assert words in text


def test_namespaces_are_told_apart(check):
    identities = [
        {"field": "distinct_id", "namespace": "ecid"},
        {"field": "email", "namespace": "Email"},
        {"field": "x", "namespace": "Own"},
    ]
    assert check(identities=identities).of("namespace") == [
        ("FAIL", "identities: there is no namespace ecid, but ECID: write it like that"),
        ("ok", "Email, Adobe's, EMAIL"),
        (
            "FAIL",
            (
                "identities: there is no namespace Own: `target-aep provision` makes it, or name "
                "another one"
            ),
        ),
    ]


def test_namespaces_that_a_mapping_fills(check):
    mapping = [
        {"source": "event_id", "destination": "_id"},
        {"source": "time", "destination": "timestamp"},
        {"source": "email", "destination": "identityMap.Mail[0].id"},
    ]
    lines = check(mapping=mapping, identities=[])
    assert next(text for level, text in lines.of("namespace") if level == "FAIL").startswith(
        "identities: there is no namespace Mail"
    )


def test_no_namespace_is_used(check):
    assert check(identities=[]).of("namespace") == [("ok", "none is used")]


PROFILE = {"unifiedProfile": ["enabled:true"], "unifiedIdentity": ["enabled:true"]}


def test_a_profile_dataset_without_a_primary_identity(sandbox, check):
    made = orders(sandbox, "For Profile", tags=PROFILE)
    lines = check(dataset_id=made, identities=[{"field": "email", "namespace": "Email"}])
    assert lines.of("dataset")[0][1].endswith("for events, Profile is on")
    assert ("warn", True) in [
        (level, "is not enabled for Profile" in text) for level, text in lines.of("schema")
    ]
    ((level, text),) = lines.of("identity")
    assert level == "warn"
    assert "no identity is primary" in text


def describe(sandbox, path, **more):
    descriptor = {
        **more,
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceSchema": None,
        "xdm:sourceProperty": path,
        "xdm:isPrimary": True,
    }

    def alter(request, ask):
        if request.path == f"{REGISTRY}/tenant/descriptors":
            schemas = sandbox.emulator._lake.schemas
            shown = [{**descriptor, "xdm:sourceSchema": each} for each in schemas]
            return Response(json.dumps({"xdm:descriptorIdentity": shown}))
        return ask()

    sandbox.front.alter = alter


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("/_acmeretail/mixpanel/distinctId", "ok"),
        ("/_acmeretail/mixpanel/properties/plan", "ok"),
        ("/_acmeretail/crm/customer", "FAIL"),
    ],
)
def test_a_primary_identity_of_the_schema(sandbox, check, path, level):
    describe(sandbox, path)
    found = check(identities=[]).of("identity")
    assert {each for each, _ in found} == {level}
    if level == "FAIL":
        assert f"the schema's primary identity is {path}, and no mapping fills it" in found[0][1]


def test_identities_that_no_descriptor_marks(sandbox, check):
    ((level, text), _) = check(identity_storage="descriptors").of("identity")
    assert level == "warn"
    assert "identity_storage is descriptors, but the schema marks no field" in text
    describe(sandbox, "/_acmeretail/mixpanel/distinctId")
    assert check(identity_storage="descriptors").levels("identity") == {"ok"}


@pytest.mark.usefixtures("namespaces")
def test_fields_that_are_too_new_are_named(sandbox, check):
    body = mixpanel_schema("_acmeretail")
    fields = body["properties"]["_acmeretail"]["properties"]["mixpanel"]["properties"]
    typed = fields["properties"]["properties"]
    typed["plan"] = marked(typed["plan"], datetime.now(timezone.utc))
    schema = sandbox.emulator.provisioning.add_schema({**body, "title": "Young"})
    young = sandbox.emulator.provisioning.add_dataset("Young", schema.id).id
    assert any(
        "these fields are so new" in text for _, text in check(dataset_id=young).of("mapping")
    )

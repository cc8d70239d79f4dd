"""Properties that the catalog deselects leave nothing behind, in both layouts."""

from __future__ import annotations

import json

import pytest

PERSON = {"$email": "ada@example.com", "$user_id": "ada", "address": {"city": "Ulm", "zip": "1"}}


@pytest.fixture
def person(world, event):
    """A world with one event of a person."""
    world.add(event("a", "2024-03-18T10:00:00", **PERSON, price=3))
    return world


@pytest.fixture
def catalog(person, capsys):
    """A function that discovers a catalog and deselects what is at some breadcrumbs."""

    def make(*deselected, **settings):
        config = person.config(app_url=person.url, **settings)
        options = {"validate_config": False, "setup_mapper": False}
        person.tap_class()(config=config, **options).run_discovery()
        found = json.loads(capsys.readouterr().out)
        metadata = {tuple(m["breadcrumb"]): m for m in found["streams"][0]["metadata"]}
        for path in deselected:
            breadcrumb = [part for name in path for part in ("properties", name)]
            item = {"breadcrumb": breadcrumb, "metadata": {}}
            metadata.setdefault(tuple(breadcrumb), item)["metadata"]["selected"] = False
        found["streams"][0]["metadata"] = [*metadata.values()]
        return found

    return make


def schema_of(run):
    (message,) = [each for each in run.messages if each["type"] == "SCHEMA"]
    return message["schema"]["properties"]


def test_a_discovered_property_leaves_the_records(person, catalog):
    (plain,) = person.run().records
    run = person.run(catalog=catalog(("properties", "$email")))
    (record,) = run.records
    assert "ada@example.com" not in json.dumps(run.messages)
    assert record["properties"].keys() == plain["properties"].keys() - {"$email"}
    assert record["event_id"] == plain["event_id"]


def test_a_property_that_nobody_discovered_leaves_them_too(person, catalog, event):
    found = catalog(("properties", "$phone"), ("properties", "a.b"))
    person.add(event("b", "2024-03-18T11:00:00", **{"$phone": "+49 731", "a.b": {"c": 1}}))
    records = person.run(catalog=found).records
    assert [r["properties"].keys() & {"$phone", "a.b"} for r in records] == [set(), set()]


def test_a_part_of_a_nested_property(person, catalog):
    (record,) = person.run(catalog=catalog(("properties", "address", "city"))).records
    assert record["properties"]["address"] == {"zip": "1"}


def test_the_whole_column(person, catalog):
    run = person.run(catalog=catalog(("properties",)))
    assert "properties" not in run.records[0]
    assert "properties" not in schema_of(run)
    assert run.records[0]["user_id"] == "ada"


def test_the_list_is_for_selecting_and_not_for_the_target(person, catalog):
    assert schema_of(person.run(catalog=catalog())) == schema_of(person.run())


def test_types_that_a_user_has_written_reach_the_target(person, catalog):
    found = catalog()
    below = found["streams"][0]["schema"]["properties"]["properties"]["properties"]
    below["price"] = {"type": "number"}
    assert schema_of(person.run(catalog=found))["properties"]["properties"] == {
        "price": {"type": "number"}
    }


@pytest.mark.parametrize(
    ("deselected", "words"),
    [
        (("properties", "$user_id"), "deselects properties.$user_id, but the same value still "),
        (("user_id",), "deselects user_id, but the same value still comes out in properties.$user"),
        (("properties", "distinct_id"), "comes out in distinct_id: deselect both"),
    ],
)
@pytest.mark.parametrize("layout", ["object", "columns"])
def test_a_property_with_a_fixed_column_is_in_two_places(
    person, catalog, caplog, layout, deselected, words
):
    found = catalog(deselected, properties_layout=layout)
    run = person.run(catalog=found, properties_layout=layout)
    assert run.error is None
    assert caplog.text.count("the catalog deselects") == 1
    assert words in caplog.text


@pytest.mark.parametrize(
    "deselected",
    [
        [("properties", "$user_id"), ("user_id",)],
        [("properties",)],
        [("properties", "time")],
        [],
    ],
)
def test_there_is_nothing_to_say_of_other_choices(person, catalog, caplog, deselected):
    run = person.run(catalog=catalog(*deselected))
    assert len(run.records) == 1
    assert "the catalog deselects" not in caplog.text


@pytest.mark.parametrize("deselected", [("mp_email",), ("properties", "$email")])
def test_a_typed_column_goes_with_its_property(person, catalog, event, deselected):
    found = catalog(deselected, properties_layout="columns")
    person.add(event("b", "2024-03-18T11:00:00", **{"$email": ["ada@example.com"]}))
    run = person.run(catalog=found, properties_layout="columns")
    assert len(run.records) == 2
    assert "ada@example.com" not in json.dumps(run.messages)
    assert "mp_email" not in schema_of(run)
    assert "price" in schema_of(run)


def test_a_part_of_a_typed_column(person, catalog):
    found = catalog(("address", "city"), properties_layout="columns")
    run = person.run(catalog=found, properties_layout="columns")
    assert run.records[0]["address"] == {"zip": "1"}


def test_keys_cannot_be_deselected(person, catalog):
    deselected = ("event_id",), ("time",), ("properties", "time"), ("properties", "$insert_id")
    catalog = catalog(*deselected)
    now = person.clock.now()
    plain = person.run()
    person.clock.set(now)  # the waits between requests have moved it
    run = person.run(catalog=catalog)
    assert run.states == plain.states
    (record,) = run.records
    assert {name: record[name] for name in ("event_id", "time")}.items() <= plain.records[0].items()
    assert not {"time", "$insert_id"} & record["properties"].keys()

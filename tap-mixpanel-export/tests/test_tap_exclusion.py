"""``exclude_properties``, and catalogs that only nearly say what they mean."""

from __future__ import annotations

import json

import pytest

PERSON = {"$email": "ada@example.com", "$user_id": "u-ada", "address": {"city": "Ulm", "zip": "1"}}
COLUMNS = {"properties_layout": "columns"}


@pytest.fixture
def person(world, event):
    """A world with one event of a person."""
    world.add(event("a", "2024-03-18T10:00:00", **PERSON, price=3))
    return world


@pytest.fixture
def catalog(person, capsys):
    """A function that discovers a catalog and sets metadata of some breadcrumbs."""

    def make(metadata=(), **settings):
        config = person.config(app_url=person.url, **settings)
        options = {"validate_config": False, "setup_mapper": False}
        person.tap_class()(config=config, **options).run_discovery()
        found = json.loads(capsys.readouterr().out)
        by_path = {tuple(m["breadcrumb"]): m for m in found["streams"][0]["metadata"]}
        for path, content in dict(metadata).items():
            breadcrumb = [part for name in path for part in ("properties", name)]
            by_path[tuple(breadcrumb)] = {"breadcrumb": breadcrumb, "metadata": content}
        found["streams"][0]["metadata"] = [*by_path.values()]
        return found

    return make


def off(*paths):
    return {path: {"selected": False} for path in paths}


def schema_of(run):
    (message,) = [each for each in run.messages if each["type"] == "SCHEMA"]
    return message["schema"]["properties"]


def columns_in(catalog):
    return catalog["streams"][0]["schema"]["properties"]


@pytest.mark.parametrize("layout", ["object", "columns"])
@pytest.mark.parametrize("with_catalog", [False, True])
def test_excluded_properties_never_leave(person, catalog, caplog, layout, with_catalog):
    settings = {"properties_layout": layout, "app_url": person.url}
    found = catalog(properties_layout=layout) if with_catalog else None
    now = person.clock.now()
    plain = person.run(catalog=found, **settings)
    person.clock.set(now)
    excluded = ["$email", "$user_id", "distinct_id", "$insert_id", "time", "gone"]
    run = person.run(catalog=found, exclude_properties=excluded, **settings)
    assert run.error is None
    text = json.dumps([*run.records, schema_of(run)])
    assert not any(each in text for each in ("@example.com", "u-ada", '"ada"', "mp_email"))
    (record,), (whole,) = run.records, plain.records
    assert {name: record[name] for name in ("event_id", "time")}.items() <= whole.items()
    assert (record["user_id"], record["distinct_id"], record["insert_id"]) == (None, None, None)
    assert not {*excluded} & record["properties"].keys()
    assert run.states == plain.states
    assert {"price": 3}.items() <= {**record["properties"], **record}.items()
    assert "deselect" not in caplog.text


def test_an_excluded_property_that_the_catalog_selects(person, catalog):
    chosen = {("properties", "$email"): {"selected": True}, ("mp_email",): {"selected": True}}
    found = catalog(chosen, **COLUMNS)
    run = person.run(catalog=found, exclude_properties=["$email"], **COLUMNS)
    assert "ada@example.com" not in json.dumps(run.messages)


def test_a_catalog_without_metadata_and_an_excluded_property(person, catalog):
    found = catalog()
    found["streams"][0]["metadata"] = []
    run = person.run(catalog=found, exclude_properties=["$email"])
    assert run.records[0]["properties"]["price"] == 3
    assert "ada@example.com" not in json.dumps(run.messages)


def test_stream_maps_do_not_see_what_is_excluded(person):
    maps = {"events": {"all": "str(record)"}}
    run = person.run(stream_maps=maps, exclude_properties=["$email", "$user_id"])
    assert len(run.records) == 1
    assert not any(each in json.dumps(run.messages) for each in ("@example.com", "u-ada"))


def test_a_catalog_without_a_list_names_the_setting_that_needs_none(person, catalog, caplog):
    person.refuse(403, "no", times=None)
    catalog()
    assert "belongs into exclude_properties" in caplog.text


def test_a_part_is_deselected_in_both_places(person, catalog, event):
    misfit = event("b", "2024-03-18T11:00:00", address={"city": "Hidden"})
    person.add(misfit)
    for path in (("properties", "address", "city"), ("address", "city")):
        found = catalog(off(path), **COLUMNS)
        columns_in(found)["address"]["required"] = ["zip"]
        run = person.run(catalog=found, **COLUMNS)
        text = json.dumps(run.messages)
        assert "Ulm" not in text
        assert "Hidden" not in text
        assert {"zip": "1"} in [record.get("address") for record in run.records]


@pytest.mark.parametrize("how", [{"selected-by-default": False}, {"inclusion": "unsupported"}])
@pytest.mark.parametrize("path", [("properties", "$email"), ("mp_email",)])
def test_every_way_to_deselect(person, catalog, how, path):
    run = person.run(catalog=catalog({path: how}, **COLUMNS), **COLUMNS)
    assert len(run.records) == 1
    assert "ada@example.com" not in json.dumps(run.messages)
    assert "mp_email" not in schema_of(run)


def test_columns_stay_without_the_column_properties(person, catalog):
    run = person.run(catalog=catalog(off(("properties",)), **COLUMNS), **COLUMNS)
    (record,) = run.records
    assert (record["mp_email"], record["price"]) == ("ada@example.com", 3)
    assert "properties" not in record


def test_columns_that_are_chosen_by_name_stay_without_all_the_others(person, catalog):
    found = catalog(**COLUMNS)
    for item in found["streams"][0]["metadata"]:
        chosen = item["breadcrumb"] in ([], ["properties", "price"])
        item["metadata"]["selected"] = chosen
    run = person.run(catalog=found, **COLUMNS)
    assert run.records[0].keys() == {"event_id", "time", "price"}
    assert "ada@example.com" not in json.dumps(run.messages)


def test_a_property_deselected_below_a_column_that_is_deselected(person, catalog):
    found = catalog(off(("properties",), ("properties", "$email")), **COLUMNS)
    run = person.run(catalog=found, **COLUMNS)
    assert "ada@example.com" not in json.dumps(run.messages)
    assert run.records[0]["price"] == 3


def test_a_catalog_of_columns_in_the_layout_object(person, catalog, caplog):
    run = person.run(catalog=catalog(off(("mp_email",)), **COLUMNS))
    assert "ada@example.com" not in json.dumps(run.messages)
    assert run.records[0]["properties"]["price"] == 3
    assert not {"price", "mp_email"} & schema_of(run).keys()
    assert caplog.text.count("discover the catalog again") == 1


@pytest.mark.parametrize("layout", ["object", "columns"])
@pytest.mark.parametrize("keeps_definition", [False, True])
def test_a_deselected_column_that_lost_its_title(person, catalog, caplog, layout, keeps_definition):
    found = catalog(off(("mp_email",)), **COLUMNS)
    below = found["streams"][0]["metadata"]
    below[:] = [m for m in below if len(m["breadcrumb"]) < 4]
    definition = columns_in(found).pop("mp_email")
    if keeps_definition:
        del definition["title"]
        columns_in(found)["mp_email"] = definition
    run = person.run(catalog=found, properties_layout=layout)
    assert "ada@example.com" not in json.dumps(run.messages)
    assert run.records[0]["properties"].get("price", run.records[0].get("price")) == 3
    assert caplog.text.count("deselects mp_email without a column's title") == 1


def test_the_property_without_a_name(person, catalog, event):
    person.add(event("b", "2024-03-18T11:00:00", **{"": "nameless"}))
    found = catalog(**COLUMNS)
    (column,) = [name for name, each in columns_in(found).items() if each.get("title") == ""]
    run = person.run(catalog=found, **COLUMNS)
    assert "nameless" in [record.get(column) for record in run.records]
    run = person.run(catalog=catalog(off((column,)), **COLUMNS), **COLUMNS)
    assert "nameless" not in json.dumps(run.records)


def test_fixed_columns_that_a_schema_lacks_are_warned_of(person, catalog, caplog):
    found = catalog(off(("device_id",)))
    for name in ("user_id", "device_id"):
        del columns_in(found)[name]
    run = person.run(catalog=found)
    assert run.records[0]["user_id"] == "u-ada"
    assert caplog.text.count("the catalog's schema lacks user_id, which come out") == 1


@pytest.mark.parametrize("layout", ["object", "columns"])
def test_what_a_catalog_does_not_list_is_warned_of_once(person, catalog, event, caplog, layout):
    settings = {"properties_layout": layout}
    found = catalog(off(("properties", "$email")), **settings)
    assert len(person.run(catalog=found, **settings).records) == 1
    assert "does not list come out" not in caplog.text
    for number in range(3):
        person.add(event(f"n{number}", "2024-03-18T11:00:00", **{"$phone": 1, "other": 2}))
    assert len(person.run(catalog=found, **settings).records) == 4
    assert caplog.text.count("does not list come out") == 1
    assert "exclude_properties" in caplog.text

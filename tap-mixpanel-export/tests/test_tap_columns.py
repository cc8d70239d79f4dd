"""The layout ``columns``: typed columns, and nothing lost or changed beside them."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from tap_mixpanel_export.discovery.memory import KnownProperty
from tap_mixpanel_export.events_schema import FIXED_COLUMN_OF, SCHEMA, columns_schema
from tap_mixpanel_export.property_columns import PropertyColumns

PROJECT_ID = 4711
EXPORT = "/api/2.0/export"
LEXICON = f"/api/app/projects/{PROJECT_ID}/schemas/event"


@pytest.fixture
def columns(world, event):
    """Runs in the layout, of a project with three events and a little in Lexicon."""
    world.add(
        event("a", "2024-03-18T10:00:00", **{"$browser": "Safari", "price": 3, "Plan Name": "pro"}),
        event("b", "2024-03-18T11:00:00", price=4, tags=["x"], member=True),
        event("c", "2024-03-18T12:00:00", price="free", address={"city": "Ulm"}, member=None),
    )
    describe(world, Opened={"price": {"type": "number", "description": "In euros"}})

    def run(state=None, **settings):
        settings = {"properties_layout": "columns", "app_url": world.url, **settings}
        return world.run(state, **settings)

    return run


def describe(world, **events):
    """Put schemas of events into the project's Lexicon."""
    projects = world.emulator.projects
    schemas = [
        {"entityType": "event", "name": name, "schemaJson": {"properties": properties}}
        for name, properties in events.items()
    ]
    projects[PROJECT_ID] = replace(projects[PROJECT_ID], schemas=schemas)


def asked(world, path):
    return len(world.emulator.requests.entries(path))


def schema_of(run):
    (message,) = [each for each in run.messages if each["type"] == "SCHEMA"]
    return message["schema"]


def typed(run):
    properties = schema_of(run)["properties"]
    return {
        name: properties[name]["type"] for name in properties if name not in SCHEMA["properties"]
    }


def by_id(run):
    """The records in the order of their names; Mixpanel's own is any."""
    return sorted(run.records, key=lambda record: record["insert_id"])


def whole(record, schema):
    """The properties as they were exported, from both places."""
    columns = {
        definition["title"]: record[name]
        for name, definition in schema["properties"].items()
        if name not in SCHEMA["properties"] and name in record
    }
    assert not columns.keys() & record["properties"].keys()
    return {**record["properties"], **columns}


def test_properties_become_typed_columns(columns):
    run = columns()
    assert run.error is None
    assert typed(run) == {
        "address": ["object", "null"],
        "member": ["boolean", "null"],
        "mp_browser": ["string", "null"],
        "plan_name": ["string", "null"],
        "price": ["number", "null"],
        "tags": ["array", "null"],
    }
    price = schema_of(run)["properties"]["price"]
    assert (price["title"], price["description"]) == ("price", "In euros")
    first, second, third = by_id(run)
    assert (first["mp_browser"], first["price"], first["plan_name"]) == ("Safari", 3, "pro")
    assert (second["tags"], second["member"]) == (["x"], True)
    assert (third["address"], third["member"]) == ({"city": "Ulm"}, None)
    assert first["properties"].keys() == FIXED_COLUMN_OF.keys() - {
        "$import",
        "$user_id",
        "$device_id",
        "$mp_api_endpoint",
    }


def test_a_value_of_another_type_stays_in_properties(columns):
    records = by_id(columns())
    assert "price" not in records[2]
    assert records[2]["properties"]["price"] == "free"


def test_every_record_fits_the_schema(columns):
    run = columns()
    validator = Draft7Validator(schema_of(run))
    assert [list(validator.iter_errors(record)) for record in run.records] == [[]] * 3


def test_both_layouts_tell_the_same(columns, world):
    now = world.clock.now()
    ordinary = world.run()
    columns()
    world.clock.set(now)  # the waits between requests have moved it
    spread = columns()
    assert spread.states == ordinary.states
    for one, other in zip(by_id(ordinary), by_id(spread), strict=True):
        assert whole(other, schema_of(spread)) == one["properties"]
        for name in SCHEMA["properties"].keys() - {"properties"}:
            assert one[name] == other[name]
    for message in (*ordinary.messages, *spread.messages):
        if message["type"] == "SCHEMA":
            assert message["key_properties"] == ["event_id"]
            assert message["bookmark_properties"] == ["time"]


def test_mixpanel_is_asked_once_a_day(columns, world):
    columns()
    assert (asked(world, LEXICON), asked(world, EXPORT)) == (1, 4)
    columns()
    assert (asked(world, LEXICON), asked(world, EXPORT)) == (1, 7)
    world.clock.advance(hours=25)
    columns()
    assert asked(world, LEXICON) == 2


def test_the_sample_is_one_bounded_request_for_recent_days(columns, world):
    columns(events=["Opened"], where='properties["price"] > 1')
    entry = world.emulator.requests.entries(EXPORT)[0]
    assert entry.query["limit"] == "1000"
    assert (entry.query["from_date"], entry.query["to_date"]) == ("2024-03-18", "2024-03-19")
    assert json.loads(entry.query["event"]) == ["Opened"]
    assert "price" in entry.query["where"]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2024-03-20", None, ("2024-03-20", "2024-03-20")),
        ("2023-01-01", None, ("2024-03-13", "2024-03-19")),
        ("2023-01-01", "2023-02-10", ("2023-02-04", "2023-02-10")),
        ("2023-02-09", "2023-02-10", ("2023-02-09", "2023-02-10")),
    ],
)
def test_the_sampled_days_are_days_to_export(columns, world, start, end, days):
    columns(start_date=start, end_date=end, max_window_days=100, kill_after=0)
    assert world.requests()[0] == days


def test_a_catalog_decides_the_columns_and_nothing_is_asked(columns, world):
    tap = world.tap_class()(config=world.config(properties_layout="columns", app_url=world.url))
    catalog = json.loads(json.dumps(tap.catalog_dict))
    (entry,) = catalog["streams"]
    del entry["schema"]["properties"]["mp_browser"]
    entry["schema"]["properties"]["plan_name"]["maxLength"] = 2
    before = asked(world, LEXICON), asked(world, EXPORT)
    world.clock.advance(days=2)
    run = columns(catalog=catalog)
    assert (asked(world, LEXICON), asked(world, EXPORT)) == (before[0], before[1] + 5)
    assert "mp_browser" not in typed(run)
    first = by_id(run)[0]
    assert first["properties"]["$browser"] == "Safari"
    assert first["properties"]["Plan Name"] == "pro"


def test_a_catalog_of_the_other_layout_loses_nothing(columns, world, caplog):
    catalog = copy.deepcopy(world.tap_class()(config=world.config()).catalog_dict)
    run = columns(catalog=catalog)
    assert typed(run) == {}
    assert [record["properties"].get("price") for record in by_id(run)] == [3, 4, "free"]
    assert caplog.text.count("discover the catalog again") == 1


def test_names_and_types_stay_whatever_comes_later(columns, world, event):
    before = typed(columns())
    world.add(
        event("d", "2024-03-20T10:00:00", **{"plan-name": 1, "$browser": 2, "mp browser": 3}),
        event("e", "2024-03-20T10:00:00", **{"$browser": 4, "PRICE": 1.5, "tags": {}}),
    )
    describe(world)
    world.clock.advance(days=2)
    after = typed(columns())
    assert before.items() <= after.items()
    assert sorted(name[:-9] for name in after.keys() - before.keys()) == [
        "mp_browser",
        "plan_name",
        "price",
    ]


def test_lexicon_corrects_a_type(columns, world):
    assert typed(columns())["plan_name"] == ["string", "null"]
    describe(world, Opened={"Plan Name": {"type": "boolean"}})
    world.clock.advance(days=2)
    later = typed(columns())
    assert later["plan_name"] == ["boolean", "null"]
    assert later["price"] == ["number", "null"]


def test_lexicon_counts_the_events_that_agree(columns, world):
    describe(
        world,
        Opened={"price": {"type": "integer"}, "gone": dropped("string"), "none": {"type": "null"}},
        Closed={"price": {"type": "string"}},
        Bought={"price": {"type": "string"}},
    )
    assert typed(columns())["price"] == ["string", "null"]
    chosen = columns(events=["Opened"])
    assert typed(chosen)["price"] == ["string", "null"]
    assert not {"gone", "none"} & typed(chosen).keys()


def test_properties_of_an_event_that_mixpanel_drops_have_no_columns(columns, world):
    describe(world, Opened={"price": {"type": "number"}}, Gone={"secret": {"type": "string"}})
    projects = world.emulator.projects
    projects[PROJECT_ID].schemas[1]["schemaJson"].update(dropped("object"))
    assert "secret" not in typed(columns())


def test_one_odd_definition_does_not_discard_the_others(columns, world, caplog):
    describe(world, Opened={"price": {"type": "number"}, "odd": 1, "odder": {"type": 3}}, Bad=None)
    projects = world.emulator.projects
    projects[PROJECT_ID].schemas[1]["schemaJson"] = "text"
    assert typed(columns())["price"] == ["number", "null"]
    assert "3 definitions make no sense and are left out; the first is that of" in caplog.text
    assert "the property 'odd' of the event 'Opened'" in caplog.text


def test_the_type_of_lexicon_stays_while_it_is_away(columns, world, event):
    describe(world, Opened={"price": {"type": "integer"}})
    world.add(
        event("e", "2024-03-19T10:00:00", price=1.5), event("f", "2024-03-19T10:00:00", price=2.5)
    )
    for schemas in ({"price": {"type": "integer"}}, {}, {"price": {"type": "integer"}}):
        describe(world, Opened=schemas)
        world.clock.advance(days=2)
        assert typed(columns())["price"] == ["integer", "null"]


def test_lexicon_never_makes_a_type_narrower(columns, world):
    assert typed(columns())["price"] == ["number", "null"]
    describe(world, Opened={"price": {"type": "integer"}})
    world.clock.advance(days=2)
    assert typed(columns())["price"] == ["number", "null"]


def test_other_events_and_hosts_rename_no_column(columns, world, event):
    world.add(event("d", "2024-03-18T13:00:00", name="Closed", Price=1))
    first = typed(columns(events=["Opened"]))
    named = {**typed(columns()), **typed(columns(where='properties["price"] > 1'))}
    assert first.items() <= named.items()
    here = world.url.replace("127.0.0.1", "localhost")
    assert typed(columns(api_url=here, app_url=here)) == named


def test_two_columns_for_one_property_are_refused(columns, world):
    tap = world.tap_class()(config=world.config(properties_layout="columns", app_url=world.url))
    catalog = json.loads(json.dumps(tap.catalog_dict))
    columns_of = catalog["streams"][0]["schema"]["properties"]
    columns_of["other"] = {**columns_of["price"]}
    run = columns(catalog=catalog)
    assert run.messages == []
    assert "the columns price and other are both for the property 'price'" in str(run.error)


def dropped(kind):
    return {"type": kind, "metadata": {"com.mixpanel": {"dropped": True}}}


def test_stream_maps_see_the_columns(columns):
    maps = {"events": {"cents": "price * 100", "__else__": None, "event_id": "event_id"}}
    run = columns(stream_maps=maps, events=["Opened"], where='properties["price"] == 4')
    assert [record["cents"] for record in run.records] == [400]


def test_an_empty_project_has_no_columns(world):
    run = world.run(properties_layout="columns", app_url=world.url)
    assert run.error is None
    assert typed(run) == {}
    assert run.states


def test_a_damaged_memory_begins_anew(columns, world, caplog):
    before = typed(columns())
    (path,) = (world.state_dir / "discovery").glob("*.json")
    sound = json.loads(path.read_text())
    wrong = [
        {"version": 2},
        {"version": 1, "properties": {"a": {}}},
        {**sound, "version": "2"},
        {**sound, "properties": {"a": {"column": 1}}},
        {**sound, "properties": {"a": {"column": "a", "kind": "text"}}},
        {**sound, "properties": {"a": {"column": "a", "kind": ["string"]}}},
        {**sound, "properties": {"a": {"column": "a", "description": {}}}},
        {**sound, "properties": {"a": {"column": "a"}, "b": {"column": "a"}}},
        {**sound, "properties": []},
        {**sound, "good_until": 5},
        {**sound, "good_until": {"a": "soon"}},
    ]
    for damage in ("", "[]", "[" * 100_000, *map(json.dumps, wrong)):
        path.write_text(damage)
        caplog.clear()
        assert typed(columns()) == before
        assert "is damaged" in caplog.text
        assert path.with_suffix(".damaged").read_text() == damage


def test_the_memory_of_a_newer_version_is_not_touched(columns, world):
    columns()
    (path,) = (world.state_dir / "discovery").glob("*.json")
    newer = json.dumps({"version": 3, "properties": "?"})
    path.write_text(newer)
    run = columns()
    assert "was written by a newer version of the tap" in str(run.error)
    assert path.read_text() == newer


KINDS = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", None])
NUMBERS = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | NUMBERS | st.text(max_size=3) | st.just({}) | st.just([])


@given(st.dictionaries(st.text(max_size=3), st.tuples(KINDS, VALUES), max_size=8))
def test_nothing_is_lost_falsified_or_invalid(found):
    properties = {raw: value for raw, (_, value) in found.items()}
    known = {
        raw: KnownProperty(f"c{number}", kind)
        for number, (raw, (kind, _)) in enumerate(found.items())
    }
    schema = columns_schema(known)
    spread = PropertyColumns(schema, AllSelected()).spread({"properties": dict(properties)})
    titled = {**schema, "required": ["properties"]}
    Draft7Validator(titled).validate(spread)
    back = whole_of_known(spread, known)
    assert back == properties
    assert {raw: type(value) for raw, value in back.items()} == {
        raw: type(value) for raw, value in properties.items()
    }


class AllSelected(dict):
    def __missing__(self, breadcrumb):
        return True


def whole_of_known(record, known):
    columns = {raw: record[each.column] for raw, each in known.items() if each.column in record}
    assert not columns.keys() & record["properties"].keys()
    return {**record["properties"], **columns}


def test_numbers_come_out_as_they_were_written(world, event):
    world.add(event("a", "2024-03-18T10:00:00", big=2033513821949367296, ratio=1.0))
    world.add(event("b", "2024-03-18T10:00:00", big=2**70, ratio=0.5))
    run = world.run(properties_layout="columns", app_url=world.url)
    assert typed(run) == {"big": ["integer", "null"], "ratio": ["number", "null"]}
    first, second = by_id(run)
    assert (first["big"], first["ratio"]) == (2033513821949367296, Decimal("1.0"))
    assert second["properties"]["big"] == 2**70

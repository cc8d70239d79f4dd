"""``stream_maps`` that the SDK would take without a word, or fail on without saying where."""

from __future__ import annotations

import pytest
from emulators.faults import Fault

WHO = {"$email": "ada@example.com", "$phone": "+44 20 7946 0000"}
EXPRESSIONS = [
    ("1/0", "ZeroDivisionError"),
    ("int(properties['$email'])", "ValueError"),
    ("properties['nope']", "KeyError"),
    ("nobody + 1", "NameNotDefined"),
    ("properties['$phone'].nope", "AttributeDoesNotExist"),
]


@pytest.fixture
def known(world, event):
    """A project with two events of a person."""
    world.add(*(event(name, "2024-03-18T10:00:00", **WHO) for name in ("a", "b")))
    return world


@pytest.mark.parametrize("key", ["x", "__filter__"])
@pytest.mark.parametrize(("expression", "kind"), EXPRESSIONS)
def test_an_expression_that_fails_names_itself_and_the_event(known, caplog, key, expression, kind):
    ids = [record["event_id"] for record in known.run().records]
    caplog.clear()
    run = known.run(stream_maps={"events": {key: expression}})
    line = str(run.error)
    assert line.startswith(f"stream_maps: the expression {expression} failed on the event with")
    assert any(f"event_id {event_id}: {kind}; mend it" in line for event_id in ids)
    assert all(value not in line + caplog.text for value in WHO.values())
    assert "unhandled" not in caplog.text


def test_what_came_before_the_event_that_fails_counts(known, event):
    known.add(event("c", "2024-03-19T10:00:00"))
    run = known.run(stream_maps={"events": {"x": "0 / (insert_id != 'c')"}})
    assert sorted(run.ids()) == ["a", "b"]
    assert run.bookmark["sweep"]["next_day"] == "2024-03-19"


def test_each_of_several_maps_tells(known):
    maps = {"events": {"x": "event_name"}, "copy": {"__source__": "events", "x": "1/0"}}
    assert "the expression 1/0 failed" in str(known.run(stream_maps=maps).error)


def test_an_expression_of_several_lines_is_told_in_one(known):
    line = str(known.run(stream_maps={"events": {"x": "(1 /\n 0)"}}).error)
    assert "the expression (1 / 0) failed" in line
    assert "\n" not in line


@pytest.mark.parametrize("layout", ["object", "columns"])
@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({"event": {"x": "event_name"}}, "stream_maps: no stream is called 'event'"),
        ({"Events": None}, "stream_maps: no stream is called 'Events'"),
        ({"copy": {"__source__": "event"}}, "stream_maps: no stream is called 'event'"),
    ],
)
def test_a_map_of_no_stream_is_refused_before_any_request(known, maps, words, layout):
    run = known.run(stream_maps=maps, properties_layout=layout, app_url=known.url)
    assert str(run.error).startswith(words)
    assert str(run.error).endswith("this tap's only stream is events")
    assert known.emulator.requests.entries("/api") == []


@pytest.mark.parametrize(
    "maps",
    [
        {"ev*": {"x": "event_name"}},
        {"copy": {"__source__": "events"}},
        {"copy": {"__source__": "*s"}, "__else__": None},
        {"events": {"device_id": None, "user_id": "__NULL__"}},
    ],
)
def test_maps_of_what_is_there_are_taken(known, maps):
    assert known.run(stream_maps=maps).error is None


@pytest.mark.parametrize("nothing", [None, "__NULL__"])
@pytest.mark.parametrize("name", ["$email", "mp_email", "properties.$email"])
def test_what_is_no_column_cannot_be_taken_out(known, name, nothing):
    run = known.run(stream_maps={"events": {"device_id": None, name: nothing}})
    assert str(run.error) == (
        f"stream_maps.events: there is no column {name!r} to take out; "
        "exclude_properties takes properties out"
    )
    assert known.requests() == []


def test_where_columns_are_discovered_it_is_a_warning(known, caplog):
    maps = {"events": {"mp_email": None, "mp_fax": None, "properties": None}}
    run = known.run(stream_maps=maps, properties_layout="columns", app_url=known.url)
    assert run.error is None
    assert len(run.records) == 2
    assert not any("mp_email" in record for record in run.records)
    assert "stream_maps.events: there is no column 'mp_fax' to take out" in caplog.text
    assert "mp_email" not in caplog.text


@pytest.mark.parametrize(
    ("maps", "reason"),
    [
        ({"events": {"x": ""}}, "IndexError: "),
        ({"events": {"__alias__": "1/0"}}, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_the_sdk_cannot_read_is_refused_before_any_request(known, maps, reason):
    run = known.run(stream_maps=maps)
    assert str(run.error).startswith(f"stream_maps: cannot be set up ({reason}")
    assert known.requests() == []


ODD = ['"$user_id":5', '"$import":"yes"', '"$mp_api_timestamp_ms":1710756000000.5', '"s":"\\ud800"']


@pytest.mark.parametrize("odd", ODD)
def test_the_spelling_of_numbers_may_change_and_their_value_not(world, odd, capfd):
    """As the README has it: of ordinary events it stays as it is."""
    usual = (
        '"time":1710756000000,"distinct_id":"x","$insert_id":"%s","a":1.65e12,"b":-0,"k":1,"k":2'
    )
    lines = [usual % "usual", usual % "odd" + "," + odd]
    body = "".join(f'{{"event":"e","properties":{{{line}}}}}\n' for line in lines)
    world.emulator.faults.add(Fault("status", times=1, args={"status": 200, "body": body}))
    capfd.readouterr()
    world.tap_class()(config=world.config(end_date="2024-03-18")).sync_all()
    out = capfd.readouterr().out
    assert '"$insert_id":"usual","a":1.65e12,"b":-0,"k":1,"k":2}' in out
    assert '"$insert_id":"odd","a":1.65E+12,"b":0,"k":2,' in out

"""`target-aep preview`: what a user sees, and that nothing is sent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from emulators.aep.demo import mixpanel_schema
from hypothesis import given
from hypothesis import strategies as st
from preview_running import make_runner, write_lines
from target_aep.preview.previewer import Previewer
from target_aep.preview.table import as_json, table
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state

TIMED = [
    {"source": "event_id", "destination": "_id"},
    {"source": "time", "destination": "timestamp"},
]


TAKES_TEXT = (
    "the schema's field is of type string: it takes text as it is; numbers, true and false, "
    "and dates as text"
)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys, caplog):
    return make_runner(tmp_path, monkeypatch, capsys, caplog)


@pytest.fixture
def schema_path(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(mixpanel_schema("_acme")), "utf-8")
    return str(path)


def event(number=1, **properties):
    bare = record(number)["record"]
    return {**bare, "properties": {**bare["properties"], **properties}}


def rows(result):
    """The tables' rows, blanks of the layout left out."""
    return [tuple(map(str.strip, line.split(" | "))) for line in result.lines if " | " in line]


def test_source_and_xdm_stand_side_by_side(command, tmp_path, schema_path):
    first = event(**{"$browser": "Chrome", "$screen_width": "1080", "plan": "pro", "odd one": 1})
    path = write_lines(tmp_path / "records.jsonl", first)
    result = command("preview", "--input", path, config={"schema_path": schema_path})
    assert result.status == 0
    assert result.lines[:3] == [
        "Stream events: mapping set mixpanel, with the dataset's schema",
        "",
        "Record 1 (events):",
    ]
    found = rows(result)
    for row in (
        ('_id = "id1"', "1: event_id"),
        ('environment.browserDetails.name = "Chrome"', "4: properties.$browser"),
        ("device.screenWidth = 1080", '14: properties.$screen_width = "1080"'),
        ('_acme.mixpanel.properties.plan = "pro"', "properties.plan (by its name)"),
        (
            '_acme.mixpanel.otherProperties.odd one = "1"',
            "properties.odd one (no field of its own)",
        ),
        ('identityMap.MixpanelDistinctID[0].id = "user1"', "identities"),
    ):
        assert row in found


def test_without_any_setting_no_credential_is_needed(command, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", event())
    result = command("preview", "--input", path)
    assert result.status == 0
    assert result.lines[0] == "Stream events: mapping set mixpanel, without a schema"
    assert list(tmp_path.iterdir()) == [tmp_path / "records.jsonl"]


def test_what_was_not_placed_as_asked_stands_below_its_record(command, tmp_path, schema_path):
    path = write_lines(
        tmp_path / "records.jsonl", event(1, **{"$screen_width": "wide"}), event(2, plan="pro")
    )
    result = command("preview", "--input", path, config={"schema_path": schema_path})
    warnings = [line for line in result.lines if line.startswith("  ! ")]
    (warning,) = warnings
    assert warning.startswith("  ! device.screenWidth is left empty: ")
    assert warning.endswith('(mapping 14: properties.$screen_width = "wide")')
    assert result.lines.index(warning) < result.lines.index("Record 2 (events):")


def test_a_rejected_record_says_field_and_reason(command, tmp_path):
    records = [event(1), {**event(2), "time": None}]
    path = write_lines(tmp_path / "records.jsonl", *records)
    result = command("preview", "--input", path)
    assert result.status == 0
    assert (
        result.lines[-1]
        == "Record 2 (events): REJECTED, timestamp: required, but the record has no value"
    )


def test_it_fails_if_every_record_is_rejected(command, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", {**event(), "time": "never"})
    assert command("preview", "--input", path).status == 1


def test_it_fails_without_a_record(command, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", EVENT_SCHEMA, state(1))
    result = command("preview", "--input", path)
    assert result.status == 1
    assert result.lines[-1] == "The input has no records."


def test_caveats_come_before_the_records(command, tmp_path, schema_path):
    mappings = [
        *TIMED,
        {"sourceType": "EXPRESSION", "source": "ua_os_name(a)", "destination": "device.model"},
        {"source": "a", "destination": "eventType"},
        {"source": "b", "destination": "eventType"},
        {"sourceType": "STATIC", "source": "${WHO}", "destination": "device.manufacturer"},
    ]
    path = write_lines(tmp_path / "records.jsonl", event())
    config = {"mapping": mappings, "schema_path": schema_path}
    result = command("preview", "--input", path, config=config)
    notes = result.lines[1 : result.lines.index("")]
    assert [note.split(": ")[2][:24] for note in notes] == [
        "ua_os_name",
        "eventType is the destina",
        "the placeholder ${WHO} h",
    ]


def test_fields_that_the_schema_lacks_are_named_first(command, tmp_path, schema_path):
    mapping = {
        "missingFields": "leave_out",
        "mappings": [*TIMED, {"source": "event_name", "destination": "none.such"}],
    }
    path = write_lines(tmp_path / "records.jsonl", event())
    config = {"mapping": mapping, "schema_path": schema_path}
    result = command("preview", "--input", path, config=config)
    assert (
        "the schema does not have these fields, their values are left out: none.such"
        in (result.lines[1])
    )
    assert "  ! none.such is left out: the schema has no field for it" in result.lines


def test_messages_are_read_as_the_target_reads_them(command, tmp_path):
    path = write_lines(
        tmp_path / "messages.jsonl",
        EVENT_SCHEMA,
        *map(record, range(4)),
        state(1),
        record(4, _sdc_sequence=1),
    )
    maps = {
        "events": {
            "__alias__": "mapped",
            "__filter__": "event_id != 'id1'",
            "event_id": "event_id",
            "event_name": "'Renamed'",
            "__else__": None,
        }
    }
    config = {
        "stream_maps": maps,
        "mapping": [{"source": "event_name", "destination": "eventType"}],
    }
    result = command("preview", "--input", path, "--limit", "3", config=config)
    assert result.status == 0
    names = [line for line in result.lines if line.startswith("Record")]
    assert names == [f"Record {number} (mapped):" for number in (1, 2, 3)]
    assert {row[0] for row in rows(result)} == {'eventType = "Renamed"'}


def test_the_mapping_of_each_stream_is_its_own(command, tmp_path):
    users = {**EVENT_SCHEMA, "stream": "users"}
    path = write_lines(
        tmp_path / "messages.jsonl", EVENT_SCHEMA, users, record(1), record(2, stream="users")
    )
    config = {"mapping": TIMED, "mappings": {"users": [{"source": "event_id", "destination": "u"}]}}
    result = command("preview", "--input", path, config=config)
    assert rows(result)[-1] == ('u = "id2"', "1: event_id")
    assert "Stream users: mapping set inline, without a schema" in result.lines


def test_mapping_takes_the_place_of_all_that_the_settings_name(command, tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"mappings": [{"source": "event_id", "destination": "x"}]}', "utf-8")
    path = write_lines(tmp_path / "records.jsonl", event())
    config = {"mapping": TIMED, "mappings": {"events": TIMED}}
    result = command("preview", "--input", path, "--mapping", str(other), config=config)
    assert rows(result) == [('x = "id1"', "1: event_id")]


def test_lists_copies_and_completions_name_their_mapping(command, tmp_path):
    mappings = [
        {"source": "address", "destination": "home"},
        {"source": "address.line1", "destination": "home.street"},
        {"source": "lines[*].sku", "destination": "items[*].sku"},
        {"source": "tags[*]", "destination": "tags"},
        {"sourceType": "STATIC", "source": "x", "destination": "kind"},
    ]
    first = {"address": {"line1": "A", "city": "B"}, "lines": [{"sku": 1}, {"sku": 2}], "tags": "y"}
    path = write_lines(tmp_path / "records.jsonl", {**first, "tags": ["p", "q"]})
    result = command("preview", "--input", path, config={"mapping": mappings})
    assert set(rows(result)) == {
        ('home.line1 = "A"', "1: address"),
        ('home.city = "B"', "1: address"),
        ('home.street = "A"', "2: address.line1"),
        ("items[0].sku = 1", "3: lines[*].sku"),
        ("items[1].sku = 2", "3: lines[*].sku"),
        ('tags = ["p","q"]', "4: tags[*]"),
        ('kind = "x"', '5: the constant "x"'),
    }


def test_of_two_mappings_the_one_that_gave_the_value_is_named(command, tmp_path):
    records = [event(1, **{"$brand": "A", "$manufacturer": "B"}), event(2, **{"$brand": "A"})]
    path = write_lines(tmp_path / "records.jsonl", *records)
    found = [row for row in rows(command("preview", "--input", path)) if "manufacturer" in row[0]]
    assert found == [
        ('device.manufacturer = "B"', "13: properties.$manufacturer"),
        ('device.manufacturer = "A"', "12: properties.$brand"),
    ]


def test_json_lines_say_the_same(command, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", event(1), {**event(2), "time": None})
    result = command("preview", "--input", path, "--json", config={"mapping": TIMED})
    heading, good, bad = map(json.loads, result.lines)
    assert heading == {
        "stream": "events",
        "mapping_set": "inline",
        "has_schema": False,
        "notes": [],
    }
    assert good["xdm"] == {"_id": "id1", "timestamp": "2024-05-18T05:05:48.000Z"}
    assert good["sources"]["_id"] == {"mapping": 1, "source": "event_id"}
    assert good["rejected"] is None
    assert bad["xdm"] is None
    assert bad["rejected"]["field"] == "timestamp"


def test_characters_that_a_terminal_obeys_are_written_as_escapes(command, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", {"a": "\x1b[2J\u202e\ud800"})
    config = {"mapping": [{"source": "a", "destination": "b"}]}
    result = command("preview", "--input", path, config=config)
    assert rows(result) == [('b = "\\u001b[2J\\u202e\\ud800"', "1: a")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]\n", "line 1 of the input: not a record, which is an object"),
        ('{}\n{"a":\n', "line 2 of the input: not JSON; give one record"),
        ("[" * 100_000, "line 1 of the input: n"),
        ('{"type": "RECORD", "stream": "a", "record": {}}\n', "a RECORD of the stream 'a' before"),
        ('{"type": "SCHEMA", "stream": "a"}\n', "line 1 of the input: a SCHEMA without schema"),
        ('{"type": "STATE", "value": {}}\n{"type": "REC', "line 2 of the input: not whole"),
    ],
)
def test_an_input_that_can_not_be_read_names_the_line(command, tmp_path, text, complaint):
    (tmp_path / "input").write_text(text, "utf-8")
    result = command(
        "preview", "--input", "input", config={"mapping": [{"source": "a", "destination": "b"}]}
    )
    assert result.status == 1
    assert complaint in result.log


def test_a_record_may_have_a_type_of_its_own(command, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", {"type": "click"})
    config = {"mapping": [{"source": "type", "destination": "eventType"}]}
    assert rows(command("preview", "--input", path, config=config)) == [
        ('eventType = "click"', "1: type")
    ]


def test_a_missing_input_is_named(command):
    result = command("preview", "--input", "none.jsonl")
    assert result.status == 1
    assert "can't read the records of none.jsonl: No such file or directory" in result.log


def test_a_wrong_mapping_is_told_with_all_its_mistakes(command, tmp_path):
    mappings = [{"source": "a..b", "destination": "c"}, {"source": "a", "destination": ""}]
    path = write_lines(tmp_path / "records.jsonl", event())
    result = command("preview", "--input", path, config={"mapping": mappings})
    assert result.status == 1
    assert "mapping 1: path 'a..b'" in result.log
    assert "mapping 2: " in result.log
    assert result.out == ""


def explained(command, path, *args, **config):
    result = command("preview", "--explain", path, *args, config=config)
    assert result.status == 0
    return [line.strip() for line in result.lines]


def test_explain_says_what_overrides_what(command, schema_path):
    assert explained(command, "device.manufacturer", schema_path=schema_path) == [
        "device.manufacturer in the stream events, mapping set mixpanel",
        TAKES_TEXT,
        "mapping 12: attribute properties.$brand",
        "mapping 13: attribute properties.$manufacturer; overrides mapping 12 where it has a value",
    ]


def test_explain_says_the_nearest_where_nothing_fills_a_path(command, schema_path):
    assert explained(command, "device.manufacturor", schema_path=schema_path)[1:] == [
        "the schema has no such field; the nearest is device.manufacturer",
        "no mapping fills it; the nearest destination is device.manufacturer (mapping 13)",
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("_${TENANT_ID}.mixpanel.otherProperties.x", "remainder: the properties in properties "),
        ("_acme.mixpanel.properties.plan", "remainder: the properties in properties whose name"),
        ("identityMap", "the setting identities fills it, or that of the mapping set"),
        ("device", "mapping 10: attribute properties.$device fills device.typeID"),
        ("placeContext.geo.countryCode", "mapping 17: expression upper(${properties.mp_country"),
    ],
)
def test_explain_knows_every_source(command, schema_path, path, line):
    lines = explained(command, path, schema_path=schema_path)
    assert any(each.startswith(line) for each in lines)


def test_explain_knows_copies(command):
    mappings = [
        {"source": "address", "destination": "home"},
        {"source": "address.line1", "destination": "home.street"},
    ]
    assert explained(command, "home.street", mapping=mappings)[1:] == [
        "no schema is known: values stay as they are, dates become RFC 3339 text",
        "mapping 1: attribute address fills it as a part of home, if the source has that part",
        "mapping 2: attribute address.line1; overrides mapping 1 where it has a value",
    ]


def test_explain_with_records_says_what_the_path_got(command, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", event(1), {**event(2), "time": None}, {})
    config = {"mapping": [*TIMED, {"source": "event_name", "destination": "eventType"}]}
    lines = explained(command, "eventType", "--input", path, **config)
    assert lines[-3:] == [
        'record 1: eventType = "Viewed" | 3: event_name',
        "record 2: REJECTED, timestamp: required, but the record has no value",
        "record 3: REJECTED, _id: required, but the record has no value",
    ]


def test_explain_refuses_what_is_no_path(command):
    result = command("preview", "--explain", "a..b")
    assert result.status == 1
    assert "path 'a..b'" in result.log


def test_with_a_credential_the_schema_of_the_dataset_is_used_and_nothing_sent(
    command, sandbox, tmp_path
):
    path = write_lines(tmp_path / "records.jsonl", event(**{"$screen_width": "1080"}))
    result = command("preview", "--input", path, config=sandbox.config)
    assert result.status == 0
    assert ("device.screenWidth = 1080", '14: properties.$screen_width = "1080"') in rows(result)
    assert sandbox.calls("POST", "/import/") == 0


def test_a_set_of_experience_platform_is_previewed(command, sandbox, tmp_path):
    schema = {"id": "https://ns.adobe.com/x/schemas/y", "contentType": "a"}
    kept = sandbox.emulator.conversion.add(
        {"name": "Kept", "outputSchema": {"schemaRef": schema}, "mappings": TIMED}
    )
    path = write_lines(tmp_path / "records.jsonl", event())
    config = {**sandbox.config, "mapping": {"id": kept["id"]}}
    result = command("preview", "--input", path, config=config)
    assert result.status == 0
    assert rows(result)[0] == ('_id = "id1"', "1: event_id")


def test_a_set_that_is_not_there_is_named(command, sandbox, tmp_path):
    path = write_lines(tmp_path / "records.jsonl", event())
    config = {**sandbox.config, "mapping": {"id": "none"}}
    result = command("preview", "--input", path, config=config)
    assert result.status == 1
    assert "this sandbox has no mapping set none" in result.log


def test_the_process_reads_stdin_and_keeps_its_log_from_stdout(tmp_path):
    lines = "".join(json.dumps(each) + "\n" for each in (EVENT_SCHEMA, record(1), record(2)))
    (tmp_path / "c.json").write_text('{"destination": "local"}', "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "target_aep", "--config", "c.json", "preview", "--limit", "1"],
        input=lines,
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Stream events: mapping set mixpanel")
    assert "Record 2" not in done.stdout
    assert "INFO" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_the_summary_of_a_run(tmp_path, number):
    with subprocess.Popen(
        [sys.executable, "-m", "target_aep", "preview"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(event()).encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    assert not list(tmp_path.iterdir())


records = st.dictionaries(
    st.sampled_from(["event_id", "time", "properties", "lines", "a.b"]) | st.text(max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    ),
)
SET = {
    "mappings": [
        {"source": "properties", "destination": "a"},
        {"source": "lines[*].x", "destination": "b[*].y"},
        {"source": "lines[*]", "destination": "c"},
        {"sourceType": "EXPRESSION", "source": "upper(time) + a.b", "destination": "a.d"},
        {"source": "event_id", "destination": "e[0]"},
        {"source": "time", "destination": "e[1]"},
    ],
    "remainder": {"source": "properties", "fields": "f", "rest": "g"},
}


@given(records)
def test_any_record_can_be_previewed(found):
    target = TargetAEP(config={"destination": "local", "mapping": SET})
    previewed = Previewer(target).preview("events", found)
    lines = [*table(previewed), as_json(previewed)]
    assert all(line.isprintable() for line in lines[:-1])
    assert previewed.reason or all(each.origin.text for each in previewed.values)


def test_an_output_that_nobody_reads_ends_it_quietly(tmp_path):
    (tmp_path / "records.jsonl").write_text((json.dumps(event()) + "\n") * 3000, "utf-8")
    command = [sys.executable, "-m", "target_aep", "preview", "--limit", "3000"]
    with subprocess.Popen(
        [*command, "--input", "records.jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        log = process.stderr.read().decode()
        assert process.wait(60) == 1
    assert "ERROR" not in log
    assert "Traceback" not in log

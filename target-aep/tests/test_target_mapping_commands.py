"""`target-aep mapping check|show`: what a user sees."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from emulators.aep.demo import mixpanel_schema
from emulators.faults import Fault
from preview_running import make_runner
from target_aep.mapping.mapping_set import load_mapping_set

TIMED = [
    {"source": "event_id", "destination": "_id"},
    {"source": "time", "destination": "timestamp"},
]
SETS = "/data/foundation/conversion/mappingSets"


@pytest.fixture
def command(tmp_path, monkeypatch, capsys, caplog):
    return make_runner(tmp_path, monkeypatch, capsys, caplog)


@pytest.fixture
def schema_path(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(mixpanel_schema("_acme")), "utf-8")
    return str(path)


def expression(source, destination="eventType"):
    return {"sourceType": "EXPRESSION", "source": source, "destination": destination}


def check(command, *args, **config):
    return command("mapping", "check", *args, config=config)


def test_a_good_set_needs_no_credential_and_no_settings(command):
    result = command("mapping", "check")
    assert result.status == 0
    assert result.lines == [
        (
            "mapping: mapping set mixpanel (33 mappings), against no schema (none is known: set "
            "schema_path, or the credential and the dataset)"
        ),
        "  0 errors, 0 warnings",
    ]


def test_all_mistakes_of_a_set_come_at_once_with_number_place_and_hint(command, schema_path):
    mappings = [
        *TIMED,
        expression("uper(name)"),
        expression('concat(a, "b)'),
        {"source": "x", "destination": "device.manufacturor"},
        expression("split(a, ',')", "device.model"),
        {"source": "a..b", "destination": "eventType"},
    ]
    result = check(command, mapping=mappings, schema_path=schema_path)
    assert result.status == 1
    assert result.lines[0] == (
        "mapping: mapping set inline (7 mappings), against the schema of schema_path"
    )
    errors = [line.removeprefix("  error: mapping set inline, ") for line in result.lines[1:6]]
    assert errors[0] == (
        'mapping 3: there is no function uper, did you mean upper?, at character 1 of "uper(name)"'
    )
    assert errors[1].startswith('mapping 4: the text opened by " here has no closing "')
    assert errors[2] == (
        "mapping 5: destination device.manufacturor: the schema has no such field; the nearest is "
        "device.manufacturer"
    )
    assert errors[3].startswith("mapping 6: destination device.model is a field of type string")
    assert errors[4].startswith("mapping 7: path 'a..b'")
    assert result.lines[6].startswith("  5 errors, ")


def test_malformed_mappings_are_told_too(command):
    result = check(command, mapping=[{"source": "a"}, 5, {"source": "b", "destination": "c"}])
    assert result.status == 1
    assert result.lines[0].startswith("mapping: no mapping set, against no schema")
    assert result.lines[1:] == [
        "  error: mapping set inline, mapping 1: 'destination' is missing; add it as a text",
        (
            "  error: mapping set inline, mapping 2: not an object; each mapping is one with "
            "'sourceType', 'source' and 'destination'"
        ),
        "  2 errors, 0 warnings",
    ]


def test_what_is_no_mistake_is_a_warning(command, schema_path):
    mapping = {
        "missingFields": "leave_out",
        "mappings": [
            *TIMED,
            expression("ua_os_name(a)", "device.model"),
            {"source": "a", "destination": "eventType"},
            {"sourceType": "STATIC", "source": "${WHO}", "destination": "eventType"},
            {"source": "b", "destination": "none.such"},
        ],
    }
    result = check(command, mapping=mapping, schema_path=schema_path)
    assert result.status == 0
    warnings = [line for line in result.lines if line.startswith("  warning: ")]
    for words in (
        "mapping 3: ua_os_name",
        "mapping 5: eventType is the destination of mapping 4 too",
        "mapping 5: the placeholder ${WHO} has no text",
        "left out: none.such",
    ):
        assert any(words in warning for warning in warnings)
    assert result.lines[-1] == "  0 errors, 4 warnings"


def test_variables_and_policies_count(command):
    mapping = [{"sourceType": "STATIC", "source": "${WHO}", "destination": "_${PLACE}.x"}]
    result = check(command, mapping=mapping, variables={"WHO": "me", "PLACE": "here"})
    assert result.lines[-1] == "  0 errors, 0 warnings"
    assert check(command, mapping=mapping).status == 1


def test_every_stream_has_its_own_report(command):
    result = check(command, mapping=TIMED, mappings={"users": [expression("(")], "b": "none.json"})
    assert result.status == 1
    assert [line for line in result.lines if not line.startswith(" ")][1].startswith(
        "mappings.users: mapping set inline (1 mapping"
    )
    assert "  error: can't read the file none.json: No such file or directory" in "\n".join(
        result.lines
    )


def test_a_file_given_with_the_command_is_checked_alone(command, tmp_path):
    (tmp_path / "set.json").write_text(json.dumps(TIMED), "utf-8")
    result = check(command, "--mapping", "set.json", mapping="none.json", mappings={"a": "b"})
    assert result.status == 0
    assert result.lines[0].startswith("mapping: mapping set set.json (2 mappings)")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("none.json", None, "can't read the file none.json: No such file or directory"),
        ("set.json", "{", "the file set.json is not JSON"),
        ("set.json", "{}", "mapping set set.json: expected an object with a non-empty list"),
        ("set.json", "5", "mapping set set.json: expected an object"),
    ],
)
def test_what_is_no_set_is_told(command, tmp_path, name, text, complaint):
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    result = command("mapping", "check", "--mapping", name)
    assert result.status == 1
    assert result.lines[1].startswith(f"  error: {complaint}")


def test_other_settings_have_to_be_right_too(command):
    result = check(command, destination="platform", mapping=TIMED)
    assert result.status == 1
    assert "client_id: needed to reach Experience Platform" in result.log
    assert check(command, mappings=["x"]).lines[1].startswith("  error: mappings: must be an obj")


def test_settings_may_come_from_the_environment(command, tmp_path, monkeypatch):
    (tmp_path / "set.json").write_text(json.dumps([expression("nothing()")]), "utf-8")
    monkeypatch.setenv("TARGET_AEP_MAPPING", "set.json")
    result = command("mapping", "check", "--config", "ENV")
    assert result.status == 1
    assert "there is no function nothing" in result.out
    monkeypatch.setenv("TARGET_AEP_MAPPINGS", "{")
    result = command("mapping", "check", "--config", "ENV")
    assert result.status == 1
    assert "mappings: the variable TARGET_AEP_MAPPINGS is not" in result.log


def test_with_a_credential_the_schema_of_the_dataset_is_used(command, sandbox):
    mapping = [*TIMED, {"source": "a", "destination": "none.such"}]
    result = check(command, **{**sandbox.config, "mapping": mapping})
    assert result.status == 1
    assert result.lines[0].endswith(f"against the schema of the dataset {sandbox.dataset_id}")
    assert "mapping 3: destination none.such: the schema has no such field" in result.lines[1]
    assert sandbox.calls("POST", "/import/") == 0


def test_the_tenant_is_asked_for_only_where_a_set_needs_it(command, sandbox):
    check(command, **{**sandbox.config, "mapping": TIMED})
    assert sandbox.calls("GET", "/stats") == 0
    assert check(command, **sandbox.config).status == 0


def test_the_datasets_of_streams_are_used_for_their_sets(command, sandbox):
    config = {**sandbox.config, "datasets": {"users": sandbox.dataset_id}, "mapping": TIMED}
    del config["dataset_id"]
    assert check(command, **config).status == 0
    result = check(command, **{**config, "mappings": {"users": TIMED}})
    assert result.status == 0
    assert result.lines[0] == "mapping: mapping set inline (2 mappings), which no stream uses"
    result = check(command, "--stream", "others", **config)
    assert result.status == 1
    assert "datasets: no dataset for the stream 'others'" in result.log


def test_a_set_of_experience_platform_is_checked(command, sandbox):
    reference = {"id": "https://ns.adobe.com/x/schemas/y", "contentType": "a"}
    document = {"outputSchema": {"schemaRef": reference}, "mappings": [expression("uper(a)")]}
    kept = sandbox.emulator.conversion.add(document)
    result = check(command, **{**sandbox.config, "mapping": {"id": kept["id"]}})
    assert result.status == 1
    assert "mapping 1: there is no function uper" in result.out
    result = check(command, **{**sandbox.config, "mapping": {"id": "none"}})
    assert result.status == 1
    assert "error: mapping: this sandbox has no mapping set none" in result.out


def test_a_set_is_fetched_for_the_local_destination_too(command, sandbox):
    reference = {"id": "https://ns.adobe.com/x/schemas/y", "contentType": "a"}
    kept = sandbox.emulator.conversion.add(
        {"outputSchema": {"schemaRef": reference}, "mappings": [*TIMED, TIMED[0]]}
    )
    config = {**sandbox.config, "destination": "local", "mapping": {"id": kept["id"]}}
    result = check(command, **config)
    assert result.status == 0
    assert result.lines[0].startswith(f"mapping: mapping set {kept['id']} (3 mappings)")
    assert "_id is the destination of mapping 1 too" in result.lines[1]
    result = check(command, mapping={"id": kept["id"]})
    assert result.status == 1
    assert "client_id: needed with destination=local too" in result.log


def test_a_set_that_may_not_be_read_says_what_to_do(command, sandbox):
    fault = {"status": 403, "body": '{"error_code": "403025", "message": "no"}'}
    sandbox.emulator.faults.add(Fault("status", times=None, match={"path": SETS}, args=fault))
    result = check(command, **{**sandbox.config, "mapping": {"id": "x"}})
    assert result.status == 1
    assert "may not read the mapping set x" in result.out


def test_a_dataset_that_is_not_there_ends_it_with_one_line(command, sandbox):
    result = check(command, **{**sandbox.config, "dataset_id": "none"})
    assert result.status == 1
    assert "dataset none does not exist in this sandbox" in result.log


def test_records_belong_to_the_comparison(command):
    result = check(command, "--records", "x.jsonl")
    assert result.status == 1
    assert "--records is for --adobe; `target-aep preview --input FILE`" in result.log


@pytest.mark.parametrize("name", ["mixpanel", "adobe-source"])
def test_a_built_in_set_can_be_copied_and_used(command, tmp_path, name):
    result = command("mapping", "show", name)
    assert result.status == 0
    (tmp_path / "copy.json").write_text(result.out, "utf-8")
    copied, built_in = load_mapping_set(str(tmp_path / "copy.json")), load_mapping_set(name)
    assert copied.mappings == built_in.mappings
    assert copied.remainder == built_in.remainder
    assert copied.missing_fields == built_in.missing_fields
    assert command("mapping", "check", "--mapping", "copy.json").status == 0


def test_unknown_names_are_refused(command):
    assert command("mapping", "show", "other").status == 2
    assert command("mapping", "other").status == 2
    assert command("mapping", "--help").status == 0


def test_the_process_writes_its_report_to_stdout_and_ends_with_1(tmp_path):
    (tmp_path / "set.json").write_text(json.dumps([expression("uper(a)")]), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "target_aep", "mapping", "check", "--mapping", "set.json"],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "did you mean upper?" in done.stdout
    assert "Traceback" not in done.stderr

"""What a plan is made from: a tap that is run, a file, stdin; and where ids are saved."""

from __future__ import annotations

import json
import shlex
import sys

import pytest
from emulators.faults import Fault
from provisioning_sandbox import TENANT, event, make_runner, make_sandbox, messages_of

TAP = """
import json, signal, sys
messages = json.load(open({messages!r}))
for message in messages:
    print(json.dumps(message), flush=True)
if {status!r} is None:
    signal.pause()
sys.exit({status!r})
"""


@pytest.fixture
def sandbox(serve, tmp_path, monkeypatch, capsys, caplog):
    box = make_sandbox(serve, tmp_path, make_runner(tmp_path, monkeypatch, capsys, caplog))
    yield box
    box.emulator.close()


def tap_of(tmp_path, records, status=0):
    """A tap that writes messages, and then ends with a status, or never (None)."""
    messages = tmp_path / "messages.json"
    messages.write_text(json.dumps(messages_of(records)))
    script = tmp_path / "tap.py"
    script.write_text(TAP.format(messages=str(messages), status=status))
    return shlex.join([sys.executable, str(script)])


def test_a_tap_is_run_for_the_sample(sandbox, tmp_path):
    done = sandbox.runner(
        "plan", "--from-tap", tap_of(tmp_path, [event(1, price=3)]), config=sandbox.config
    )
    assert done.status == 0
    assert f"{TENANT}.mixpanel.properties.price" in done.out


def test_a_tap_that_goes_on_is_ended_when_there_are_enough_records(sandbox, tmp_path):
    tap = tap_of(tmp_path, [event(1, price=3), event(2, late=1)], status=None)
    done = sandbox.runner("plan", "--from-tap", tap, "--records", "1", config=sandbox.config)
    assert done.status == 0
    assert "1 sample records" in done.out
    assert "properties.late" not in done.out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-tap --config x", "no-such-tap can't be run"),
        ("'unfinished", "is not a command"),
        ("", "name the command of a tap"),
    ],
)
def test_a_tap_that_can_not_be_run_is_told(sandbox, command, said):
    done = sandbox.runner("plan", "--from-tap", command, config=sandbox.config)
    assert done.status == 1
    assert "--from-tap: " in done.log
    assert said in done.log


def test_a_tap_that_fails_is_told(sandbox, tmp_path):
    done = sandbox.runner("plan", "--from-tap", tap_of(tmp_path, [], 3), config=sandbox.config)
    assert done.status == 1
    assert "ended with exit code 3" in done.log


def test_an_input_that_is_not_there_is_told(sandbox):
    done = sandbox.runner("plan", "--input", "nowhere.jsonl", config=sandbox.config)
    assert done.status == 1
    assert "can't read the records of nowhere.jsonl" in done.log


@pytest.mark.parametrize(
    ("method", "number"), [*(("POST", number) for number in range(6)), ("PATCH", 0)]
)
@pytest.mark.parametrize("kind", ["close", "reset"])
def test_a_lost_answer_makes_nothing_twice(sandbox, method, number, kind):
    match = {"method": method, "path": "/data/"}
    sandbox.emulator.faults.add(Fault(kind, skip=number, match=match, after_effect=True))
    done = sandbox.run("provision", "--profile", "--yes", messages=messages_of([event(1, a=1)]))
    assert done.status == 0, done.log
    found = sandbox.emulator.resources.listing()
    assert [each["title"] for each in found["schemas"]] == ["Mixpanel events"]
    assert [each["title"] for each in found["fieldGroups"]] == ["Mixpanel events fields"]
    assert len(found["namespaces"]) == 3
    assert [each["name"] for each in found["datasets"]] == ["Mixpanel events"]
    assert len(found["schemas"][0]["references"]) == len(set(found["schemas"][0]["references"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [("[1]", "is not a JSON object of settings"), ("{", "is not JSON")],
)
def test_a_file_that_can_hold_no_settings_is_told(sandbox, tmp_path, content, said):
    path = tmp_path / "settings.json"
    path.write_text(content)
    done = sandbox.run("provision", "--save", str(path), messages=messages_of([event(1)]))
    assert done.status == 1
    assert said in done.log
    assert path.read_text() == content


def test_a_file_that_can_not_be_written_is_told(sandbox):
    done = sandbox.run(
        "provision", "--save", "no-folder/settings.json", messages=messages_of([event(1)])
    )
    assert done.status == 1
    assert "--save: can't write no-folder/settings.json" in done.log


def test_two_streams_go_into_two_datasets(sandbox):
    sent = [*messages_of([event(1, a=1)]), *messages_of([event(2, b=2)], "more")]
    assert sandbox.run("provision", messages=messages_of([event(1)])).status == 0
    other = sandbox.run("provision", messages=messages_of([event(1)]), dataset_name="Other events")
    ids = [line.rsplit(" ", 1)[1] for line in other.lines if line.startswith("dataset of")]
    done = sandbox.run("provision", messages=sent, datasets={"more": ids[0]})
    assert done.status == 0, done.log
    assert "Dataset 'Mixpanel events'" in done.out
    assert "Dataset 'Other events'" in done.out
    assert "~ field group 'Other events fields'" in done.out

"""What a plan is made from: a tap that is run, a file, stdin; and where ids are saved."""

from __future__ import annotations

import io
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


class Terminal(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yesterday\n"])
def test_without_a_yes_nothing_is_done(sandbox, monkeypatch, answer):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    done = sandbox.run("provision", "--profile", messages=messages_of([event(1)]))
    assert done.status == 1
    assert done.lines[-1].endswith("(can't be undone). Go on? Type yes or no:")
    assert "nothing was done, for want of a yes" in done.log
    assert sandbox.calls("POST", "PATCH") == 0


def test_with_a_yes_it_is_done(sandbox, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("Yes\n"))
    done = sandbox.run("provision", "--profile", messages=messages_of([event(1)]))
    assert done.status == 0, done.log
    assert "created dataset 'Mixpanel events'" in done.out


def test_without_any_input_only_a_set_that_is_known_can_be_planned(sandbox, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal(""))
    done = sandbox.runner("plan", config=sandbox.config)
    assert done.status == 0, done.log
    assert "There is no input" in done.log
    (line,) = [each for each in done.lines if "apiTimestampMs" in each]
    assert line.split() == [f"{TENANT}.mixpanel.apiTimestampMs", "long"]
    mapping = {"mappings": [{"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"}]}
    done = sandbox.runner("plan", config={**sandbox.config, "mapping": mapping})
    assert done.status == 1
    assert "there is no input, and the types of fields are those of records" in done.log


def test_an_input_with_nothing_in_it_is_told(sandbox):
    done = sandbox.run("provision")
    assert done.status == 1
    assert "--input: there is neither a SCHEMA nor a record in it" in done.log
    silent = shlex.join([sys.executable, "-c", ""])
    done = sandbox.runner("plan", "--from-tap", silent, config=sandbox.config)
    assert done.status == 1
    assert "--from-tap: there is neither a SCHEMA nor a record in it" in done.log
    assert sandbox.calls("POST", "PATCH") == 0


def test_two_inputs_are_one_too_many(sandbox):
    done = sandbox.run("plan", "--from-tap", "true", messages=messages_of([event(1)]))
    assert done.status == 1
    assert "--input and --from-tap both say where the input comes from" in done.log


def test_a_long_plan_is_cut(sandbox):
    many = {f"property_{number}": number for number in range(150)}
    done = sandbox.run("plan", messages=messages_of([event(1, **many)]))
    assert done.status == 0
    assert len(done.lines) < 140
    assert "more (--json shows all)" in done.out


def test_a_blank_name_is_told(sandbox):
    done = sandbox.run("plan", messages=messages_of([event(1)]), dataset_name="  ")
    assert done.status == 1
    assert "dataset_name: is blank" in done.log

"""`target-aep check`: one line for each thing that a run needs, and what to do about it."""

from __future__ import annotations

import json
import time

import pytest
from check_running import (
    CATALOG,
    REGISTRY,
    orders,
)
from emulators.aep.demo import (
    MIXPANEL_DATASET,
    mixpanel_schema,
)
from emulators.faults import Fault
from werkzeug.wrappers import Response

AFTER_TOKEN = ("authorization", "api key", "organisation", "sandbox", "permission")


@pytest.mark.usefixtures("namespaces")
def test_a_ready_sandbox_has_no_failure_and_nothing_was_written(sandbox, check):
    name = "Ready"
    ready = orders(sandbox, name, enable_error_diagnostics=True)
    lines = check(dataset_id=ready)
    assert lines.levels(*(topic for _, topic, _ in lines)) == {"ok", "skip"}
    assert [topic for level, topic, _ in lines if level == "skip"] == ["inlet"]
    assert lines.of("dataset") == [("ok", f"{name} ({ready}) for events, Profile is off")]
    assert lines.of("sandbox") == [("ok", "prod is there")]
    assert lines.of("mapping") == [
        ("ok", "stream events, set mixpanel: 33 mappings have a place in the schema")
    ]
    assert lines.of("namespace")[0] == ("ok", "MixpanelDistinctID, custom, CROSS_DEVICE")
    assert len(lines.of("permission")) == 6


@pytest.mark.usefixtures("namespaces")
def test_json_lines(check, sandbox):
    result = check.run("check", "--json", config=sandbox.config)
    found = [json.loads(line) for line in result.lines]
    assert {"level": "ok", "topic": "sandbox", "text": "prod is there"} in found
    assert all(each.keys() == {"level", "topic", "text"} for each in found)
    assert {each["level"] for each in found} == {"ok", "warn", "skip"}
    assert result.status == 0


@pytest.mark.usefixtures("namespaces")
def test_credentials_can_be_checked_before_there_is_a_dataset(check):
    lines = check(dataset_id=None)
    ((level, text),) = lines.of("dataset")
    assert level == "FAIL"  # a run would end at once
    assert "`target-aep plan` shows what `target-aep provision` would make" in text
    assert lines.levels("schema", "mapping", "identity") == {"skip"}
    assert lines.levels("namespace") == {"ok"}


def test_loading_still_needs_a_dataset(sandbox, check):
    config = {key: value for key, value in sandbox.config.items() if key != "dataset_id"}
    assert check.run("--input", "none", config=config).status != 0


def test_a_missing_dataset_does_not_hide_a_missing_namespace(check):
    lines = check(dataset_id="nope")
    failures = lines.failures()
    assert failures[0][0] == "dataset"
    assert failures[0][1].startswith("dataset_id: there is no dataset nope in this sandbox")
    assert [topic for topic, _ in failures[1:]] == ["namespace"] * 3
    assert lines.levels("limits") == {"ok"}


@pytest.mark.usefixtures("namespaces")
def test_a_dataset_by_name(check):
    assert check(dataset_id=None, dataset_name=MIXPANEL_DATASET).levels("dataset") >= {"ok"}
    lines = check(dataset_id=None, dataset_name="Nowhere")
    ((_, text),) = lines.failures()
    assert text.startswith("dataset_name: no dataset of the sandbox is called 'Nowhere'")


@pytest.mark.usefixtures("namespaces")
def test_a_name_that_two_datasets_have(sandbox, check):
    def alter(request, ask):
        if request.path == f"{CATALOG}/dataSets":
            shown = {each: {"name": "Twice"} for each in ("b", "a")}
            return Response(json.dumps(shown))
        return ask()

    sandbox.front.alter = alter
    ((_, text),) = check(dataset_id=None, dataset_name="Twice").failures()
    assert text == "dataset_name: 2 datasets are called 'Twice'; give one as dataset_id: a, b"


@pytest.mark.usefixtures("namespaces")
def test_every_dataset_of_datasets_once(sandbox, check):
    ids = {
        "events": sandbox.dataset_id,
        "more": sandbox.dataset_id,
        "gone": "nope",
    }
    lines = check(dataset_id=None, datasets=ids)
    assert len(lines.of("schema")) == 2  # one is there, the other is skipped
    assert [text for level, text in lines.of("mapping") if level == "ok"] == [
        f"stream {stream}, set mixpanel: 33 mappings have a place in the schema"
        for stream in ("events", "more")
    ]
    ((_, text),) = lines.failures()
    assert text.startswith("datasets.gone: there is no dataset nope")


@pytest.mark.usefixtures("namespaces")
def test_diagnostics_that_are_off_are_warned_of(check):
    (_, (level, text)) = check().of("dataset")
    assert level == "warn"
    assert "error diagnostics are not on" in text
    assert "enableErrorDiagnostics" in text


@pytest.mark.parametrize(
    ("count", "level"), [(3, "ok"), (72, "warn"), (230, "warn"), (1500, "warn")]
)
@pytest.mark.usefixtures("namespaces")
def test_batches_of_the_last_day(sandbox, check, count, level):
    def alter(request, ask):
        if request.path != f"{CATALOG}/batches" or "createdAfter" not in request.args:
            return ask()
        after = int(request.args["createdAfter"]) / 1000
        assert abs(time.time() - 86_400 - after) < 600
        start, limit = int(request.args["start"]), int(request.args["limit"])
        shown = {f"b{n}": {"created": 1} for n in range(start, min(start + limit, count))}
        return Response(json.dumps(shown))

    sandbox.front.alter = alter
    ((found, text),) = check().of("limits")
    assert found == level
    assert text.startswith(f"{min(count, 1000)}{' or more' if count > 1000 else ''} batches were")
    assert "Adobe advises 90" in text


@pytest.mark.usefixtures("namespaces")
def test_batches_of_another_day_do_not_count(sandbox, check, client):
    client.create(sandbox.dataset_id)
    check.posts += 1
    (batch,) = sandbox.emulator._lake.batches.values()
    assert check().of("limits")[0][1].startswith("1 batches")
    batch.created -= 86_400_001
    assert check().of("limits")[0][1].startswith("0 batches")


def test_local_settings_need_nothing_of_the_platform(sandbox, check, tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(mixpanel_schema("_acme")), "utf-8")
    lines = check(destination="local", dataset_id=None, client_id=None, schema_path=str(path))
    assert lines.levels("folders", "schema", "mapping") == {"ok"}
    assert lines.levels("token", *AFTER_TOKEN, "dataset", "namespace", "limits") == {"skip"}
    assert sandbox.calls("POST", "/ims/") == 0


def test_local_settings_without_a_schema(check):
    lines = check(destination="local", dataset_id=None)
    assert lines.levels("schema") == {"warn"}


def test_wrong_settings_end_it_before_any_request(sandbox, check):
    result = check.run("check", config={**sandbox.config, "sandbox_name": "PROD"})
    assert result.status == 1
    assert sandbox.calls("POST", "/ims/") == 0


def test_a_server_that_repeats_secrets_shows_none(sandbox, check):
    secret = sandbox.config["client_secret"]
    body = {"title": "Forbidden", "detail": f"{secret} may not"}
    fault = Fault(
        "status", times=None, match={"path": REGISTRY}, args={"status": 403, "body": body}
    )
    sandbox.emulator.faults.add(fault)
    for args in ((), ("--json",)):
        result = check.run("check", *args, config=sandbox.config)
        assert secret not in result.out + result.log
        assert "*** may not" in result.out

"""Answers of 200 with something else: one line that names the call, never a traceback."""

from __future__ import annotations

import json

import pytest
from emulators.aep.testing import AepClient
from preview_running import make_runner
from target_messages import EVENT_SCHEMA, record, state
from werkzeug.wrappers import Response

FOUNDATION = "/data/foundation"
RECORDS = [EVENT_SCHEMA, record(1), state(1)]
ANYTHING = ["null", "5", '"x"', "[]", "[null]", "true", "<html>", '{"x": null}', "[" * 5000]


@pytest.fixture
def run(sandbox, tmp_path, monkeypatch, capsys, caplog):
    run = make_runner(tmp_path, monkeypatch, capsys, caplog)
    return lambda *args: run(*args, config=sandbox.config)


def answer_with(sandbox, part, body):
    """Let GETs of a path that has a part answer something else."""

    def alter(request, ask):
        if request.method == "GET" and part in request.path:
            return Response(body)
        return ask()

    sandbox.front.alter = alter


def is_plain(text):
    return not any(word in text for word in ("Traceback", "unexpected", "of the input"))


@pytest.mark.parametrize("body", ANYTHING)
@pytest.mark.parametrize("part", ["/catalog/batches", "/catalog/dataSets/"])
def test_status(sandbox, run, part, body):
    answer_with(sandbox, part, body)
    result = run("status")
    assert result.status == 1
    assert is_plain(result.log)
    assert f"GET {FOUNDATION}{part}" in result.log


@pytest.mark.parametrize("body", ANYTHING)
def test_the_rows_of_a_batch(sandbox, run, body):
    client = AepClient(sandbox.config["platform_url"], sandbox.emulator)
    rows = [{"_id": "a", "timestamp": "never"}]
    batch = client.load(sandbox.dataset_id, rows, enableErrorDiagnostics=True)
    answer_with(sandbox, f"/export/batches/{batch}", body)
    result = run("status", "--rows", batch)
    assert result.status == 1
    assert is_plain(result.log)
    answer_with(sandbox, f"/catalog/batches/{batch}", body)
    assert (
        f"GET {FOUNDATION}/catalog/batches/{batch} answered" in run("status", "--rows", batch).log
    )


@pytest.mark.parametrize("body", ["null", "5", "[]", "<html>", '{"x": null}'])
@pytest.mark.parametrize(
    "part", ["/catalog/batches", "/dataSets", "/tenant/schemas", "idnamespace", "/descriptors"]
)
def test_check(sandbox, run, part, body):
    answer_with(sandbox, part, body)
    result = run("check")
    assert is_plain(result.log + result.out)
    told = [line for line in result.lines if line.startswith(("FAIL", "warn")) and part in line]
    assert told or (part, body) in {
        ("idnamespace", "[]"),  # there is none
        ("/descriptors", '{"x": null}'),  # there is none of this type
        ("/tenant/schemas", '{"x": null}'),
    }
    assert not any("role" in line for line in told)


@pytest.mark.parametrize(
    "changes",
    [
        {"properties": []},
        {"properties": {"a": {"properties": 5}}},
        {"allOf": 5},
        {"required": 5},
        {"required": [[]]},
        {"properties": {"a": {"type": "string", "pattern": 5}}},
        {"properties": {"a": {"type": "string", "enum": [[]]}}},
        {"properties": {"a": {"type": "integer", "maximum": "x"}}},
        {"properties": {"a": {"type": "string", "minLength": [1]}}},
    ],
)
def test_a_schema_that_makes_no_sense(sandbox, run, changes):
    def alter(request, ask):
        answer = ask()
        if "/tenant/schemas/" in request.path:
            return Response(json.dumps({**json.loads(answer.get_data()), **changes}))
        return answer

    sandbox.front.alter = alter
    result = run("check")
    assert result.status == 1
    assert is_plain(result.log + result.out)
    assert any(line.startswith("FAIL  schema") for line in result.lines)
    error = str(sandbox.run(RECORDS).error)
    assert is_plain(error)
    assert "/schemas/" in error


ODD = ["null", "5", "[]", "<html>"]


@pytest.mark.parametrize(
    ("part", "body"),
    [
        *(("/catalog/batches", body) for body in ODD),
        *(("/dataSets/", body) for body in [*ODD, '{"x": null}']),
        *(("/tenant/schemas/", body) for body in [*ODD, '{"x": null}']),
    ],
)
def test_a_run_takes_no_odd_answer_for_nothing_there(sandbox, part, body):
    answer_with(sandbox, part, body)
    outcome = sandbox.run(RECORDS, polling=None)
    assert is_plain(str(outcome.error))
    assert f"GET {FOUNDATION}" in str(outcome.error) or "its schema https:" in str(outcome.error)
    assert outcome.states == []


@pytest.mark.parametrize(
    "body",
    ["null", "5", "[]", "{}", '{"access_token": "x", "expires_in": 1e999}', "<html>", "[" * 5000],
)
def test_ims(sandbox, run, body):
    sandbox.front.alter = lambda request, ask: (
        Response(body) if request.path.startswith("/ims/") else ask()
    )
    result = run("status")
    assert result.status == 1
    assert "answered without an access token: check ims_url" in result.log

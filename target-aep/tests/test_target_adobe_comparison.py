"""`target-aep mapping check --adobe`: a set's results here beside those of Adobe's preview."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from emulators.faults import Fault
from preview_running import make_runner, write_lines
from target_aep.mapping.paths import MISSING
from target_aep.mapping_tools.adobe_comparison import differences, same
from target_messages import EVENT_SCHEMA, record, state
from werkzeug.wrappers import Response

MAPPING = [
    {"source": "event_id", "destination": "_id"},
    {"source": "time", "destination": "timestamp"},
    {"sourceType": "EXPRESSION", "source": "upper(event_name)", "destination": "eventType"},
]
LOCAL = {"_id": "id1", "timestamp": "2024-05-18T05:05:48.000Z", "eventType": "VIEWED"}
SETS = "/data/foundation/conversion/mappingSets"


@pytest.fixture
def command(tmp_path, monkeypatch, capsys, caplog):
    return make_runner(tmp_path, monkeypatch, capsys, caplog)


@pytest.fixture
def compare(command, sandbox, tmp_path):
    """Compares records (one by default) with what the emulator is told to answer."""

    def run(*answers, form="array", records=None, **settings):
        sandbox.emulator.conversion.answers.put(answers, form)
        path = write_lines(tmp_path / "records.jsonl", *(records or [record(1)["record"]]))
        config = {**sandbox.config, "mapping": MAPPING, **settings}
        return command("mapping", "check", "--adobe", "--records", path, config=config)

    return run


def answer(data, *errors):
    return {"data": data, "errors": list(errors) or None}


@pytest.mark.parametrize("form", ["array", "object", "wrapped"])
def test_equal_results_are_said_to_be(compare, form):
    result = compare(answer(LOCAL), form=form)
    assert result.status == 0
    assert result.lines[-1] == (
        "  1 record compared with Adobe's preview: 0 differences in 0 records"
    )


def test_differences_are_listed_with_both_values(compare):
    adobe = {"_id": "id1", "timestamp": "2024-05-18T05:05:48Z", "eventType": "Viewed", "a": [1]}
    error = {"destination": "b", "source": "c", "exception": "no such field"}
    result = compare(answer(adobe, error), answer(LOCAL), records=[record(1)["record"]] * 2)
    assert result.status == 1
    assert result.lines[2:] == [
        "  record 1:",
        "    a: here nothing, Adobe [1]",
        '    eventType: here "VIEWED", Adobe "Viewed"',
        "    Adobe says: b: no such field",
        "  2 records compared with Adobe's preview: 2 differences in 1 record",
    ]


def test_what_adobe_does_not_have_is_left_out_of_the_comparison(compare, sandbox):
    result = compare(answer(LOCAL), mapping={"mappings": MAPPING, "missingFields": "leave_out"})
    assert result.status == 0
    result = compare(mapping="mixpanel")
    assert "Unrecognized field" not in result.log
    assert "properties.$browser" not in result.log
    assert sandbox.calls("POST", "/preview") == 2


def test_a_record_that_is_rejected_here_is_a_difference(compare):
    result = compare(answer(LOCAL), records=[{**record(1)["record"], "time": None}])
    assert result.status == 1
    assert "rejected here (timestamp: required, but the record has no value)" in result.out


def test_records_may_come_as_messages(compare):
    result = compare(answer(LOCAL), records=[EVENT_SCHEMA, record(1), state(1)])
    assert result.status == 0
    assert "1 record compared" in result.out


def test_a_mapping_that_adobe_does_not_validate_is_told(compare, sandbox):
    def alter(request, ask):
        if request.path != f"{SETS}/validate":
            return ask()
        error = {"destination": "eventType", "exception": "bad expression"}
        results = [{"status": "SUCCESS"}, {"status": "FAILED", "errors": [error]}]
        return Response(json.dumps({"validationResponse": results}), mimetype="application/json")

    sandbox.front.alter = alter
    result = compare(answer(LOCAL))
    assert result.status == 1
    assert "  Adobe does not accept mapping 2: eventType: bad expression" in result.lines


def test_without_the_validation_endpoint_the_preview_counts(compare, sandbox):
    fault = Fault("status", times=None, match={"path": f"{SETS}/validate"}, args={"status": 404})
    sandbox.emulator.faults.add(fault)
    assert compare(answer(LOCAL)).status == 0


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (400, "POST /data/foundation/conversion/mappingSets/preview was refused: 400"),
        (403, "the credential may not preview mapping sets: give its technical account a role"),
        (404, "POST /data/foundation/conversion/mappingSets/preview was refused: 404"),
        (500, "gave up after 4 tries"),
    ],
)
def test_a_refusal_ends_it_with_what_to_do(compare, sandbox, status, complaint):
    args = {"status": status, "body": '{"message": "no"}'}
    fault = Fault("status", times=None, match={"path": f"{SETS}/preview"}, args=args)
    sandbox.emulator.faults.add(fault)
    result = compare()
    assert result.status == 1
    assert complaint in result.log
    assert "Traceback" not in result.log


@pytest.mark.parametrize("times", [1, 3])
def test_a_service_that_is_busy_is_asked_again(compare, sandbox, times):
    fault = Fault("throttle", times=times, match={"path": f"{SETS}/preview"})
    sandbox.emulator.faults.add(fault)
    assert compare(answer(LOCAL)).status == 0


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<html>", "answered without JSON"),
        ("5", "answered in a form that is not known"),
        ("[]", "answered in a form that is not known"),
        ("{}", "answered in a form that is not known"),
    ],
)
def test_an_answer_that_is_not_documented_is_told(compare, sandbox, body, complaint):
    def alter(request, ask):
        return Response(body) if request.path == f"{SETS}/preview" else ask()

    sandbox.front.alter = alter
    result = compare()
    assert result.status == 1
    assert complaint in result.log


def test_nothing_is_compared_while_the_set_has_mistakes(compare, sandbox):
    result = compare(mapping=[{"source": "a", "destination": "none.such"}])
    assert result.status == 1
    assert sandbox.calls("POST", SETS) == 0


def test_it_needs_records_and_a_credential(command, tmp_path):
    result = command("mapping", "check", "--adobe")
    assert result.status == 1
    assert "--adobe needs records to compare: give a file" in result.log
    path = write_lines(tmp_path / "records.jsonl", {})
    result = command("mapping", "check", "--adobe", "--records", path)
    assert result.status == 1
    assert "--adobe needs a credential: set client_id, client_secret" in result.log


def test_a_set_sent_to_adobe_has_tenant_and_variables_in_it(compare, sandbox):
    sent = []

    def alter(request, ask):
        if request.path == f"{SETS}/preview":
            sent.append(json.loads(request.get_data())["mappingSet"])
            return Response(json.dumps([answer({})]), mimetype="application/json")
        return ask()

    sandbox.front.alter = alter
    tenant = sandbox.emulator.tenant
    entry = {"sourceType": "STATIC", "source": "${WHO}", "replaces": True}
    entry["destination"] = "_${TENANT_ID}.mixpanel.eventName"
    compare(mapping=[entry], variables={"WHO": "me"})
    (document,) = sent
    assert document["mappings"] == [
        {"sourceType": "STATIC", "source": "me", "destination": f"_{tenant}.mixpanel.eventName"}
    ]
    assert document["outputSchema"]["schemaRef"]["id"].startswith("https://ns.adobe.com/")


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (1, 1.0, True),
        (Decimal("0.1"), 0.1, True),
        (1, "1", False),
        (True, 1, False),
        (10**400, 1.0, False),
        ("2024-01-01T00:00:00.000Z", "2024-01-01T01:00:00+01:00", True),
        ("2024-01-01T00:00:00.000Z", "2024-01-01T00:00:01Z", False),
        ("a", "b", False),
        (["a", 1], ["a", 1.0], True),
        (["a"], ["a", "b"], False),
        (MISSING, None, False),
    ],
)
def test_values_are_compared_by_what_they_mean(mine, theirs, expected):
    assert same(mine, theirs) is expected


def test_null_and_empty_values_are_as_good_as_none():
    assert not list(differences({"a": {"b": 1}}, {"a": {"b": 1, "c": None}, "d": "", "e": []}))

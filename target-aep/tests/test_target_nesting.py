"""Records that are nested deeply: one bound decides, whichever way and process they go through."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import cycle, islice

import pyarrow.parquet as pq
import pytest
from emulators.aep.demo import mixpanel_schema
from hypothesis import given
from hypothesis import strategies as st
from preview_running import make_runner
from run_comparison import LastingPool, assert_same
from target_aep.errors import UnfinishedRunError
from target_aep.nesting import (
    DEEPEST,
    DEEPEST_LINE,
    TOO_DEEP,
    UNREADABLE,
    is_deeper,
    is_line_too_deep,
    may_be_deeper,
)
from target_aep.retry.work import retry
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, reached, record, state

PROMPT = 120
REFUSED = "nested too deeply (more than 200 levels): let the tap leave out"
DEEPEST_RECORD = DEEPEST_LINE - 1
KEYLESS = {**EVENT_SCHEMA, "key_properties": []}
WORKERS_THAT_ARE_WAITED_FOR = """
from target_aep import record_runs
from target_aep.workers.pool import WorkerPool
class Pool(WorkerPool):
    def __init__(self, count):
        super().__init__(count)
        while len(self.ready) < count:
            self.exchange(wait=True)
record_runs.START_AFTER, record_runs.BLOCK_BYTES, record_runs.SMALL = 0, 2000, 0
record_runs.WorkerPool = Pool
from target_aep.target import TargetAEP
TargetAEP.cli()
"""


OBJECT, LIST, ODD = ('{"a":', "}"), ("[", "]"), ('{"]":"\\\\\\"","a":', ',"b":"}"}')


def nested(levels, *kinds):
    """A value of so many levels, as JSON, of several kinds in turns."""
    around = list(islice(cycle(kinds or [OBJECT]), levels))
    return "".join(begin for begin, _ in around) + "1" + "".join(end for _, end in around[::-1])


def deep_line(number, levels, *kinds):
    """A RECORD line whose record has so many levels."""
    text = json.dumps(record(number))
    value = nested(levels - 2, *kinds)
    return text.replace('"plan": "pro"', f'"plan": "pro", "deep": {value}').encode() + b"\n"


def lines(*messages):
    return b"".join(
        each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in messages
    )


@pytest.fixture(scope="module")
def pool():
    pool = LastingPool(2)
    yield pool
    pool.end_at_last()


@pytest.fixture
def load(tmp_path):
    """Loads an input with the target's own process; status, rows, letters, STATEs, last words."""

    def run(content, workers, file_format):
        config = {
            "destination": "local",
            "schema_path": "schema.json",
            "tenant_id": "acme",
            "workers": workers,
            "file_format": file_format,
            "max_rejected_percent": 100,
        }
        (tmp_path / "schema.json").write_text(json.dumps(mixpanel_schema("_acme")), "utf-8")
        (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
        ended = subprocess.run(
            [sys.executable, "-c", WORKERS_THAT_ARE_WAITED_FOR, "--config", "config.json"],
            input=content,
            capture_output=True,
            cwd=tmp_path,
            timeout=PROMPT,
            check=False,
        )
        log = ended.stderr.decode().splitlines()
        errors = [line.partition("target-aep")[2] for line in log if "| ERROR" in line]
        letters = [
            json.loads(line)
            for path in tmp_path.glob("dead-letters/*.jsonl")
            for line in path.read_text("utf-8").splitlines()
        ]
        states = [json.loads(line) for line in ended.stdout.splitlines()]
        return ended.returncode, rows_in(tmp_path), letters, states, errors

    return run


def rows_in(folder):
    rows = {}
    for path in folder.glob("aep-output/events/*/*"):
        if path.suffix == ".json":
            found = map(json.loads, path.read_text("utf-8").splitlines())
        elif path.suffix == ".parquet":
            found = pq.read_table(path).to_pylist()
        else:
            continue
        rows |= {row["_id"]: row for row in found}
    return rows


@pytest.fixture(params=["json", "parquet"])
def file_format(request):
    return request.param


@pytest.fixture(params=[1, 2])
def workers(request):
    return request.param


def others_of(row):
    """What is in the map; Parquet has it as pairs."""
    return dict(row["_acme"]["mixpanel"]["otherProperties"])


def test_records_are_loaded_up_to_the_bound_and_kept_aside_from_there(load, workers, file_format):
    levels = [DEEPEST, DEEPEST + 1, 495, DEEPEST_RECORD, DEEPEST - 1]
    deep = [deep_line(100 + place, each) for place, each in enumerate(levels)]
    content = lines(EVENT_SCHEMA, record(0), *deep, *map(record, range(1, 60)), state(1))
    status, rows, letters, states, errors = load(content, workers, file_format)
    assert (status, states, errors) == (0, reached(1), [])
    assert rows.keys() == {f"id{number}" for number in [*range(60), 100, 104]}
    assert others_of(rows["id100"])["deep"] == nested(DEEPEST - 2)
    assert [letter["record"]["event_id"] for letter in letters] == ["id101", "id102", "id103"]
    assert {(letter["reason"], letter["field"]) for letter in letters} == {(TOO_DEEP, None)}
    assert letters[1]["record"] == json.loads(deep[2])["record"]


@pytest.mark.parametrize("levels", [985, 5_000, 100_000])
def test_a_line_that_is_too_deep_to_be_read_ends_the_input(load, workers, file_format, levels):
    begin = [EVENT_SCHEMA, *map(record, range(40)), state(1), *map(record, range(40, 60))]
    content = lines(*begin, deep_line(100, levels), record(200), state(2))
    status, rows, letters, states, errors = load(content, workers, file_format)
    assert (status, states, letters) == (1, reached(1), [])
    assert rows.keys() == {f"id{number}" for number in range(40)}
    (error,) = errors
    assert error.strip(" |") == f"line 63 of the input: {UNREADABLE}"


@pytest.mark.parametrize(
    ("schema", "settings"),
    [(EVENT_SCHEMA, {"stream_maps": {"events": {"more": "event_name"}}}), (KEYLESS, {})],
)
@pytest.mark.parametrize("kinds", [(OBJECT,), (LIST,), (ODD,), (ODD, LIST)])
def test_all_ways_agree(pool, schema, kinds, settings):
    levels = [DEEPEST + 1, DEEPEST, 3, 489, 490, DEEPEST - 1, DEEPEST_RECORD]
    deep = [deep_line(100 + place, each, *kinds) for place, each in enumerate(levels)]
    beside = lines(record(300)).replace(b'"record":', b'"x": %b, "record":' % nested(400).encode())
    content = lines(schema, record(0), *deep, *map(record, range(50)), beside, state(1))
    seen = assert_same(content, pool, max_rejected_percent=90, **settings)
    assert [letter["record"]["event_id"] for letter in seen.letters] == [
        f"id{100 + place}" for place, each in enumerate(levels) if each > DEEPEST
    ]
    assert {letter["reason"] for letter in seen.letters} == {TOO_DEEP}
    assert sum(map(len, seen.rows)) == 50 + 1 + 3
    refused = content + deep_line(400, DEEPEST_LINE, *kinds) + lines(record(401), state(2))
    assert assert_same(refused, pool, max_rejected_percent=90, **settings).error.endswith(
        f"line 62 of the input: {UNREADABLE}"
    )


@pytest.mark.parametrize("levels", [DEEPEST_LINE - 1, DEEPEST_LINE, 990, 5_000])
def test_a_line_that_is_deep_beside_its_record_has_the_bound_of_a_line(pool, levels):
    line = json.dumps(record(100)).replace('"record":', f'"x": {nested(levels)}, "record":')
    content = lines(EVENT_SCHEMA, *map(record, range(40)), line.encode() + b"\n", record(101))
    seen = assert_same(content + lines(state(1)), pool)
    is_refused = levels + 1 > DEEPEST_LINE
    assert seen.error.endswith(f"line 42 of the input: {UNREADABLE}" if is_refused else "")
    assert sum(map(len, seen.rows)) == (0 if is_refused else 42)


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("cut", [0, 3000])
def test_a_last_line_that_is_too_deep_is_refused(pool, end, cut):
    last = deep_line(100, 5_000).rstrip(b"\n")
    content = lines(EVENT_SCHEMA, *map(record, range(40)), state(1), record(50))
    seen = assert_same(content + last[: len(last) - cut] + end, pool)
    assert f"line 44 of the input: {UNREADABLE}" in seen.error


def test_a_state_and_a_schema_have_the_same_bound(pool):
    deep = json.loads(nested(DEEPEST))
    fitting = {"type": "STATE", "value": deep}
    assert not assert_same(lines(EVENT_SCHEMA, record(1), fitting), pool).error
    wide = {**EVENT_SCHEMA, "schema": {"properties": {}, "x": deep}}
    for message in ({"type": "STATE", "value": {"a": deep}}, wide):
        seen = assert_same(lines(EVENT_SCHEMA, record(1), message), pool)
        assert f"a {message['type']} that is nested too deeply (more than 200 levels)" in seen.error


def test_records_of_a_batch_file_have_the_same_bounds(pool, tmp_path):
    def batch(*levels):
        text = b"".join(
            json.dumps(json.loads(deep_line(number, each))["record"]).encode() + b"\n"
            for number, each in enumerate(levels)
        )
        path = tmp_path / f"{len(levels)}.jsonl"
        path.write_bytes(text)
        encoding = {"format": "jsonl"}
        message = {"type": "BATCH", "encoding": encoding, "manifest": [path.as_uri()]}
        return path.as_uri(), lines(EVENT_SCHEMA, {**message, "stream": "events"}, state(1))

    seen = assert_same(
        batch(DEEPEST, DEEPEST + 1, DEEPEST_RECORD)[1], pool, max_rejected_percent=90
    )
    assert [letter["reason"] for letter in seen.letters] == [TOO_DEEP] * 2
    assert sum(map(len, seen.rows)) == 1
    (tmp_path / "1.jsonl").write_bytes(nested(DEEPEST_LINE + 1).encode())
    url, content = batch(DEEPEST, DEEPEST)
    (tmp_path / "2.jsonl").write_bytes(nested(DEEPEST_LINE + 1).encode())
    assert f"BATCH file {url}, line 1: {UNREADABLE}" in assert_same(content, pool).error


def test_a_letter_that_is_too_deep_stays_one_with_every_retry(sandbox, letters):
    deep = json.loads(deep_line(1, DEEPEST_RECORD))
    sandbox.run([EVENT_SCHEMA, deep, record(2), state(1)], max_rejected_percent=50)
    for _ in range(2):
        target = TargetAEP(config=sandbox.config)
        with pytest.raises(UnfinishedRunError, match="1 letters were rejected again"):
            retry(target)
        target.close()
        (letter,) = letters()
        assert (letter["reason"], letter["record"]) == (TOO_DEEP, deep["record"])


def test_the_preview_says_it_too(tmp_path, monkeypatch, capsys, caplog):
    run = make_runner(tmp_path, monkeypatch, capsys, caplog)
    content = lines(EVENT_SCHEMA, record(0)) + deep_line(1, DEEPEST + 1)
    (tmp_path / "input").write_bytes(content)
    result = run("preview", "--input", "input", config={"destination": "local"})
    assert REFUSED in result.out + result.log


@given(
    st.recursive(
        st.none() | st.text('{}[]\\"é', max_size=4),
        lambda part: (
            st.lists(part, max_size=3) | st.dictionaries(st.text('{[\\"', max_size=3), part)
        ),
        max_leaves=12,
    ),
    st.integers(0, 8),
)
def test_levels_are_counted_as_they_are(value, around):
    for _ in range(around):
        value = {"": value}
    depth = levels_of(value)
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    for most in range(depth + 3):
        assert is_deeper(value, most) == (depth > most)
        assert may_be_deeper(text, most) >= (depth > most)


@given(st.sampled_from([(OBJECT,), (LIST,), (ODD,), (ODD, LIST, OBJECT)]), st.integers(-3, 3))
def test_levels_of_a_line_are_counted_without_reading_it(kinds, more):
    text = nested(DEEPEST_LINE + more, *kinds).encode()
    assert is_line_too_deep(text) == (more > 0)
    assert not is_line_too_deep(
        b'{"a":"' + b"[" * 5000 + b'\\"{","b":[[1],[' + b"{},{}," * 900 + b"1]]}"
    )


def levels_of(value):
    if not isinstance(value, (dict, list)):
        return 0
    return 1 + max(map(levels_of, value.values() if isinstance(value, dict) else value), default=0)

"""Runs of records: mapped here or by workers, they give what they give one by one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mapping_records import generated_records, in_columns
from run_comparison import LastingPool, assert_same, run
from singer_sdk.singerlib.json import serialize_json
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state

SCHEMA = {"type": "SCHEMA", "stream": "events", "schema": {"properties": {}}}
UNDER_KEY = {**SCHEMA, "key_properties": ["event_id"]}
OTHER = {**EVENT_SCHEMA, "stream": "other"}


@pytest.fixture(scope="module")
def pool():
    pool = LastingPool(2)
    yield pool
    pool.end_at_last()


def lines(*messages):
    return b"".join(
        message if isinstance(message, bytes) else serialize_json(message).encode() + b"\n"
        for message in messages
    )


def events(records, stream="events"):
    return [{"type": "RECORD", "stream": stream, "record": each} for each in records]


def odd_record(number, **properties):
    message = record(number)
    message["record"]["properties"].update(properties)
    return message


@pytest.mark.parametrize("layout", [dict, in_columns])
@pytest.mark.parametrize("evolution", ["off", "plan"])
def test_events_with_quirks(pool, layout, evolution):
    records = [layout(each) for each in generated_records(300)]
    messages = [UNDER_KEY]
    for start in range(0, 300, 70):
        messages += [*events(records[start : start + 70]), state(start)]
    seen = assert_same(lines(*messages), pool, schema_evolution=evolution)
    assert sum(map(len, seen.rows)) + len(seen.letters) > 250


def test_workers_map_all_that_they_can(pool):
    before = pool.tasks
    run(lines(UNDER_KEY, *events(generated_records(100)), state(1)), pool)
    assert pool.tasks > before + 10


def test_records_that_come_twice_and_records_that_can_not_be_valid(pool):
    messages = [EVENT_SCHEMA, record(0), *map(record, range(20)), *map(record, range(5, 30))]
    messages += [record(7, time="soon"), record(8, event_id=None), record(9, time=None), state(1)]
    content = lines(*messages, *map(record, range(40)), state(2))
    seen = assert_same(content, pool, max_rejected_percent=90)
    assert len(seen.letters) == 3
    assert [len(rows) for rows in seen.rows] == [40]


@pytest.mark.parametrize("stream_maps", [None, {"events": {"more": "event_name"}}])
def test_streams_that_alternate_and_schemas_that_change(pool, stream_maps):
    wider = {**EVENT_SCHEMA, "schema": {"properties": {"colour": {"title": "$colour"}}}}
    messages = [EVENT_SCHEMA, OTHER]
    for number in range(40):
        messages += [record(number), record(number, stream="other"), record(100 + number)]
        if number % 9 == 8:
            messages.append(state(number))
        if number == 20:
            messages += [wider, record(500, colour="red")]
    messages += [record(501, colour="blue"), state("end")]
    config = {"stream_maps": stream_maps} if stream_maps else {}
    assert_same(lines(*messages), pool, **config)


ODD_LINES = [
    b"oops\n",
    b"\n",
    b"  \r\n",
    b'{"type":"RECORD","stream":"events"}\n',
    b'{"type":"RECORD","stream":"events","record":[]}\n',
    b'{"type":"RECORD","stream":"events","record":{"event_id":"x"},"record":7}\n',
    b'{"type":"RECORD","stream":"events","record":{"time":"2024-05-18T05:05:48Z"}}\n',
    b'{"type":"RECORD","stream":"events","record":{"event_id":"x"},"type":"STATE","value":{}}\n',
    b'{"type":"RECORD","stream":"events","record":{"event_id":"x"},"stream":"nobody"}\n',
    b'{"type":"RECORD","stream":"events","record":{"event_id":"x"} "a":1}\n',
    b'{"type":"RECORD","stream":"nobody","record":{"event_id":"x"}}\n',
    b'{"type":"STATE","value":{"a":1},"type":"RECORD"}\n',
    b'{"type":"STATE"}\n',
    b'{"type":"ACTIVATE_VERSION","stream":"events","version":1}\n',
    b'{"type":"PING"}\n',
    b'{"type":"RECORD","stream":"events","record":{"event_id":"x","n":' + b"[" * 3000 + b"\n",
    lines(odd_record("surrogate", half="\ud83d")),
    lines(odd_record("big", n=10**30, m=-(2**64), d=Decimal("1.50E+400"))),
    lines(odd_record("sdc") | {"record": {**record("sdc")["record"], "_sdc_deleted_at": "x"}}),
    lines(record("nan")).replace(b'"number":"nan"', b'"number":NaN,"more":-Infinity'),
    lines(record("late"), record("nan")).replace(b'"late"', b'"l\xc3te"'),
    lines(record("bytes")).replace(b"Viewed", b"Vi\xed\xa0\x80ewed"),
    lines(record("spaces")).replace(b'":', b'" :').replace(b',"', b' , "'),
    lines({"stream": "events", **record("turned")}),
    lines(record("spelled")).replace(b'"events"', b'"ev\\u0065nts"'),
]


@pytest.mark.parametrize("odd", ODD_LINES)
def test_a_line_that_is_odd_between_others(pool, odd):
    before, after = map(record, range(30)), map(record, range(30, 50))
    content = lines(EVENT_SCHEMA, *before, state(1), *map(record, range(60, 75)), odd, *after)
    assert_same(content + lines(state(2)), pool)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(ODD_LINES),
            st.integers(0, 12).map(lambda number: lines(record(number))),
            st.integers(0, 3).map(lambda number: lines(state(number))),
            st.builds(
                lambda properties: lines(odd_record("any", **properties)),
                st.dictionaries(
                    st.text(max_size=5),
                    st.recursive(
                        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
                        lambda part: st.lists(part, max_size=3),
                        max_leaves=4,
                    ),
                    max_size=4,
                ),
            ),
        ),
        max_size=25,
    ),
    st.sampled_from([b"", b'{"type":"RECORD","stream":"events","rec', b"\xc3", b'{"type":"STATE"']),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_lines_give_the_same_here_as_one_by_one(messages, cut):
    content = lines(EVENT_SCHEMA, record("first"), *messages) + cut
    assert run(content) == run(content, is_ordinary=True)


def test_files_and_sizes(pool):
    messages = [EVENT_SCHEMA, *(odd_record(n, filler="x" * (n % 40) * 20) for n in range(120))]
    seen = assert_same(lines(*messages, state(1)), pool, file_max_bytes=3000)
    assert len(seen.rows) > 10
    big = odd_record("big", filler="x" * 12_000)
    seen = assert_same(lines(EVENT_SCHEMA, record(1), big, big, record(2), state(1)), pool)
    assert any("the record idbig has 12" in line for line in seen.log)
    content = lines(EVENT_SCHEMA, *map(record, range(9)), state(1), *map(record, range(9)), big)
    seen = assert_same(content, pool, file_max_bytes=2000)
    assert "file_max_bytes: raise it" in seen.error
    assert not seen.rows


def test_batches_close_at_the_same_states(pool):
    messages = [EVENT_SCHEMA]
    for number in range(60):
        messages += [record(number), state(number)]
    seen = assert_same(lines(*messages), pool, batch_max_bytes=3000)
    assert len(seen.rows) > 3
    assert len(seen.states) > 3


def test_streams_without_a_key_or_a_state(pool):
    for schema in (UNDER_KEY, SCHEMA):
        assert_same(lines(schema, *map(record, range(30)), *map(record, range(20))), pool)


def test_floats_are_written_as_ever(pool):
    mapping = {
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": "event_id", "destination": "_id"},
            {"sourceType": "EXPRESSION", "source": "properties.a / 3.0", "destination": "_t.third"},
            {"sourceType": "ATTRIBUTE", "source": "properties.a", "destination": "_t.as"},
        ]
    }
    numbers = [1, 10**16, 10**22, Decimal("0.00001"), Decimal("1E-9"), Decimal("1E+300"), 0, -3]
    messages = [odd_record(place, a=number) for place, number in enumerate(numbers)]
    seen = assert_same(lines(EVENT_SCHEMA, *messages, state(1)), pool, mapping=mapping["mappings"])
    assert b"e+" in b"".join(seen.rows[0])


def test_a_clock_of_ones_own_stays_in_this_process(pool):
    class Late(TargetAEP):
        @staticmethod
        def now():
            return TargetAEP.now().replace(year=2001)

    content = lines(EVENT_SCHEMA, *map(record, range(30)), state(1))
    found = [
        run(content, workers, target_class=Late, max_rejected_percent=100)
        for workers in (None, pool)
    ]
    assert found[0] == found[1]
    assert len(found[0].letters) == 30

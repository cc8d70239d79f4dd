"""Framing a line says the same of it as reading it in the ordinary way."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from emulators.generator import generate
from emulators.generator.quirks import Quirks
from emulators.jsonlines import encode_event
from hypothesis import example, given
from hypothesis import strategies as st
from tap_mixpanel_export.event import InvalidLineError, build_record, parse_event
from tap_mixpanel_export.event_time import EventTime
from tap_mixpanel_export.framing import framer as framer_module
from tap_mixpanel_export.framing.framer import Framer
from tap_mixpanel_export.framing.messages import Framing
from tap_mixpanel_export.json_text import json_text

TIME = 1_652_825_148_000
PLAIN = b'{"event":"a","properties":{"time":1,"$insert_id":"i"}}'
MOST_QUIRKS = Quirks(
    missing_insert_id=0.1,
    empty_distinct_id=0.1,
    mixed_types=0.3,
    big_integers=0.3,
    unicode=0.3,
    nested=0.4,
    case_collisions=0.2,
    odd_names=0.2,
    placeholders=0.2,
    empties=0.3,
    json_text=0.2,
    duplicates=0.05,
    late=0.1,
    imported=0.1,
    hot_shard=0.05,
    future=0.05,
    unstamped=0.1,
    rekeyed=0.2,
    identify=0.1,
)


def read(text):
    return json.loads(text, parse_float=Decimal)


def exact(value):
    """Tells 1 from 1.0 and from true, and one order of names from another."""
    if isinstance(value, dict):
        return [(name, exact(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [exact(each) for each in value]
    return type(value).__name__, str(value)


def expected(line, event_time):
    """What the ordinary way makes of a line: a record, or the reason why it is none."""
    try:
        event = parse_event(line)
    except InvalidLineError as error:
        return str(error)
    return exact(read(json_text(build_record(event, event_time))))


def framed_one(line, framer):
    """What framing makes of a line; a line that is not foreign to a body follows it."""
    framed = framer.frame(line + b"\n" + PLAIN + b"\n")
    assert framed.fatal is None or framed.fatal.kind == "aborted"
    for odd in (*framed.malformed, *([framed.fatal] if framed.fatal else [])):
        assert (odd.index, odd.line) == (0, line)
        return odd.reason
    first, second = framed.payload.splitlines()
    message = read(first)
    assert list(message) == ["type", "stream", "record", "time_extracted"]
    assert (message["type"], message["stream"]) == ("RECORD", "events")
    assert framed.keys[:16].hex() == message["record"]["event_id"]
    assert read(second)["record"]["insert_id"] == "i"
    return exact(message["record"])


@pytest.fixture
def steps_aside(monkeypatch):
    """A function that tells whether the fast way has left a line to the ordinary way."""

    def steps_aside(line):
        with monkeypatch.context() as patch:
            found = []
            patch.setattr(
                framer_module, "read_line", lambda line, at: found.append(at) or parse_event(line)
            )
            Framer(Framing()).frame(line + b"\n")
            return bool(found)

    return steps_aside


ZONES = [None, "America/Los_Angeles", "Australia/Lord_Howe", "Africa/Monrovia"]


@pytest.mark.parametrize("zone", ZONES)
def test_generated_events_with_every_quirk_are_framed_as_they_are_built(zone):
    events = generate(
        3,
        6,
        150,
        basis="utc" if zone is None else "project",
        zone=zone or "UTC",
        start=date(2024, 4, 3),
        now=datetime(2024, 4, 19, tzinfo=timezone.utc),
        quirks=MOST_QUIRKS,
    )
    lines = [encode_event(event) for event in events]
    event_time = EventTime(ZoneInfo(zone) if zone else None)
    framed = Framer(Framing(wall_clock_zone=zone)).frame(b"\n".join(lines) + b"\n")
    assert framed.events == len(lines) > 800
    records = [exact(read(line)["record"]) for line in framed.payload.splitlines()]
    assert records == [expected(line, event_time) for line in lines]
    assert framed.keys.hex() == "".join(dict(record)["event_id"][1] for record in records)
    arrivals = [parse_event(line).arrival_ms for line in lines]
    assert framed.arrival_list() == [arrival for arrival in arrivals if arrival is not None]


texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
times = (
    st.integers(TIME, TIME + 10**9)
    | st.integers(-(63 * 10**12), 260 * 10**12)
    | st.floats(0, 1e13)
    | values
)
COLUMNS = {
    "time": times,
    "$insert_id": st.just("i") | texts | values,
    "distinct_id": texts | values,
    "$device_id": texts | values,
    "$user_id": texts | values,
    "$import": st.booleans() | values,
    "$mp_api_endpoint": texts | values,
    "$mp_api_timestamp_ms": st.integers(TIME, TIME + 10**9) | values,
    "mp_processing_time_ms": st.integers(TIME, TIME + 10**9) | values,
    "$distinct_id_before_identity": texts | values,
}
columns = st.fixed_dictionaries({}, optional=COLUMNS)
properties = st.builds(
    lambda known, others: {**others, **known}, columns, st.dictionaries(texts, values, max_size=4)
)


@given(
    name=texts | values,
    properties=properties | values,
    extra=st.dictionaries(texts, values, max_size=1),
    is_ascii=st.booleans(),
    is_spaced=st.booleans(),
    zone=st.sampled_from(ZONES),
)
def test_any_event_is_framed_as_it_is_built(name, properties, extra, is_ascii, is_spaced, zone):
    event = {"event": name, "properties": properties, **extra}
    separators = (", ", ": ") if is_spaced else (",", ":")
    text = json.dumps(event, ensure_ascii=is_ascii, separators=separators)
    line = text.encode("utf-8", errors="surrogatepass")
    event_time = EventTime(ZoneInfo(zone) if zone else None)
    framer = Framer(Framing(wall_clock_zone=zone, tolerates_malformed=True))
    assert framed_one(line, framer) == expected(line, event_time)


TOKENS = [
    *(b'{"event":"a","properties":', b'{"time":1,"$insert_id":"i"', b'"time":', b"}}", b"{", b"}"),
    *(
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\\u",
        b"\\ud83d",
        b"\\ude00",
        b"\\u12",
        b'\\"',
        b"\\/",
    ),
    *(b"0", b"01", b"1.", b".5", b"-", b"+", b"1e5", b"1E+", b"NaN", b"-Infinity", b"-0", b"1e400"),
    *(
        b"true",
        b"tru",
        b"null",
        b" ",
        b"\t",
        b"\r",
        b"\x0b",
        b"\x00",
        b"\x1f",
        b"\x7f",
        b"\xc3\xa9",
    ),
    *(
        b"\xc3",
        b"\xc3\xa9",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xe2\x80\xa8",
        b"\xf0\x9f\x98\x80",
        b'"x":',
        b'"a"',
    ),
    *(b'"event":', b'"properties":', b'"error":', b'"$insert_id":', b'"distinct_id":', b'"i"'),
]
GOOD = (
    b'{"event":"a","properties":{"time":1652825148000,"$insert_id":"i","distinct_id":"ad\xc3\xa9",'
    b'"x":[1.50,{"y":"z\\u00e9"}],"mp_processing_time_ms":1652825149000}}'
)


def mutated(line, places):
    for place, token, length in places:
        at = place % (len(line) + 1)
        line = line[:at] + token + line[at + length :]
    return line.replace(b"\n", b"")


broken = st.builds(
    mutated,
    st.sampled_from([GOOD, PLAIN, b'{"event":"a","properties":{"time":1}}']),
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from(TOKENS), st.integers(0, 4)), max_size=3
    ),
)


@given(broken | st.lists(st.sampled_from(TOKENS), max_size=9).map(b"".join))
@example(b'{"event":"a","properties":{"time":1,"$insert_id":"i"}]')
@example(b'{"event":"a","properties":{"time":1,"$insert_id":"i"} }')
@example(b'{"event":"a","properties":{"time":1,"$insert_id":"i"}}}')
@example(b'{"event":"a","event":"b","properties":{"time":1,"$insert_id":"i"}}')
@example(b'{"event":"a","properties":{"time":1,"$insert_id":"i","x":"\xed\xa0\x80"}}')
@example(b'{"event":"a","properties":{"time":1,"$insert_id":"i","x":"\\ud83d"}}')
@example(b'{"event":"a","properties":{"\\u0074ime":1,"$insert_id":"i"}}')
@example(b'{"event":"a","properties":{"time":1,"$insert_id":"i","x":1e400}}')
@example(b'{"event":"a\\",\\"properties\\":{","properties":{"time":1,"$insert_id":"i"}}')
def test_a_line_that_is_refused_in_the_ordinary_way_is_refused_with_the_same_words(line):
    framer = Framer(Framing(tolerates_malformed=True))
    if not line.strip():
        assert framer.frame(line + b"\n").is_blank
        return
    assert framed_one(line, framer) == expected(line, EventTime(None))


def nested(opening, closing, levels):
    value = opening * levels + b"1" + closing * levels
    return b'{"event":"a","properties":{"time":1,"$insert_id":"i","x":' + value + b"}}"


@pytest.mark.parametrize("levels", [1, 60, 97, 98, 99, 100, 101, 900, 5000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"y":', b"}")])
def test_nesting_has_the_same_end(opening, closing, levels):
    line = nested(opening, closing, levels)
    framer = Framer(Framing(tolerates_malformed=True))
    assert framed_one(line, framer) == expected(line, EventTime(None))


@pytest.mark.parametrize("digits", [19, 640, 4299, 4300, 4301, 9000])
@pytest.mark.parametrize("before", [b"", b"x" * 2149, b"x" * 4300])
def test_long_integers_are_read_or_refused_as_python_does(digits, before):
    value = b"[" + b'"' + before + b'",' + b"7" * digits + b"]"
    line = b'{"event":"a","properties":{"time":1,"$insert_id":"i","x":' + value + b"}}"
    framer = Framer(Framing(tolerates_malformed=True))
    assert framed_one(line, framer) == expected(line, EventTime(None))


@pytest.mark.parametrize("exponent", ["e", "E", "e+", "E-"])
@pytest.mark.parametrize("digits", [17, 18, 19, 40])
def test_a_number_that_no_decimal_holds_is_refused(exponent, digits):
    number = f"12{exponent}{'9' * digits}"
    for value in (number, f"[{number}]", f'{{"y":{number}}}'):
        text = f'{{"event":"a","properties":{{"time":1,"$insert_id":"i","x":{value}}}}}'
        framer = Framer(Framing(tolerates_malformed=True))
        assert framed_one(text.encode(), framer) == expected(text.encode(), EventTime(None))


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
def test_a_backslash_before_an_end_of_a_line_is_no_json(separator):
    text = f'{{"event":"a","properties":{{"time":1,"$insert_id":"i","x":"\\{separator}"}}}}'
    framer = Framer(Framing(tolerates_malformed=True))
    framed = framer.frame(text.encode() + b"\n" + PLAIN + b"\n")
    assert (framed.events, len(framed.malformed)) == (1, 1)


@pytest.mark.parametrize(
    "line",
    [
        GOOD,
        PLAIN,
        b'{"event":"a\xc3\xa9","properties":{"time":1,"$insert_id":"i","x":{"y":[1,{}]}}}',
        b'{"event":"","properties":{"time":-1,"$insert_id":"i","distinct_id":null}}',
    ],
)
def test_ordinary_lines_go_the_fast_way(line, steps_aside):
    assert not steps_aside(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"properties":{"time":1,"$insert_id":"i"},"event":"a"}',
        b'{"event":"a","properties":{"time":1.0,"$insert_id":"i"}}',
        b'{"event":"a","properties":{"time":1,"$insert_id":""}}',
        b'{"event":"a","properties":{"time":1,"$insert_id":7}}',
        b'{"event":"a","properties":{"time":1,"$insert_id":"i"}}\r',
        b'{"event":"a","properties":{"time":1,"$insert_id":"i"\r}}',
    ],
)
def test_other_lines_go_the_ordinary_way(line, steps_aside):
    assert steps_aside(line)


def test_no_line_has_a_carriage_return():
    lines = b'{"event":"a","properties":{"time":1,\r"$insert_id":"i"}}\r\n' + PLAIN + b"\n"
    framed = Framer(Framing()).frame(lines)
    assert framed.events == 2
    assert b"\r" not in framed.payload


def test_no_line_has_a_character_at_which_some_readers_end_it():
    text = "".join(map(chr, range(32, 0x3000)))
    event = {"event": "a", "properties": {"time": 1, "$insert_id": "i", text: text}}
    line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    framed = Framer(Framing()).frame(line + b"\n")
    assert len(framed.payload.decode().splitlines()) == 1
    assert read(framed.payload)["record"]["properties"] == event["properties"]
    assert framed.payload.isascii() is False


def test_names_beyond_the_most_are_read_again(monkeypatch):
    monkeypatch.setattr(framer_module, "MOST_HEADS", 2)
    names = [f"n{number % 5}" for number in range(20)]
    lines = b"".join(PLAIN.replace(b'"a"', f'"{name}"'.encode()) + b"\n" for name in names)
    framer = Framer(Framing())
    framed = framer.frame(lines)
    found = [read(line)["record"]["event_name"] for line in framed.payload.splitlines()]
    assert found == names
    assert len(framer.heads) <= 2


def line_of(arrival):
    stamp = b"" if arrival is None else b',"mp_processing_time_ms":%d' % arrival
    return PLAIN[:-2] + stamp + b"}}\n"


@given(
    arrivals=st.lists(st.none() | st.integers(0, 9), max_size=12),
    after=st.none() | st.integers(0, 9),
    until=st.integers(0, 9),
    is_fast=st.booleans(),
)
def test_the_sweeps_arrivals_are_taken_and_later_ones_counted(arrivals, after, until, is_fast):
    framing = Framing(arrived_after=after, arrived_until=until)
    body = b"".join(map(line_of, arrivals))
    framed = Framer(framing).frame(body if is_fast else body.replace(b"{", b"{ "))
    found = [read(line)["record"]["mp_processing_time_ms"] for line in framed.payload.splitlines()]
    assert found == [arrival for arrival in arrivals if framing.arrivals.takes(arrival)]
    assert framed.deferred == sum(map(framing.arrivals.defers, arrivals))
    assert framed.events == len(arrivals)
    assert framed.arrival_list() == [arrival for arrival in arrivals if arrival is not None]


def test_distances_are_those_of_the_ordinary_way():
    events = generate(5, 2, 200, quirks=MOST_QUIRKS, start=date(2024, 4, 3))
    lines = [encode_event(event) + b"\n" for event in events]
    random.Random(7).shuffle(lines)  # noqa: S311 - no secret
    fast = Framer(Framing()).frame(b"".join(lines), samples=True)
    slow = Framer(Framing()).frame(b"\r\n".join(line[:-1] for line in lines) + b"\n", samples=True)
    assert fast.distances == slow.distances
    assert len(fast.distances) > 100


ODD_LINES = [
    b"",
    b"no event",
    b" ",
    b'{"event":"a","properties":{}}',
    b'{"error":"terminated early"}',
]


@given(
    order=st.lists(st.sampled_from([PLAIN, *ODD_LINES]), max_size=12),
    piece=st.integers(0, 200),
    tolerates=st.booleans(),
)
def test_a_block_is_the_same_in_pieces_of_any_size(order, piece, tolerates):
    block = b"".join(line + b"\n" for line in order)
    framer = Framer(Framing(tolerates_malformed=tolerates))
    facts = []
    for size in (piece, len(block)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(framer_module, "_PIECE", size)
            framed = framer.frame(block)
        records = [read(line)["record"] for line in framed.payload.splitlines()]
        assert len(framed.ends) == 4 * len(records)
        facts.append((records, {**vars_of(framed), "payload": None, "ends": None}))
    assert facts[0] == facts[1]


def vars_of(framed):
    return {name: getattr(framed, name) for name in framed.__struct_fields__}

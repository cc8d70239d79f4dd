"""States that cannot be continued are refused, whole states come through unchanged."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export import bookmark_json
from tap_mixpanel_export.errors import StateError
from tap_mixpanel_export.sweep import Bookmark, OpenSweep, Pace
from tap_mixpanel_export.windows import Window

NOW = 1_710_936_000_000  # 2024-03-20T12:00:00Z
UTC = ZoneInfo("UTC")

instants = st.integers(0, NOW)
counts = st.integers(1, 10**6)
paces = st.builds(
    Pace,
    ahead=st.lists(counts, max_size=4).map(tuple),
    days=counts,
    most_days=counts,
    aim=counts,
    slices=counts,
    is_settled=st.booleans(),
)


@st.composite
def bookmarks(draw):
    days = sorted(draw(st.lists(st.dates(), min_size=5, max_size=5)))
    after, until = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
    has_ended = draw(st.booleans())
    arrived_until = after if has_ended else None
    open_sweep = OpenSweep(arrived_until, until, Window(days[2], days[4]), days[3])
    has_exported = has_ended or (draw(st.booleans()) and days[1] < days[3])
    return Bookmark(
        value=draw(instants),
        arrived_until=arrived_until,
        exported=Window(days[0], days[1]) if has_exported else None,
        sweep=draw(st.sampled_from([None, open_sweep])),
        selection=draw(st.none() | st.text(max_size=5)),
        project_id=draw(st.none() | st.just("4711")),
        pace=draw(st.none() | paces),
    )


@given(bookmarks())
def test_a_bookmark_survives_its_state(bookmark):
    content = bookmark_json.to_json(bookmark)
    content["starting_replication_value"] = "2024-01-01"
    assert bookmark_json.from_json(content, zone=UTC, now_ms=NOW) == bookmark


@given(bookmarks())
def test_every_state_has_every_key(bookmark):
    content = bookmark_json.to_json(bookmark)
    assert content.keys() == GOOD.keys()
    assert content["sweep"].keys() == SWEEP.keys()


@given(bookmarks())
def test_an_older_state_leaves_out_what_says_nothing(bookmark):
    content = bookmark_json.to_json(bookmark)
    older = {name: value for name, value in content.items() if value is not None}
    if bookmark.sweep is None:
        del older["sweep"]
    assert bookmark_json.from_json(older, zone=UTC, now_ms=NOW) == bookmark
    older["sweep"] = content["sweep"] if bookmark.sweep else None
    assert bookmark_json.from_json(older, zone=UTC, now_ms=NOW) == bookmark


@given(bookmarks())
def test_a_state_of_version_1_is_continued(bookmark):
    content = {**bookmark_json.to_json(bookmark), "state_version": 1}
    del content["selection"], content["project_id"], content["pace"]
    expected = replace(bookmark, selection=None, project_id=None, pace=None)
    assert bookmark_json.from_json(content, zone=UTC, now_ms=NOW) == expected
    assert bookmark_json.to_json(expected)["state_version"] == 2


@pytest.mark.parametrize(("theirs", "ours"), [(None, "1"), ("1", "1"), ("1", None), (None, None)])
def test_a_state_that_may_be_this_projects_is_continued(theirs, ours):
    bookmark_json.check_project(Bookmark(project_id=theirs), ours)


def test_the_state_of_another_project_is_refused():
    with pytest.raises(StateError, match="belongs to project 1, and project_id is 2"):
        bookmark_json.check_project(Bookmark(project_id="1"), "2")


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"bookmarks": {}},
        {"bookmarks": {"events": {}}},
        {"bookmarks": {"events": bookmark_json.to_json(Bookmark())}},
    ],
)
def test_states_that_say_nothing(state):
    content = bookmark_json.stream_bookmark(state)
    assert bookmark_json.from_json(content, zone=UTC, now_ms=NOW) == Bookmark()


FOREIGN = [
    ([], "not a JSON object"),
    ({"currently": 1}, "another tap's"),
    ({"bookmarks": []}, "'bookmarks' is not an object"),
    ({"bookmarks": {"export": {}}}, "another tap's (it holds export)"),
    ({"bookmarks": {"events": 3}}, "'bookmarks.events' is not an object"),
]


@pytest.mark.parametrize(("state", "words"), FOREIGN)
def test_foreign_states_are_refused(state, words):
    with pytest.raises(StateError) as caught:
        bookmark_json.stream_bookmark(state)
    assert words in str(caught.value)


SWEEP = {
    "arrived_after": 5,
    "arrived_until": 10,
    "first_day": "2024-03-01",
    "last_day": "2024-03-03",
    "next_day": "2024-03-02",
}
PACE = {"ahead": [1, 4], "days": 4, "most_days": 30, "aim": 1000, "slices": 1, "is_settled": False}
GOOD = {
    "replication_key": "time",
    "replication_key_value": "2024-03-01T00:00:00.000Z",
    "state_version": 2,
    "arrived_until": 5,
    "exported_first_day": "2024-01-01",
    "exported_last_day": "2024-03-01",
    "sweep": SWEEP,
    "selection": "a8c223451fe78ee3",
    "project_id": "4711",
    "pace": PACE,
}
WRONG = [
    ({"state_version": 3}, "newer version"),
    ({"state_version": 0}, "not a version number"),
    ({"state_version": True}, "not a version number"),
    ({"state_version": "1"}, "not a version number"),
    ({"state_version": None}, "not a version number"),
    ({"replication_key": "updated_at"}, "replication key is 'updated_at'"),
    ({"replication_key_value": "soon"}, "not a date-time"),
    ({"replication_key_value": 7}, "not a date-time"),
    ({"replication_key_value": "0001-01-01T00:00:00Z"}, "lies before 1970"),
    ({"cursor": 1}, "unknown keys cursor"),
    ({"arrived_until": "x"}, "'arrived_until' is not a time"),
    ({"arrived_until": NOW * 2}, "lies after now"),
    ({"arrived_until": -1}, "'arrived_until' is not a time"),
    ({"exported_first_day": "2024-03-02"}, "lies before 'exported_first_day'"),
    ({"exported_last_day": "someday"}, "'exported_last_day' is not a day"),
    ({"sweep": {**SWEEP, "more": 1}}, "'sweep' needs exactly"),
    ({"sweep": []}, "'sweep' needs exactly"),
    ({"sweep": {**SWEEP, "arrived_until": 5}}, "ends before it begins"),
    ({"sweep": {**SWEEP, "arrived_until": 4}}, "ends before it begins"),
    ({"sweep": {**SWEEP, "arrived_until": NOW * 2}}, "lies after now"),
    ({"sweep": {**SWEEP, "arrived_until": None}}, "has no end"),
    ({"sweep": {**SWEEP, "next_day": "2024-03-04"}}, "no days left"),
    ({"sweep": {**SWEEP, "last_day": "2024-02-01"}}, "lies before 'sweep.first_day'"),
    ({"sweep": {**SWEEP, "arrived_after": 4}}, "differ"),
    *(
        ({"pace": pace}, "'pace' does not say")
        for pace in (
            [],
            {},
            {**PACE, "ahead": 1},
            {**PACE, "ahead": [0]},
            {**PACE, "days": True},
            {**PACE, "aim": None},
            {**PACE, "is_settled": 1},
        )
    ),
    ({"selection": 7}, "'selection' is not text"),
    ({"selection": ["Opened"]}, "'selection' is not text"),
    ({"project_id": 4711}, "'project_id' is not text"),
    ({"project_id": {}}, "'project_id' is not text"),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
def test_wrong_contents_are_refused(change, words):
    bookmark_json.from_json(GOOD, zone=UTC, now_ms=NOW)
    with pytest.raises(StateError) as caught:
        bookmark_json.from_json({**GOOD, **change}, zone=UTC, now_ms=NOW)
    assert words in str(caught.value)


@pytest.mark.parametrize("missing", ["state_version", "exported_first_day", "exported_last_day"])
def test_missing_parts_are_refused(missing):
    content = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(StateError, match=missing):
        bookmark_json.from_json(content, zone=UTC, now_ms=NOW)


def test_the_first_sweep_cannot_repeat_exported_days():
    first = {name: value for name, value in GOOD.items() if name != "arrived_until"}
    sweep = {**SWEEP, "arrived_after": None, "next_day": "2024-03-01"}
    with pytest.raises(StateError, match="repeats exported days"):
        bookmark_json.from_json({**first, "sweep": sweep}, zone=UTC, now_ms=NOW)


def test_a_future_plain_bookmark_is_refused():
    plain = {"replication_key": "time", "replication_key_value": "2031-01-01T00:00:00+00:00"}
    with pytest.raises(StateError, match="lies after now"):
        bookmark_json.from_json(plain, zone=UTC, now_ms=NOW)


@pytest.mark.parametrize(
    "text", ["2024-03-01T12:00:00", "2024-03-01T12:00:00Z", "2024-03-01T13:00:00+01:00"]
)
def test_a_plain_bookmark_counts_the_days_before_it_as_exported(text):
    content = {"replication_key": "time", "replication_key_value": text}
    bookmark = bookmark_json.from_json(content, zone=UTC, now_ms=NOW)
    assert bookmark.arrived_until == bookmark.value == 1_709_294_400_000
    assert bookmark.exported.last_day.isoformat() == "2024-02-29"

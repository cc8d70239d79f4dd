"""When a window is given up for smaller ones."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from tap_mixpanel_export import size_limit
from tap_mixpanel_export.arrival_sample import ArrivalSample
from tap_mixpanel_export.errors import (
    AbortedError,
    AttemptError,
    BrokenBodyError,
    CutOffError,
    ExportRefusedError,
    RateLimitedError,
    TimedOutError,
    WindowTooLargeError,
)
from tap_mixpanel_export.instants import end_of, start_of
from tap_mixpanel_export.size_limit import SizeLimit
from tap_mixpanel_export.sweep import ArrivalFilter
from tap_mixpanel_export.window_plan import PlannedWindow
from tap_mixpanel_export.windows import Window

UTC = ZoneInfo("UTC")
FIRST = date(2024, 3, 1)
WHOLE_DAY = PlannedWindow(
    Window(FIRST, FIRST), ArrivalFilter(None, end_of(FIRST, UTC)), was_exported=False
)
SLICE = WHOLE_DAY.slices(2, UTC)[0]
TWO_DAYS = replace(WHOLE_DAY, days=Window(FIRST, FIRST + timedelta(days=1)))
MINUTE = replace(SLICE, arrivals=ArrivalFilter(0, 60_000))


def answer(events=0, arrivals=()):
    sample = ArrivalSample()
    sample.add_all([*arrivals])
    return SimpleNamespace(events=events, arrivals=sample)


def assert_cut_after(tries, window, error):
    """So many attempts fail in this way before smaller windows are asked for."""
    limit = SizeLimit(window, UTC)
    for _ in range(tries - 1):
        limit.weigh(error)
    with pytest.raises(WindowTooLargeError, match=re.escape(f"({error})")) as caught:
        limit.weigh(error)
    assert caught.value.__cause__ is error


def assert_never_cut(window, error):
    limit = SizeLimit(window, UTC)
    for _ in range(20):
        limit.weigh(error)


@pytest.mark.parametrize("kind", [AbortedError, TimedOutError])
@pytest.mark.parametrize(("window", "tries"), [(TWO_DAYS, 1), (WHOLE_DAY, 2), (SLICE, 1)])
def test_what_fails_as_large_windows_do_is_cut_soon(kind, window, tries):
    assert_cut_after(tries, window, kind("too long"))


@pytest.mark.parametrize(("window", "tries"), [(TWO_DAYS, 4), (WHOLE_DAY, 4), (SLICE, 2)])
def test_what_is_cut_off_is_tried_several_times(window, tries):
    assert_cut_after(tries, window, CutOffError("cut"))


@pytest.mark.parametrize("kind", [AttemptError, RateLimitedError, BrokenBodyError])
@pytest.mark.parametrize("window", [TWO_DAYS, WHOLE_DAY, SLICE])
def test_what_has_other_reasons_is_never_cut(kind, window):
    assert_never_cut(window, kind("500"))


@pytest.mark.parametrize("kind", [AbortedError, TimedOutError, CutOffError])
def test_a_minute_is_never_cut(kind):
    assert_never_cut(MINUTE, kind("too long"))


def test_other_failures_between_do_not_count():
    limit = SizeLimit(WHOLE_DAY, UTC)
    limit.weigh(TimedOutError("late"))
    for _ in range(10):
        limit.weigh(AttemptError("500"))
    with pytest.raises(WindowTooLargeError, match=re.escape("window 2024-03-01 is too much")):
        limit.weigh(AbortedError("terminated early"))


@pytest.fixture
def small_aim(monkeypatch):
    monkeypatch.setattr(size_limit, "TOO_MANY_EVENTS", 100)


@pytest.mark.usefixtures("small_aim")
@pytest.mark.parametrize("window", [TWO_DAYS, WHOLE_DAY, SLICE])
def test_a_body_with_too_many_events_is_given_up_with_a_place_to_cut(window):
    limit = SizeLimit(window, UTC)
    begin = start_of(FIRST, UTC)
    limit.watch(answer(100, range(begin, begin + 101)))
    limit.check(10)
    limit.watch(answer(101, range(begin, begin + 101)))
    with pytest.raises(WindowTooLargeError, match="more than 100 events or 1 GiB") as caught:
        limit.check(10)
    assert caught.value.cut_after == begin + 80


def test_a_body_with_too_many_bytes_is_given_up():
    limit = SizeLimit(WHOLE_DAY, UTC)
    limit.watch(answer(5))
    limit.check(1 << 30)
    with pytest.raises(WindowTooLargeError) as caught:
        limit.check((1 << 30) + 1)
    assert caught.value.cut_after is None


@pytest.mark.usefixtures("small_aim")
def test_what_cannot_be_cut_comes_at_any_size():
    limit = SizeLimit(MINUTE, UTC)
    limit.watch(answer(10**9))
    limit.check(1 << 40)


@pytest.mark.usefixtures("small_aim")
@pytest.mark.parametrize("outside", [-1, 1])
def test_a_slice_that_brings_other_arrivals_is_refused_as_not_filtered(outside):
    late_slice = WHOLE_DAY.slices(3, UTC)[1]
    arrivals = late_slice.arrivals
    arrival = arrivals.arrived_after if outside < 0 else arrivals.arrived_until + outside
    limit = SizeLimit(late_slice, UTC)
    limit.watch(answer(101, [arrival] * 101))
    with pytest.raises(ExportRefusedError, match="does not apply the filter"):
        limit.check(10)


def test_a_failure_before_any_answer_has_no_middle():
    with pytest.raises(WindowTooLargeError) as caught:
        SizeLimit(TWO_DAYS, UTC).weigh(TimedOutError("late"))
    assert caught.value.cut_after is None

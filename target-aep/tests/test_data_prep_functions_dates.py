"""Functions of dates, beyond Adobe's examples."""

from __future__ import annotations

import pytest
from data_prep_calls import call
from target_aep.data_prep.evaluation import Evaluation
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.zoned_date_time import ZonedDateTime

DATE = call("date", "2019-03-05T14:07:09.045-08:00")


def test_the_moment_is_the_same_for_all_functions_of_a_record():
    ticks = iter(range(1_571_850_624_571_000_000, 1_571_850_624_571_000_000 * 2, 10**9))
    evaluation = Evaluation(clock=lambda: next(ticks))
    evaluation.begin_record()
    assert call("now", evaluation).text == "2019-10-23T17:10:24.571Z"
    assert call("timestamp", evaluation) == 1_571_850_624_571
    assert call("current_timestamp", evaluation) == 1_571_850_624_571
    assert call("current_date", evaluation) == "23-Oct-2019"
    evaluation.begin_record()
    assert call("timestamp", evaluation) == 1_571_850_625_571


def test_a_date_is_read_by_its_pattern():
    assert call("date", "05.03.19", "dd.MM.yy").text == "2019-03-05T00:00:00Z"
    assert call("date", "05.03.2019").text == "2019-03-05T00:00:00Z"
    assert call("date", 20190305).text == "2019-03-05T00:00:00Z"
    assert call("date", DATE, "yyyy") is DATE


def test_the_default_stands_in_for_null_only():
    assert call("date", None, "yyyy-MM-dd", DATE) is DATE
    assert call("date", None, None, "2019-03-05").text == "2019-03-05T00:00:00Z"
    assert call("date", None) is None
    with pytest.raises(EvaluationError, match="does not have the date pattern"):
        call("date", "", "yyyy-MM-dd", DATE)


@pytest.mark.parametrize("value", [True, 1.5, [], {}, 10**30])
def test_what_is_neither_text_nor_date_is_no_date(value):
    with pytest.raises(EvaluationError, match="date"):
        call("date", value)


def test_a_date_is_printed_in_its_own_zone():
    assert call("format", DATE, "yyyy-MM-dd HH:mm:ss.SSSZ") == "2019-03-05 14:07:09.045-0800"
    assert call("format", "2019-03-05", "dd/MM/yy") == "05/03/19"
    assert call("format", None, "yyyy") is None


def test_milliseconds_are_printed_in_utc():
    assert call("dformat", 1_571_829_875_000, "yyyy-MM-dd'T'HH:mm:ss.SSSX") == (
        "2019-10-23T11:24:35.000Z"
    )
    assert call("dformat", "0", "yyyy") == "1970"
    with pytest.raises(EvaluationError, match="years 1 to 9999"):
        call("dformat", 10**17, "yyyy")


@pytest.mark.parametrize(
    ("names", "number"),
    [
        ("year yyyy yy YYYY", 2019),
        ("quarter qq q", 1),
        ("month mm m MM", 3),
        ("dayofyear dy y", 64),
        ("day dd d", 5),
        ("week ww w", 10),
        ("weekday dw", 2),
        ("hour hh hh24", 14),
        ("hh12", 2),
        ("minute mi n", 7),
        ("second ss s", 9),
        ("millisecond SSS sss ms", 45),
    ],
)
def test_a_part_of_a_date_has_several_names(names, number):
    assert {call("date_part", name, DATE) for name in names.split()} == {number}


def test_a_part_that_a_date_does_not_have_is_refused():
    with pytest.raises(EvaluationError, match="COMPONENT is none of year, yyyy"):
        call("date_part", "century", DATE)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("yyyy", 2020, "2020-03-05T14:07:09.045-08:00"),
        ("MM", 12, "2019-12-05T14:07:09.045-08:00"),
        ("dd", 31, "2019-03-31T14:07:09.045-08:00"),
        ("hh", 0, "2019-03-05T00:07:09.045-08:00"),
        ("mi", 59, "2019-03-05T14:59:09.045-08:00"),
        ("s", 0, "2019-03-05T14:07:00.045-08:00"),
    ],
)
def test_a_part_of_a_date_is_replaced(name, value, text):
    assert call("set_date_part", name, value, DATE).text == text


def test_a_day_that_the_new_month_lacks_becomes_its_last_one():
    assert call("set_date_part", "m", 2, "2019-01-31").text == "2019-02-28T00:00:00Z"
    assert call("set_date_part", "m", 4, "2019-01-31").text == "2019-04-30T00:00:00Z"
    assert call("set_date_part", "yy", 2021, "2020-02-29").text == "2021-02-28T00:00:00Z"
    assert call("set_date_part", "m", 2, "2000-01-31").text == "2000-02-29T00:00:00Z"


def test_a_replaced_part_keeps_the_zone_and_not_the_offset():
    winter = call("make_date_time", 2019, 1, 5, 12, 0, 0, 0, "Europe/Paris")
    assert call("set_date_part", "m", 7, winter).text == "2019-07-05T12:00:00+02:00"


@pytest.mark.parametrize(
    ("name", "value"), [("m", 13), ("m", 0), ("dd", 32), ("hh", 24), ("yyyy", 0), ("yyyy", 10**6)]
)
def test_a_part_out_of_its_range_is_refused(name, value):
    with pytest.raises(EvaluationError, match="VALUE is not a"):
        call("set_date_part", name, value, DATE)


def test_a_date_is_made_of_its_parts():
    made = call("make_timestamp", 2019, 10, 17, 11, 55, 12, 999, "America/Los_Angeles")
    assert made == call("make_date_time", 2019, 10, 17, 11, 55, 12, 999, "PST")
    assert made.zoned_text == "2019-10-17T11:55:12.000000999-07:00[America/Los_Angeles]"
    assert call("make_date_time", 2019, 10, None, 11, 55, 12, 999, "UTC") is None


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((2019, 2, 30, 0, 0, 0, 0, "UTC"), "day is out of range"),
        ((2019, 1, 1, 24, 0, 0, 0, "UTC"), "hour must be"),
        ((2019, 1, 1, 0, 0, 0, 10**9, "UTC"), "NANOSECOND is not between"),
        ((2019, 1, 1, 0, 0, 0, 0, "Mars"), '"Mars" is not a time zone'),
        ((10**12, 1, 1, 0, 0, 0, 0, "UTC"), "make_date_time"),
        (("x", 1, 1, 0, 0, 0, 0, "UTC"), "YEAR is a text that is no integer"),
    ],
)
def test_parts_that_make_no_date_are_refused(parts, reason):
    with pytest.raises(EvaluationError, match=reason):
        call("make_date_time", *parts)


def test_a_date_is_seen_from_other_zones():
    assert call("zone_date_to_utc", DATE).text == "2019-03-05T22:07:09.045Z"
    assert call("zone_date_to_zone", DATE, "Europe/Paris").zoned_text == (
        "2019-03-05T23:07:09.045+01:00[Europe/Paris]"
    )
    assert isinstance(call("zone_date_to_zone", "2019-03-05", "EST"), ZonedDateTime)
    with pytest.raises(EvaluationError, match="not a date in a spelling"):
        call("zone_date_to_utc", "today")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("date", ["SECRET of a record"]),
        ("date", ["SECRET of a record", "yyyy"]),
        ("zone_date_to_zone", [DATE, "SECRET of a record"]),
        ("format", ["SECRET of a record", "yyyy"]),
    ],
)
def test_a_reason_does_not_repeat_the_record(name, arguments):
    with pytest.raises(EvaluationError) as caught:
        call(name, *arguments)
    assert "SECRET" not in caught.value.reason

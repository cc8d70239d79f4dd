"""Dates with a zone, zones by their ids, and the spellings that need no pattern."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from data_prep_values import dates, texts, zones
from hypothesis import given
from target_aep.data_prep.automatic_dates import (
    ADOBE_PATTERNS,
    FURTHER_PATTERNS,
    parse_automatically,
)
from target_aep.data_prep.date_patterns import date_pattern
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.time_zones import SHORT_IDS, zone_in_text, zone_of
from target_aep.data_prep.zoned_date_time import ZonedDateTime

PARIS = zone_of("Europe/Paris")


def paris(*parts):
    return ZonedDateTime.of_local(datetime(*parts), PARIS)  # noqa: DTZ001


def test_a_date_knows_its_moment_and_its_texts():
    date = ZonedDateTime.of_local(
        datetime(2019, 10, 17, 11, 55, 12),  # noqa: DTZ001
        zone_of("America/Los_Angeles"),
        999,
    )
    assert date.text == str(date) == "2019-10-17T11:55:12.000000999-07:00"
    assert date.zoned_text == "2019-10-17T11:55:12.000000999-07:00[America/Los_Angeles]"
    assert date.moment == datetime(2019, 10, 17, 18, 55, 12, tzinfo=timezone.utc)
    assert date.epoch_milliseconds == 1_571_338_512_000
    assert date.in_zone(zone_of("UTC")).zoned_text == "2019-10-17T18:55:12.000000999Z[UTC]"


def test_a_fraction_is_printed_as_far_as_it_goes():
    assert ZonedDateTime.of_epoch_milliseconds(1120).text == "1970-01-01T00:00:01.12Z"
    assert ZonedDateTime.of_epoch_milliseconds(-1).text == "1969-12-31T23:59:59.999Z"


def test_dates_are_equal_and_ordered_as_their_instants():
    early = ZonedDateTime.of_epoch_milliseconds(0)
    same = ZonedDateTime.of_epoch_milliseconds(0, PARIS)
    late = ZonedDateTime(early.moment_of_second, 1)
    assert early == same
    assert len({early, same, late}) == 2
    assert early < late
    assert late >= same
    assert early != "1970-01-01T00:00:00Z"
    with pytest.raises(TypeError):
        assert early < 0


def test_an_hour_that_a_zone_skips_is_the_one_after_it():
    assert paris(2021, 3, 28, 2, 30).text == "2021-03-28T03:30:00+02:00"


def test_of_an_hour_that_a_zone_has_twice_the_first_is_meant():
    assert paris(2021, 10, 31, 2, 30).text == "2021-10-31T02:30:00+02:00"


@pytest.mark.parametrize("milliseconds", [10**15, -(10**15), 10**30, -(10**30)])
def test_a_date_outside_the_years_1_to_9999_is_refused(milliseconds):
    with pytest.raises(EvaluationError, match="years 1 to 9999"):
        ZonedDateTime.of_epoch_milliseconds(milliseconds)


def test_a_date_may_leave_the_years_in_another_zone():
    first = ZonedDateTime.of_local(datetime(1, 1, 1), timezone.utc)  # noqa: DTZ001
    with pytest.raises(EvaluationError, match="years 1 to 9999"):
        first.in_zone(timezone(timedelta(hours=-1)))
    with pytest.raises(EvaluationError, match="years 1 to 9999"):
        ZonedDateTime.of_local(datetime(1, 1, 1), timezone(timedelta(hours=1)))  # noqa: DTZ001


@given(dates, zones)
def test_another_zone_is_the_same_instant(date, zone):
    try:
        moved = date.in_zone(zone)
    except EvaluationError:
        return
    assert moved == date
    assert moved.epoch_milliseconds == date.epoch_milliseconds


@given(dates)
def test_a_date_is_read_again_from_both_of_its_texts(date):
    if date.offset_seconds % 60 == 0:
        assert parse_automatically(date.text) == date
        assert parse_automatically(date.zoned_text).zoned_text == date.zoned_text


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("Z", 0),
        ("UTC", 0),
        ("GMT", 0),
        ("+2", 2),
        ("+02", 2),
        ("+0200", 2),
        ("-02:00", -2),
        ("+02:00:00", 2),
        ("UTC+2", 2),
        ("GMT-08:00", -8),
        ("PST", -7),
        ("EST", -5),
        ("IST", 5.5),
        ("Europe/Paris", 2),
    ],
)
def test_a_zone_has_an_id(name, offset):
    summer = ZonedDateTime.of_epoch_milliseconds(1_561_939_200_000, zone_of(name))
    assert summer.offset_seconds == offset * 3600


def test_every_short_id_is_a_zone():
    assert len(SHORT_IDS) == 28
    assert all(zone_of(name) for name in SHORT_IDS)


def test_an_abbreviation_in_a_text_is_an_offset():
    assert zone_in_text("PST") == timezone(timedelta(hours=-8))
    assert zone_in_text("cest") == timezone(timedelta(hours=2))
    assert zone_in_text("Europe/Paris") == PARIS


@pytest.mark.parametrize(
    "name",
    ["", "Mars", "America", "../etc/passwd", "/etc/passwd", ".", "\0", "x" * 300, "+19", "+02:60"],
)
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(EvaluationError, match="is not a time zone"):
        zone_of(name)


@given(texts)
def test_any_text_is_a_zone_or_refused(text):
    try:
        zone_in_text(text)
    except EvaluationError as error:
        assert "time zone" in error.reason  # noqa: PT017 - hardly any text is a zone


AUTOMATIC = [
    ("yyyy-MM-dd HH:mm:ssZ", "2019-10-23 11:24:35+0200", "2019-10-23T11:24:35+02:00"),
    ("yyyy-MM-dd HH:mm:ss.SSSZ", "2019-10-23 11:24:35.120-0800", "2019-10-23T11:24:35.12-08:00"),
    ("yyyy-MM-dd HH:mm:ss.SSS", "2019-10-23 11:24:35.120", "2019-10-23T11:24:35.12Z"),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2019-10-23T11:24:35.120+02", "2019-10-23T11:24:35.12+02:00"),
    ("yyyy-MM-dd'T'HH:mm:ss'Z'", "2019-10-23T11:24:35Z", "2019-10-23T11:24:35Z"),
    ("yyyy-MM-dd", "2019-10-23", "2019-10-23T00:00:00Z"),
    ("yyyy/MM/dd", "2019/10/23", "2019-10-23T00:00:00Z"),
    ("yyyy.MM.dd", "2019.10.23", "2019-10-23T00:00:00Z"),
    ("yyyy-MMM-dd", "2019-Oct-23", "2019-10-23T00:00:00Z"),
    ("yyyyMMdd", "20191023", "2019-10-23T00:00:00Z"),
    ("MM-dd-yyyy", "10-23-2019", "2019-10-23T00:00:00Z"),
    ("MMddyyyy", "10232019", "2019-10-23T00:00:00Z"),
    ("M/dd/yyyy", "1/23/2019", "2019-01-23T00:00:00Z"),
    ("dd.M.yyyy", "23.1.2019", "2019-01-23T00:00:00Z"),
    ("M/dd/yyyy hh:mm:ss a", "1/23/2019 11:24:35 PM", "2019-01-23T23:24:35Z"),
    ("dd.M.yyyy hh:mm:ss a", "23.1.2019 11:24:35 AM", "2019-01-23T11:24:35Z"),
    ("dd.MMM.yyyy", "23.Oct.2019", "2019-10-23T00:00:00Z"),
    ("dd-MMM-yyyy", "23-Oct-2019", "2019-10-23T00:00:00Z"),
]


@pytest.mark.parametrize(("pattern", "text", "date"), AUTOMATIC)
def test_a_pattern_of_adobes_list_is_tried(pattern, text, date):
    assert pattern in ADOBE_PATTERNS
    assert date_pattern(pattern).parse(text).text == date
    assert parse_automatically(text).text == date


def test_all_18_patterns_are_in_adobes_order():
    assert tuple(pattern for pattern, _, _ in AUTOMATIC) == ADOBE_PATTERNS
    assert len(ADOBE_PATTERNS) == 18
    assert not set(ADOBE_PATTERNS) & set(FURTHER_PATTERNS)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2019-10-23 11:24", "2019-10-23T11:24:00Z"),
        ("2019-10-17 11:55:12", "2019-10-17T11:55:12Z"),
        ("2016-11-09T11:44:44.797", "2016-11-09T11:44:44.797Z"),
        ("2016-11-09T11:44:44,797123456+0100", "2016-11-09T11:44:44.797123456+01:00"),
        ("2016-11-09T11:44-08:00", "2016-11-09T11:44:00-08:00"),
        ("23-Oct-2019 11:24", "2019-10-23T11:24:00Z"),
        ("23-Oct-2019 11:24:35", "2019-10-23T11:24:35Z"),
        ("1/23/2019 23:24", "2019-01-23T23:24:00Z"),
    ],
)
def test_spellings_that_adobes_examples_show_are_tried_too(text, date):
    assert parse_automatically(text).text == date


def test_eight_digits_begin_with_the_year_only_where_that_is_a_date():
    assert parse_automatically("12112020").text == "2020-12-11T00:00:00Z"
    assert parse_automatically("11122020").text == "2020-11-12T00:00:00Z"
    assert parse_automatically("20201112").text == "2020-11-12T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    ["", " ", "today", "2019-02-30", "31-12-2019", "2019-10-23T25:00:00Z", "December 31st, 2020"],
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(EvaluationError, match="not a date in a spelling"):
        parse_automatically(text)

"""Pattern letters of dates, one by one, printed and read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from data_prep_values import dates
from hypothesis import given, settings
from hypothesis import strategies as st
from target_aep.data_prep.date_pattern_syntax import LETTERS
from target_aep.data_prep.date_patterns import date_pattern
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.time_zones import zone_of
from target_aep.data_prep.zoned_date_time import ZonedDateTime


def at(*parts, zone="UTC", nanosecond=0):
    return ZonedDateTime.of_local(datetime(*parts), zone_of(zone), nanosecond)  # noqa: DTZ001


AFTERNOON = at(2019, 3, 5, 14, 7, 9, zone="America/Los_Angeles", nanosecond=45_000_678)
MIDNIGHT = at(2021, 1, 1, zone="Z")
IN_INDIA = at(987, 12, 31, 12, 30, zone="+05:30")

PRINTED = [
    (AFTERNOON, "G GG GGG GGGG GGGGG", "AD AD AD Anno Domini A"),
    (AFTERNOON, "y yy yyyy yyyyy", "2019 19 2019 02019"),
    (IN_INDIA, "y yy yyyy", "987 87 0987"),
    (MIDNIGHT, "Y YYYY w ww W", "2020 2020 53 53 0"),
    (AFTERNOON, "Y w W", "2019 10 1"),
    (AFTERNOON, "M MM MMM MMMM MMMMM", "3 03 Mar March M"),
    (AFTERNOON, "L LL LLL LLLL", "3 03 Mar March"),
    (AFTERNOON, "D DDD d dd F", "64 064 5 05 1"),
    (IN_INDIA, "D d F", "365 31 5"),
    (AFTERNOON, "E EEE EEEE EEEEE u uu", "Tue Tue Tuesday T 2 02"),
    (AFTERNOON, "a h hh K KK H HH k kk", "PM 2 02 2 02 14 14 14 14"),
    (MIDNIGHT, "a h K H k", "AM 12 0 0 24"),
    (IN_INDIA, "a h K H k", "PM 12 0 12 12"),
    (AFTERNOON, "m mm s ss", "7 07 9 09"),
    (AFTERNOON, "S SS SSS SSSS SSSSSS SSSSSSSSS", "45 45 045 0450 045000 045000678"),
    (AFTERNOON, "Q QQ QQQ QQQQ q", "1 01 Q1 1st quarter 1"),
    (AFTERNOON, "z zzz VV", "PST PST America/Los_Angeles"),
    (MIDNIGHT, "z VV", "Z Z"),
    (IN_INDIA, "z VV", "+05:30 +05:30"),
    (AFTERNOON, "Z ZZZ ZZZZ ZZZZZ", "-0800 -0800 GMT-08:00 -08:00"),
    (MIDNIGHT, "Z ZZZZ ZZZZZ", "+0000 GMT Z"),
    (AFTERNOON, "X XX XXX XXXX XXXXX", "-08 -0800 -08:00 -0800 -08:00"),
    (MIDNIGHT, "X XX XXX", "Z Z Z"),
    (IN_INDIA, "X XX XXX", "+0530 +0530 +05:30"),
    (MIDNIGHT, "x xx xxx", "+00 +0000 +00:00"),
    (IN_INDIA, "x xx xxx", "+0530 +0530 +05:30"),
    (AFTERNOON, "O OOOO", "GMT-8 GMT-08:00"),
    (MIDNIGHT, "O OOOO", "GMT GMT"),
    (IN_INDIA, "O OOOO", "GMT+5:30 GMT+05:30"),
    (AFTERNOON, "'at' h 'o''clock' ''", "at 2 o'clock '"),
    (AFTERNOON, "yyyy[-MM]", "2019-03"),
    (AFTERNOON, "yyyy年", "2019年"),
]


@pytest.mark.parametrize(("date", "pattern", "text"), PRINTED)
def test_a_letter_prints(date, pattern, text):
    assert date_pattern(pattern).format(date) == text


def test_every_letter_is_printed_above():
    shown = {char for _, pattern, _ in PRINTED for char in pattern}
    assert shown >= LETTERS


READ = [
    ("yyyy-MM-dd", "2019-03-05", "2019-03-05T00:00:00Z"),
    ("y-M-d", "2019-3-5", "2019-03-05T00:00:00Z"),
    ("yy/M/d", "70/3/5", "2070-03-05T00:00:00Z"),
    ("d MMM yyyy", "5 mar 2019", "2019-03-05T00:00:00Z"),
    ("d MMM yyyy", "5 Sept 2019", "2019-09-05T00:00:00Z"),
    ("MMMM d, y G", "March 5, 2019 AD", "2019-03-05T00:00:00Z"),
    ("LL.yyyy", "03.2019", "2019-03-01T00:00:00Z"),
    ("yyyy", "2019", "2019-01-01T00:00:00Z"),
    ("yyyyDDD", "2019064", "2019-03-05T00:00:00Z"),
    ("yyyyMMddHHmmssSSS", "20190305140709045", "2019-03-05T14:07:09.045Z"),
    ("YYYY-'W'ww-u", "2019-W10-2", "2019-03-05T00:00:00Z"),
    ("YYYY ww E", "2019 10 Tue", "2019-03-05T00:00:00Z"),
    ("EEE, dd MMM yyyy", "Tue, 05 Mar 2019", "2019-03-05T00:00:00Z"),
    ("EEEE yyyy-MM-dd", "tuesday 2019-03-05", "2019-03-05T00:00:00Z"),
    ("yyyy-MM-dd W F QQQ", "2019-03-05 1 1 Q1", "2019-03-05T00:00:00Z"),
    ("yyyy-MM-dd qq", "2019-03-05 01", "2019-03-05T00:00:00Z"),
    ("yyyy QQQQ", "2019 1st quarter", "2019-01-01T00:00:00Z"),
    ("yyyy-MM-dd hh:mm a", "2019-03-05 12:07 am", "2019-03-05T00:07:00Z"),
    ("yyyy-MM-dd hh:mm a", "2019-03-05 12:07 PM", "2019-03-05T12:07:00Z"),
    ("yyyy-MM-dd KK:mm a", "2019-03-05 02:07 PM", "2019-03-05T14:07:00Z"),
    ("yyyy-MM-dd kk:mm", "2019-03-05 24:07", "2019-03-05T00:07:00Z"),
    ("yyyy-MM-dd hh:mm", "2019-03-05 02:07", "2019-03-05T02:07:00Z"),
    ("yyyy-MM-dd HH:mm a", "2019-03-05 14:07 PM", "2019-03-05T14:07:00Z"),
    ("yyyy-MM-dd HH:mm:ss.S", "2019-03-05 14:07:09.7", "2019-03-05T14:07:09.007Z"),
    ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2019-03-05 14:07:09.000001", "2019-03-05T14:07:09.000001Z"),
    ("yyyy-MM-ddX", "2019-03-05Z", "2019-03-05T00:00:00Z"),
    ("yyyy-MM-ddX", "2019-03-05+05", "2019-03-05T00:00:00+05:00"),
    ("yyyy-MM-ddXXX", "2019-03-05-08:00", "2019-03-05T00:00:00-08:00"),
    ("yyyy-MM-dd x", "2019-03-05 +0530", "2019-03-05T00:00:00+05:30"),
    ("yyyy-MM-dd Z", "2019-03-05 -0800", "2019-03-05T00:00:00-08:00"),
    ("yyyy-MM-dd ZZZZ", "2019-03-05 GMT-08:00", "2019-03-05T00:00:00-08:00"),
    ("yyyy-MM-dd O", "2019-03-05 GMT+1", "2019-03-05T00:00:00+01:00"),
    ("yyyy-MM-dd O", "2019-03-05 GMT", "2019-03-05T00:00:00Z"),
    ("yyyy-MM-dd z", "2019-07-05 PST", "2019-07-05T00:00:00-08:00"),
    ("yyyy-MM-dd z", "2019-07-05 PDT", "2019-07-05T00:00:00-07:00"),
    ("yyyy-MM-dd z", "2019-07-05 UTC", "2019-07-05T00:00:00Z"),
    ("yyyy-MM-dd VV", "2019-07-05 Europe/Paris", "2019-07-05T00:00:00+02:00"),
    ("yyyy-MM-dd HH[:mm]", "2019-07-05 12", "2019-07-05T12:00:00Z"),
    ("yyyy-MM-dd HH[:mm]", "2019-07-05 12:34", "2019-07-05T12:34:00Z"),
    ("yyyy-MM-dd'T'HH'h'", "2019-07-05t12h", "2019-07-05T12:00:00Z"),
]


@pytest.mark.parametrize(("pattern", "text", "date"), READ)
def test_a_letter_is_read(pattern, text, date):
    assert date_pattern(pattern).parse(text).text == date


def test_every_letter_is_read_above():
    shown = {char for pattern, _, _ in READ for char in pattern}
    assert shown >= LETTERS


@pytest.mark.parametrize(
    ("pattern", "text", "reason"),
    [
        ("yyyy-MM-dd", "2019-3-05", "does not have the date pattern"),
        ("yyyy-MM-dd", "19-03-05", "does not have the date pattern"),
        ("yyyy-MM-dd", " 2019-03-05", "does not have the date pattern"),
        ("yyyy-MM-dd", "2019-03-05x", "does not have the date pattern"),
        ("yyyy-MM-dd", "٢٠١٩-03-05", "does not have the date pattern"),
        ("yyyy-MM-dd", "2019-02-29", "not a date: day is out of range"),
        ("yyyy-MM-dd", "2019-13-01", "not a date: month must be"),
        ("yyyy-MM-dd", "0000-01-01", "not a date: year"),
        ("yyyy-MM-dd G", "2019-03-05 BC", "before the year 1"),
        ("yyyyDDD", "2019366", "contradicts"),
        ("YYYY ww", "2019 53", "not a date"),
        ("YYYY-MM-dd", "2019-03-05", '"Y" is the year of a week'),
        ("dd.MM.", "05.03.", "no year"),
        ("yyyy-MM-dd E", "2019-03-05 Wed", 'stands for "E" contradicts'),
        ("yyyy-MM-dd QQQ", "2019-03-05 Q2", 'stands for "Q" contradicts'),
        ("yyyy-MM-dd HH:mm", "2019-03-05 24:00", "not an hour"),
        ("yyyy-MM-dd HH:mm", "2019-03-05 23:60", "not a time: minute"),
        ("yyyy-MM-dd HH:mm:ss", "2019-03-05 23:59:60", "not a time: second"),
        ("yyyy-MM-dd hh:mm a", "2019-03-05 13:00 PM", "not an hour"),
        ("yyyy-MM-dd kk", "2019-03-05 00", "not an hour"),
        ("yyyy-MM-dd HH a", "2019-03-05 13 AM", "contradicts AM or PM"),
        ("yyyy-MM-dd VV", "2019-03-05 Mars/Base", '"Mars/Base" is not a time zone'),
        ("yyyy-MM-ddXXX", "2019-03-05+19:00", "is not a time zone"),
        ("yyyy-MM-ddXXX", "0001-01-01+10:00", "outside the years 1 to 9999"),
        ("yyyy-MM-dd HH XXX", "9999-12-31 23 -10:00", "outside the years 1 to 9999"),
        ("yyyy yyyy", "2019 2019", 'has "y" twice'),
        ("yyyy MM LL", "2019 01 01", 'has "M" twice'),
    ],
)
def test_a_text_that_is_no_date_says_why(pattern, text, reason):
    with pytest.raises(EvaluationError, match=reason):
        date_pattern(pattern).parse(text)


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("yyyy-bb", '"bb"'),
        ("yyyy 'x", '"\'"'),
        ("yyyy]", '"]"'),
        ("yyyy[-MM", '"\\["'),
        ("yyyy" + "[ ]" * 9, '"\\["'),
        ("yyyy#", '"#"'),
        ("{yyyy}", '"{"'),
        ("y" * 20, '"y{20}"'),
        ("-" * 300, "over 256"),
    ],
)
def test_a_pattern_that_means_nothing_is_refused(pattern, part):
    with pytest.raises(EvaluationError, match=part):
        date_pattern(pattern)


def test_the_full_name_of_a_zone_can_not_be_printed():
    with pytest.raises(EvaluationError, match="full name of a time zone"):
        date_pattern("zzzz").format(AFTERNOON)


@pytest.mark.parametrize(
    "pattern",
    [
        "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSXXXXX",
        "EEEE, d MMMM yyyy h:mm:ss a SSSSSSSSS O",
        "yyyyDDDHHmmssSSSSSSSSSZ",
        "YYYY 'week' w u KK:mm:ss SSSSSSSSS a XXX",
        "dd.MM.yyyy kk:mm:ss,SSSSSSSSS ZZZZ",
    ],
)
@given(date=dates)
def test_a_printed_date_is_read_again(pattern, date):
    if date.offset_seconds % 60 == 0:  # zones before 1900 have seconds
        assert date_pattern(pattern).parse(date_pattern(pattern).format(date)) == date


@given(dates)
def test_a_date_is_read_again_in_its_zone(date):
    pattern = date_pattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSXXXXX'['VV']'")
    if date.offset_seconds % 60 == 0:
        again = pattern.parse(pattern.format(date))
        assert (again, again.text) == (date, date.text)


@settings(max_examples=500)
@given(
    st.text(st.sampled_from("yyyyMMddHHmmssSSSaEGZXzVOYwWFuDkKhqQL'[]-/: .#{}T"), max_size=24),
    st.text(st.sampled_from("0123456789-/:. TZ+AMPMarch"), max_size=24),
    dates,
)
def test_any_text_is_a_pattern_or_refused(pattern, text, date):
    try:
        parsed = date_pattern(pattern)
        parsed.format(date)
        parsed.parse(text)
    except EvaluationError as error:
        assert error.reason  # noqa: PT017 - most random patterns are refused


def test_an_offset_of_any_minute_is_printed_and_read():
    for minutes in range(-1080, 1081, 7):
        zone = timezone(timedelta(minutes=minutes))
        date = ZonedDateTime.of_epoch_milliseconds(0, zone)
        for pattern in ("yyyy-MM-dd HH:mm XXX", "yyyy-MM-dd HH:mm Z", "yyyy-MM-dd HH:mm O"):
            again = date_pattern(pattern).parse(date_pattern(pattern).format(date))
            assert (again, again.offset_seconds) == (date, minutes * 60)

"""Values of every kind that an expression can meet, for hypothesis."""

from __future__ import annotations

from datetime import timedelta, timezone
from decimal import Decimal

from hypothesis import strategies as st
from target_aep.data_prep.time_zones import zone_of
from target_aep.data_prep.zoned_date_time import ZonedDateTime

ZONES = ["Europe/Paris", "America/Los_Angeles", "UTC", "Asia/Kolkata", "-18:00", "+05:30"]

zones = st.sampled_from(ZONES).map(zone_of) | st.integers(-1080, 1080).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)

# All that Unicode has, halves of surrogate pairs and characters beyond 16 bits included.
texts = st.text(st.characters(), max_size=20) | st.text("😀ab,;:|=%\ud83d é", max_size=12)

dates = st.builds(
    lambda milliseconds, nanosecond, zone: ZonedDateTime(
        ZonedDateTime.of_epoch_milliseconds(milliseconds, zone).moment_of_second, nanosecond
    ),
    st.integers(-62_000_000_000_000, 253_000_000_000_000),
    st.integers(0, 999_999_999),
    zones,
)

# What functions look for in texts, so that some arguments are good ones.
telling_texts = st.sampled_from(
    [
        "2019-10-23",
        "2019-10-23T11:24:00.123+02:00",
        "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "EEEE dd MMMM yyyy GGGG Q w W D F u k K h a z VV OOOO",
        "America/Los_Angeles",
        "month",
        "m",
        "UTF-16",
        "US-ASCII",
        "sha256",
        "append",
        "https://user@example.com:80/a/b?c=d&e#f",
        "%41%zz+",
        "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0 Safari/537.36",
        "event1=2:3|event2,event3",
        ";a;1;2.5;event1=2:3|event2;eVar1=x",
        '{"a": [1, 2.5, {"b": null}]}',
        "(a+)+$",
        "([^,]+),[^,]*",
        "\\",
        "[",
        "1e999999999",
        "-0",
        " 12 ",
        "a" * 5000,
        "\ud800",
    ]
)

numbers = (
    st.integers()
    | st.sampled_from([10**400, -(10**4200), 2**31, 2**63])
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=True)
    | st.sampled_from([Decimal("1E+999999"), Decimal("-1E-999999"), Decimal("NaN")])
)

scalars = st.none() | st.booleans() | numbers | texts | telling_texts | dates

values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def nested(depth):
    """A list in a list, so many times."""
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def nested_objects(depth):
    """An object in an object, so many times."""
    value: dict = {}
    for _ in range(depth):
        value = {"a": value}
    return value

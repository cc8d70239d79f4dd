"""Property names as XDM names: valid, unique ignoring case, never a matter of order."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from target_aep.field_names import matching_field, sanitized, suffixed, unique_names

VALID = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
NAMES = st.text(max_size=20) | st.sampled_from(
    ["City", "city", "$city", "CITY", "Plan Name", "plan-name", "plan_name", "1st", "_", "$", ""]
)


@given(NAMES)
def test_names_are_valid(raw):
    assert VALID.fullmatch(sanitized(raw))
    assert VALID.fullmatch(suffixed(raw))


@given(st.lists(NAMES, unique=True), st.randoms())
def test_names_are_unique_ignoring_case_in_any_order(raws, random):
    names = unique_names(raws)
    assert len({name.lower() for name in names.values()}) == len(raws)
    shuffled = list(raws)
    random.shuffle(shuffled)
    assert unique_names(shuffled) == names


def test_the_property_spelled_like_the_name_keeps_it():
    names = unique_names(["$city", "City", "city"])
    assert names["City"] == "City"
    assert names["city"].startswith("city_")
    assert names["$city"].startswith("city_")


@given(st.lists(NAMES, unique=True, min_size=1))
def test_every_property_finds_the_field_made_for_it(raws):
    names = unique_names(raws)
    fields = set(names.values())
    assert {raw: matching_field(raw, fields) for raw in raws} == names


def test_a_property_without_a_field_finds_none():
    assert matching_field("City", {"city"}) is None
    assert matching_field("$referring_domain", {"referring_domain"}) == "referring_domain"

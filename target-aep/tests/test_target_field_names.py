"""Property names as XDM names: valid, and never a matter of order."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.mapping.field_names import matching_field, sanitized, suffixed

VALID = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
NAMES = st.text(max_size=20) | st.sampled_from(
    ["City", "city", "$city", "CITY", "Plan Name", "plan-name", "plan_name", "1st", "_", "$", ""]
)


@given(NAMES)
def test_names_are_valid(raw):
    plain = sanitized(raw)
    assert plain is None or VALID.fullmatch(plain)
    assert VALID.fullmatch(suffixed(raw))


@given(NAMES)
def test_a_property_finds_the_field_made_for_it(raw):
    assert matching_field(raw, {suffixed(raw), sanitized(raw), raw}) == suffixed(raw)


def test_a_property_without_a_field_finds_none():
    assert matching_field("City", {"city"}) is None
    assert matching_field("$referring_domain", {"referring_domain"}) == "referring_domain"


@pytest.mark.parametrize("raw", ["日本", "$", "--", ""])
def test_a_name_without_letters_has_only_its_suffixed_field(raw):
    assert matching_field(raw, {"property"}) is None
    assert matching_field(raw, {"property", suffixed(raw)}) == suffixed(raw)

"""Names of columns: valid, unique, the same for any order, never changed by what comes later."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.discovery.column_names import LONGEST_NAME, column_names, possible_names
from tap_mixpanel_export.events_schema import SCHEMA

FIXED = frozenset(SCHEMA["properties"])
VALID = re.compile(r"[a-z][a-z0-9_]*")

# Names that meet: few letters, case variants, Mixpanel's prefixes, what is replaced.
MEETING = st.text(alphabet="aB1_ $.-é", max_size=4)
TELLING = st.sampled_from(
    ["$city", "city", "City", "mp_city", "time", "Time", "$time", "event_id", "n_1", "1", "$", ""]
)
PROPERTIES = st.sets(st.one_of(MEETING, TELLING, st.text(max_size=80)), max_size=12)


def named(properties, known=None):
    return column_names(properties, known=known or {}, reserved=FIXED)


@pytest.mark.parametrize(
    ("raw", "column"),
    [
        ("$browser", "mp_browser"),
        ("mp_lib", "mp_lib"),
        ("Plan Name", "plan_name"),
        ("sign-up source", "sign_up_source"),
        ("experiment.variant", "experiment_variant"),
        ("sourceAmount", "sourceamount"),
        ("_private__x_", "private_x"),
        ("2fa", "n_2fa"),
        ("$2fa", "mp_2fa"),
        ("Größe", "gr_e"),
    ],
)
def test_a_name_without_rivals_is_the_closest_valid_one(raw, column):
    assert named([raw]) == {raw: column}


@pytest.mark.parametrize(
    ("raw", "beginning"),
    [("time", "time"), ("Event ID", "event_id"), ("価格", "property"), ("$", "property")],
)
def test_a_name_that_is_taken_or_has_no_letter_gets_a_suffix(raw, beginning):
    assert re.fullmatch(f"{beginning}_[0-9a-f]{{8}}", named([raw])[raw])


def test_of_several_that_meet_each_has_a_suffix_that_the_others_do_not_change():
    two, three = named(["City!", "City"]), named(["City!", "City", "CITY"])
    assert {name[:5] for name in three.values()} == {"city_"}
    assert two.items() <= three.items()


def test_a_valid_name_is_kept_whatever_it_meets():
    names = named(["city", "City", "mp_lib", "$lib"])
    assert (names["city"], names["mp_lib"]) == ("city", "mp_lib")
    assert names["City"].startswith("city_")
    assert names["$lib"].startswith("mp_lib_")
    assert named(["city"], known={"City": "city"})["city"] != "city"


@given(PROPERTIES, PROPERTIES)
def test_a_column_tells_what_it_may_have_been_made_for(properties, before):
    for raw, column in named(properties, known=named(before)).items():
        assert column in possible_names(raw)


def test_a_long_name_is_cut_and_stays_unique():
    names = named(["x" * 200, "x" * 201])
    assert len(set(names.values())) == 2
    assert max(len(name) for name in names.values()) == LONGEST_NAME


@given(PROPERTIES, st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_order(properties, random):
    shuffled = [*properties]
    random.shuffle(shuffled)
    assert named(shuffled) == named(sorted(properties))


@given(PROPERTIES)
def test_names_are_valid_and_unique(properties):
    names = named(properties)
    assert names.keys() == properties
    assert len({*names.values()} | FIXED) == len(properties) + len(FIXED)
    for name in names.values():
        assert VALID.fullmatch(name)
        assert len(name) <= LONGEST_NAME


@given(PROPERTIES, PROPERTIES, PROPERTIES)
def test_what_comes_later_changes_no_name(first, second, third):
    names = named(first)
    later = named(second, known=names)
    last = named(third | second, known=later)
    assert names.items() <= later.items() <= last.items()
    assert len({*last.values()}) == len(first | second | third)

"""The identityMap and the limits of the Identity Service."""

from __future__ import annotations

from collections import Counter

import pytest
from target_aep.errors import TargetError
from target_aep.mapping.identities import DEFAULT_IDENTITIES, identity_map, parse_identities


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("u1", True), (7, True), ("", False), ("anonymous", False), ("NULL", False),
        ("invalid", False), (" ", False), ("x" * 1024, True), ("x" * 1025, False),
        (None, False), (True, False), ({"a": 1}, False),
    ],
)  # fmt: skip
def test_identities_obey_the_limits(value, kept):
    left_out = Counter()
    identities = parse_identities(DEFAULT_IDENTITIES)
    found = identity_map({"distinct_id": value, "properties": {}}, identities, left_out)
    assert bool(found) is kept
    if kept:
        assert found["MixpanelDistinctID"][0]["id"] == str(value)


@pytest.mark.parametrize("order", [1, -1])
def test_equal_identities_become_one_with_the_stronger_claims(order):
    setting = [
        {"field": "user_id", "namespace": "N", "authenticated_state": "authenticated"},
        {"field": "distinct_id", "namespace": "N", "primary": True},
        {"field": "other", "namespace": "N", "authenticated_state": "loggedOut"},
    ][::order]
    record = {"user_id": "a", "distinct_id": "a", "other": "a"}
    assert identity_map(record, parse_identities(setting), Counter()) == {
        "N": [{"id": "a", "authenticatedState": "authenticated", "primary": True}]
    }


def test_an_ecid_has_38_digits():
    identities = parse_identities([{"field": "ecid", "namespace": "ECID"}])
    left_out = Counter()
    assert identity_map({"ecid": "1" * 38}, identities, left_out)
    assert not identity_map({"ecid": "1" * 37}, identities, left_out)
    assert left_out == Counter(ECID=1)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ([{"field": "a"}], "identities: entry 1"),
        ([{"field": "a[", "namespace": "X"}], "identities: entry 1: path 'a\\['"),
        ([{"field": "a", "namespace": "X", "authenticated_state": "maybe"}], "maybe"),
        (
            [
                {"field": "a", "namespace": "X", "primary": True},
                {"field": "b", "namespace": "Y", "primary": True},
            ],
            "only one",
        ),
    ],
)
def test_refuses_malformed_identities(setting, complaint):
    with pytest.raises(TargetError, match=complaint):
        parse_identities(setting)

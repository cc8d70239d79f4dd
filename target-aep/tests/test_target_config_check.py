"""Settings of the wrong type or out of their limits: what is said of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_aep.target import TargetAEP

LOCAL = {"destination": "local"}
WORKERS = "is not a whole number from 1 to 64"


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("workers", "x", f"workers: 'x' {WORKERS}"),
        ("workers", 0, f"workers: 0 {WORKERS}"),
        ("workers", 65, f"workers: 65 {WORKERS}"),
        ("workers", Decimal("2.5"), f"workers: 2.5 {WORKERS}"),
        ("workers", True, f"workers: true {WORKERS}"),
        ("workers", [2], f"workers: this list {WORKERS}"),
        ("workers", {"a": 2}, f"workers: this object {WORKERS}"),
        ("file_format", "parqet", "'parqet' is not one of json, parquet; did you mean parquet?"),
        ("file_format", "csv", "file_format: 'csv' is not one of json, parquet"),
        ("wait_for", 5, "wait_for: 5 is not one of promoted, accepted"),
        ("batch_max_bytes", 0, "batch_max_bytes: 0 is not a whole number of at least 1"),
        (
            "max_rejected_percent",
            Decimal("100.5"),
            "max_rejected_percent: 100.5 is not a number from 0 to 100",
        ),
        ("local_path", 5, "local_path: 5 is not text in quotes"),
        ("datasets", {"events": 5}, "datasets.events: 5 is not text in quotes"),
        ("mappings", {"events": 5}, "mappings.events: 5 is not text in quotes or an object or"),
        ("identities", "a", "identities: 'a' is not a list"),
        ("identities", [{"field": "a"}], "identities[0]: namespace must be given"),
        (
            "identities",
            [{"field": "a", "namespace": "b", "primary": "yes"}],
            "identities[0].primary: 'yes' is not true or false",
        ),
        ("identities", [{"field": None, "namespace": "b"}], "identities[0].field: null is not"),
        ("stream_maps", {"events": 5}, "stream_maps.events: 5 has a form that is not known"),
        ("datasets", "x" * 500, f"datasets: '{'x' * 59}… is not an object"),
    ],
)
def test_a_value_that_can_not_be_is_told_in_plain_words(setting, value, line):
    with pytest.raises(ConfigValidationError) as refusal:
        TargetAEP(config={**LOCAL, setting: value})
    (said,) = refusal.value.errors
    assert line in said
    assert said.startswith(setting)
    for raw in ("Decimal", "config[", "'null'"):
        assert raw not in said


def test_each_wrong_setting_has_a_line():
    with pytest.raises(ConfigValidationError) as refusal:
        TargetAEP(config={**LOCAL, "workers": "x", "file_format": 5, "dataset_id": 1})
    assert sorted(refusal.value.errors) == [
        "dataset_id: 1 is not text in quotes",
        "file_format: 5 is not one of json, parquet",
        f"workers: 'x' {WORKERS}",
    ]


@pytest.mark.parametrize("secret", ["client_id", "client_secret", "org_id"])
def test_the_value_of_a_secret_is_not_shown(secret):
    with pytest.raises(ConfigValidationError) as refusal:
        TargetAEP(config={**LOCAL, secret: 123456789, "workers": 65})
    assert refusal.value.errors == [f"{secret}: must be a text, in quotes"]


@pytest.mark.parametrize("count", [1, 64, None])
def test_workers_within_their_limits_are_taken(count):
    assert TargetAEP(config={**LOCAL, "workers": count}).settings.workers in {*range(1, 5), 64}

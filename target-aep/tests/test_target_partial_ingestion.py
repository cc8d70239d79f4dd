"""Which spelling of the partial-ingestion field the platform understands is read back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from emulators.aep import AepEmulator, Promotion
from emulators.aep.creation import PERCENT_NAMES
from emulators.aep.demo import MIXPANEL_DATASET, install_demo
from target_aep.api.partial_ingestion import PartialIngestion
from target_messages import EVENT_SCHEMA, reached, record, state

NEW, OLD = PERCENT_NAMES
TOOK_EFFECT = {"id": "B", "tags": {"acp_partialIngestionPercent": 5}}
DID_NOT = {"id": "B", "tags": {}}


def test_a_spelling_that_took_effect_is_kept():
    partial = PartialIngestion()
    assert partial.name == NEW
    for document in (TOOK_EFFECT, DID_NOT, {}):
        partial.look_at(document, partial.name)
        assert partial.name == NEW


def test_the_other_spelling_is_tried_and_then_kept(caplog):
    partial = PartialIngestion()
    partial.look_at(DID_NOT, partial.name)
    assert partial.name == OLD
    partial.look_at(TOOK_EFFECT, partial.name)
    partial.look_at(DID_NOT, partial.name)
    assert partial.name == OLD
    assert "does not say that partial ingestion took effect:" not in caplog.text


def test_it_is_said_once_if_neither_takes_effect(caplog):
    partial = PartialIngestion()
    for _ in range(4):
        partial.look_at(DID_NOT, partial.name)
    assert caplog.text.count("a single bad row may fail a batch") == 1


def test_a_batch_that_was_asked_for_by_the_spelling_before_says_nothing_of_this_one():
    partial = PartialIngestion()
    for _ in range(2):
        partial.look_at(DID_NOT, NEW)
    assert partial.name == OLD


@pytest.mark.parametrize("document", [{}, {"tags": None}, {"tags": ["x"]}])
def test_an_answer_without_tags_says_nothing(document):
    partial = PartialIngestion()
    partial.look_at(document, partial.name)
    assert partial.name == NEW


@pytest.fixture
def other_platform(serve, tmp_path):
    """Settings for a platform that honours some spellings, with a function to read its rows."""
    made = []

    def make(names):
        emulator = AepEmulator(
            tmp_path / "other", promotion=Promotion(statuses=()), percent_names=names
        )
        made.append(emulator)
        url = serve(emulator)
        dataset = install_demo(emulator)[MIXPANEL_DATASET]
        settings = {"ims_url": url, "platform_url": url, "dataset_id": dataset}
        return settings, lambda: emulator.inspection.summary(dataset)

    yield make
    for emulator in made:
        emulator.close()


def bad_day(day):
    """A day of forty records with one that only the platform refuses, in a batch of its own."""
    numbers = range(day * 100, day * 100 + 40)
    future = record(day * 100 + 99, time="2124-01-01T00:00:00Z")
    return [*map(record, numbers), future, state(day)]


@pytest.mark.parametrize(
    ("names", "batches"),
    [
        ((NEW,), {"success": 3}),
        ((OLD,), {"failed": 1, "success": 3}),
        ((), {"failed": 3, "success": 3}),
    ],
    ids=["new", "old", "none"],
)
def test_whatever_it_understands_the_good_rows_are_in_and_the_bad_ones_kept(
    sandbox, letters, monkeypatch, other_platform, names, batches
):
    monkeypatch.setattr("target_aep.mapping.mapper.FUTURE_SKEW", timedelta(days=365_000))
    settings, summary = other_platform(names)
    days = [message for day in range(3) for message in bad_day(day)]
    outcome = sandbox.run([EVENT_SCHEMA, *days], batch_max_bytes=1, **settings)
    assert outcome.error is None
    assert outcome.states == reached(0, 1, 2)
    found = summary()
    assert (found["rows"], found["duplicates"], found["batches"]) == (120, 0, batches)
    assert sorted(letter["record"]["event_id"] for letter in letters()) == [
        "id199",
        "id299",
        "id99",
    ]

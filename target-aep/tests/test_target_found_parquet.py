"""The size that a repeated run tells of Parquet that an earlier one has brought in."""

from __future__ import annotations

import io
import json

import pytest
from emulators.aep.demo import mixpanel_schema
from target_aep.run_summary import in_words, summarise
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state

MESSAGES = [EVENT_SCHEMA, *map(record, range(400)), state(1)]
LONGER = [EVENT_SCHEMA, *map(record, range(400)), state(1), record(400), state(2)]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads messages; gives the bytes and files that the run's summary tells, and its words."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.json").write_text(json.dumps(mixpanel_schema("_acmeretail")), "utf-8")

    def load(messages, config):
        target = TargetAEP(config={"file_format": "parquet", **config})
        target.listen(io.StringIO("".join(json.dumps(each) + "\n" for each in messages)))
        run = target._run()
        told = summarise(run)
        size = told["sizeSummary"]["outputBytes"]
        return (size, told["fileSummary"]["outputFileCount"]), in_words(run)

    return load


@pytest.fixture
def local():
    return {"destination": "local", "schema_path": "schema.json"}


def test_a_repeated_local_run_tells_the_size_of_its_parquet_files(load, local, tmp_path):
    first, _ = load(MESSAGES, local)
    (file,) = tmp_path.glob("aep-output/events/*/*.parquet")
    assert first == (file.stat().st_size, 1)
    again, words = load(MESSAGES, local)
    assert again == first
    assert "400 of those loaded were in already" in words


def test_a_repeated_run_tells_what_the_batch_was_sent(load, sandbox):
    first, _ = load(MESSAGES, sandbox.config)
    assert first[0] < 100_000
    again, words = load(MESSAGES, sandbox.config)
    assert again == first
    assert "400 of those loaded were in already" in words


def test_a_run_in_json_finds_the_same_batch(load, sandbox):
    first, _ = load(MESSAGES, sandbox.config)
    assert load(MESSAGES, {**sandbox.config, "file_format": "json"})[0] == first


@pytest.mark.parametrize("untold", [[], ["inputFormat"]])
def test_a_batch_that_catalog_tells_no_size_of_counts_for_nothing(load, sandbox, untold):
    load(MESSAGES, sandbox.config)

    def alter(request, ask):
        answer = ask()
        if "/catalog/batches" in request.path:
            found = answer.get_json()
            for document in found.values():
                for name in untold:
                    document.pop(name)
                document.get("metrics", {}).pop("inputByteSize", None)
                document.get("metrics", {}).pop("inputFileCount", None)
            answer.set_data(json.dumps(found))
        return answer

    sandbox.front.alter = alter
    assert load(MESSAGES, sandbox.config)[0] == (0, 0)


@pytest.mark.parametrize("place", ["local", "sandbox"])
def test_a_longer_batch_is_not_counted_for_a_shorter_run(load, request, place):
    chosen = request.getfixturevalue(place)
    config = chosen if place == "local" else chosen.config
    load(LONGER, config)
    told, words = load(MESSAGES, config)
    assert "400 of those loaded were in already" in words
    assert told == (0, 0)

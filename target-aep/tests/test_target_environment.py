"""Settings from the environment, every one of them."""

from __future__ import annotations

import json

import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_aep.config_schema import CONFIG_SCHEMA
from target_aep.target import TargetAEP

LOCAL = {"destination": "local"}
BASE = {"TARGET_AEP_DESTINATION": "local"}
MAPPING = '[{"source": "a", "destination": "b"}]'
GOOD = {
    "client_id": ("id", "id"),
    "client_secret": ("12345", "12345"),
    "org_id": ("X@AdobeOrg", "X@AdobeOrg"),
    "sandbox_name": ("dev", "dev"),
    "scopes": ("a,b", "a,b"),
    "ims_url": ("http://ims.test", "http://ims.test"),
    "platform_url": ("http://platform.test", "http://platform.test"),
    "dataset_id": ("123", "123"),
    "dataset_name": ("7", "7"),
    "datasets": ('{"events": "1"}', {"events": "1"}),
    "mapping": (MAPPING, MAPPING),
    "mappings": ('{"events": "mixpanel"}', {"events": "mixpanel"}),
    "variables": ('{"ORG": "1"}', {"ORG": "1"}),
    "null_in_arithmetic": ("zero", "zero"),
    "method_on_null": ("error", "error"),
    "identities": ('[{"field": "a", "namespace": "N"}]', [{"field": "a", "namespace": "N"}]),
    "identity_storage": ("descriptors", "descriptors"),
    "schema_evolution": ("plan", "plan"),
    "destination": ("local", "local"),
    "local_path": ("there", "there"),
    "schema_path": (None, None),
    "tenant_id": ("acme", "acme"),
    "ingestion": ("batch", "batch"),
    "file_format": ("json", "json"),
    "batch_max_bytes": ("1000", 1000),
    "file_max_bytes": ("1000", 1000),
    "wait_for": ("accepted", "accepted"),
    "batch_timeout_minutes": ("5", 5),
    "max_rejected_percent": ("0.5", 0.5),
    "dead_letter_path": ("kept", "kept"),
    "run_summary_path": ("kept.json", "kept.json"),
    "max_concurrent_uploads": ("2", 2),
    "workers": ("3", 3),
    "stream_maps": ('{"events": {"a": "1"}}', {"events": {"a": "1"}}),
    "stream_map_config": ('{"a": 1}', {"a": 1}),
}
BAD = [
    ("datasets", "x"),
    ("datasets", "[1]"),
    ("mapping", "none.json"),
    ("mapping", "[1]"),
    ("mapping", "{"),
    ("mappings", "mixpanel"),
    ("mappings", '{"events": "none.json"}'),
    ("variables", '{"ORG": 1}'),
    ("null_in_arithmetic", "one"),
    ("method_on_null", "nothing"),
    ("identities", '[{"field":'),
    ("identities", "{}"),
    ("identities", '[{"field": "a"}]'),
    ("destination", "cloud"),
    ("local_path", "file.txt"),
    ("schema_path", "none.json"),
    ("ingestion", "streaming"),
    ("file_format", "parquet"),
    ("batch_max_bytes", "abc"),
    ("batch_max_bytes", "0"),
    ("batch_max_bytes", "1.5"),
    ("file_max_bytes", "256000000"),
    ("wait_for", "ever"),
    ("batch_timeout_minutes", "1h"),
    ("max_rejected_percent", "abc"),
    ("max_rejected_percent", "nan"),
    ("max_rejected_percent", "inf"),
    ("max_rejected_percent", "101"),
    ("dead_letter_path", "file.txt/x"),
    ("max_concurrent_uploads", "many"),
    ("stream_maps", "{"),
    ("stream_map_config", "1"),
]


@pytest.fixture
def environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("no folder")

    def give(**variables):
        for name, text in {**BASE, **variables}.items():
            monkeypatch.setenv(name, text)
        return TargetAEP(parse_env_config=True)

    return give


def test_every_setting_is_tried():
    TargetAEP.append_builtin_config(CONFIG_SCHEMA)
    assert set(GOOD) == set(CONFIG_SCHEMA["properties"])


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_setting_comes_in_its_type(environment, tmp_path, name):
    text, expected = GOOD[name]
    if name == "schema_path":
        text = expected = str(tmp_path / "schema.json")
        (tmp_path / "schema.json").write_text(json.dumps({"properties": {"_id": {}}}))
    target = environment(**{f"TARGET_AEP_{name.upper()}": text})
    assert target.config[name] == expected


@pytest.mark.parametrize("name", sorted(GOOD))
def test_an_empty_variable_is_one_that_is_not_set(environment, name):
    target = environment(**{f"TARGET_AEP_{name.upper()}": "", **BASE})
    assert target.config.get(name) == {**TargetAEP(config=LOCAL).config}.get(name)


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_bad_variable_is_one_line_that_names_its_setting(environment, name, text):
    with pytest.raises(ConfigValidationError) as refusal:
        environment(**{f"TARGET_AEP_{name.upper()}": text})
    (line,) = refusal.value.errors
    assert name in line
    assert "\n" not in line


@pytest.mark.parametrize("text", ["many", "nan", ""])
def test_a_number_may_be_text_in_a_file_but_no_other_text(text):
    assert TargetAEP(config={**LOCAL, "max_rejected_percent": "1.5"}).config[
        "max_rejected_percent"
    ] == pytest.approx(1.5)
    with pytest.raises(ConfigValidationError) as refusal:
        TargetAEP(config={**LOCAL, "max_rejected_percent": text})
    (line,) = refusal.value.errors
    assert "max_rejected_percent" in line


def test_several_bad_variables_are_a_line_each(environment):
    with pytest.raises(ConfigValidationError) as refusal:
        environment(TARGET_AEP_DATASETS="x", TARGET_AEP_BATCH_MAX_BYTES="x")
    assert len(refusal.value.errors) == 2


@pytest.mark.parametrize(
    "text", ["mixpanel", "adobe-source", MAPPING, f'{{"mappings": {MAPPING}}}']
)
def test_a_mapping_may_be_a_name_or_json(environment, text):
    assert environment(TARGET_AEP_MAPPING=text).settings.mapping_set.mappings


def test_a_env_file_of_the_working_directory_is_read(monkeypatch, tmp_path):
    below = tmp_path / "project" / "deeper"
    below.mkdir(parents=True)
    (tmp_path / "project" / ".env").write_text("TARGET_AEP_DATASET_ID=from-the-file\n")
    for name, text in BASE.items():
        monkeypatch.setenv(name, text)
    # Set and taken back, so that what the file sets does not outlive the test.
    monkeypatch.setenv("TARGET_AEP_DATASET_ID", "x")
    monkeypatch.delenv("TARGET_AEP_DATASET_ID")
    monkeypatch.chdir(below)
    assert TargetAEP(parse_env_config=True).config["dataset_id"] == "from-the-file"


def test_a_misspelled_variable_is_told(environment, caplog):
    environment(TARGET_AEP_DATASETNAME="x", TARGET_AEP__PIP_URL="y", TARGET_AEP_LOGLEVEL="DEBUG")
    (line,) = [each for each in caplog.messages if "names no setting" in each]
    assert line == (
        "The environment variable TARGET_AEP_DATASETNAME names no setting of this target; did you "
        "mean TARGET_AEP_DATASET_NAME?"
    )

"""The tap as a Singer SDK plugin: standard tests, catalog, guards on private names."""

from __future__ import annotations

import inspect
import json
import logging
import re
import sys
import warnings
from pathlib import Path

import pytest
from emulators.mixpanel import NO_LIMITS, MixpanelEmulator, Project
from emulators.server import EmulatorServer
from singer_sdk import Stream, Tap
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.plugin_base import PluginBase
from singer_sdk.testing import get_tap_test_class
from tap_mixpanel_export.sdk_hooks import CheckedTap, WindowedStream
from tap_mixpanel_export.tap import TapMixpanelExport

README = Path(__file__).parents[1] / "README.md"
DAY_MS = 1_709_251_200_000  # 2024-03-01


def _standard_config():
    """Settings that resolve to the emulator when the tests run, not when they are collected."""
    return {
        "oauth_token": "standard-token",
        "project_id": 1,
        "start_date": "2024-03-01",
        "end_date": "2024-03-01",
    }


@pytest.fixture(autouse=True, scope="module")
def standard_emulator(tmp_path_factory):
    project = Project(1, oauth_tokens=["standard-token"])
    directory = tmp_path_factory.mktemp("standard")
    emulator = MixpanelEmulator(directory / "mixpanel", projects=[project], limits=NO_LIMITS)
    full = {
        "$insert_id": "i",
        "distinct_id": "ada",
        "$device_id": "d",
        "$user_id": "u",
        "$import": False,
        "$mp_api_endpoint": "api.mixpanel.com",
        "$mp_api_timestamp_ms": DAY_MS + 5,
        "mp_processing_time_ms": DAY_MS + 9,
        "price": 1.5,
    }
    events = [
        {"event": "Opened", "properties": {"time": DAY_MS + n, **full, "n": n}} for n in range(5)
    ]
    emulator.add_events(1, events)
    with EmulatorServer(emulator) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAP_MIXPANEL_EXPORT_API_URL", server.url)
        patch.setenv("TAP_MIXPANEL_EXPORT_STATE_DIR", str(directory / "state"))
        yield


TestStandard = get_tap_test_class(TapMixpanelExport, config=_standard_config())


@pytest.fixture
def signatures():
    """What the tap's overrides were written against."""
    return {
        (Stream, "_write_state_message"): ["self"],
        (Stream, "_increment_stream_state"): ["self", "latest_record", "context"],
        (PluginBase, "_validate_config"): ["self", "raise_errors"],
        (Tap, "_handle_termination"): ["self", "signum", "frame"],
        (CustomStreamMap, "_eval"): ["self", "expr", "expr_parsed", "record", "property_name"],
    }


def test_the_private_names_of_the_sdk_are_still_there(signatures):
    for (owner, name), parameters in signatures.items():
        assert list(inspect.signature(getattr(owner, name)).parameters) == parameters
    assert isinstance(TapMixpanelExport._env_var_prefix, str)
    assert "_validate_config" in vars(CheckedTap)
    assert "_increment_stream_state" in vars(WindowedStream)
    source = inspect.getsource(Stream._sync_records)
    assert "_increment_stream_state" in source
    assert "_write_state_message" in source
    assert "_validate_config" in inspect.getsource(PluginBase.__init__)
    source = inspect.getsource(CustomStreamMap._eval)
    assert "self.expr_evaluator.names = names" in source
    assert "self.expr_evaluator.eval(" in source
    assert "_env_var_config" in vars(CheckedTap)
    assert "_env_var_config" in inspect.getsource(PluginBase.__init__)


def test_no_record_moves_the_state(world, event, monkeypatch):
    monkeypatch.setattr(Stream, "STATE_MSG_FREQUENCY", 1)
    world.add(*(event(str(n), f"2024-03-18T10:0{n}:00") for n in range(5)))
    run = world.run()
    kinds = "".join(message["type"][0] for message in run.messages if message["type"] != "SCHEMA")
    assert kinds == "SRRRRRSSS"


def test_the_catalog_describes_the_contract():
    tap = TapMixpanelExport(config={}, validate_config=False)
    (entry,) = tap.catalog_dict["streams"]
    assert entry["tap_stream_id"] == "events"
    assert entry["key_properties"] == ["event_id"]
    assert entry["replication_key"] == "time"
    assert entry["replication_method"] == "INCREMENTAL"
    types = {name: definition["type"] for name, definition in entry["schema"]["properties"].items()}
    assert types == {
        "event_id": ["string"],
        "event_name": ["string"],
        "time": ["string"],
        "distinct_id": ["string", "null"],
        "insert_id": ["string", "null"],
        "device_id": ["string", "null"],
        "user_id": ["string", "null"],
        "import": ["boolean", "null"],
        "mp_api_endpoint": ["string", "null"],
        "mp_api_timestamp_ms": ["integer", "null"],
        "mp_processing_time_ms": ["integer", "null"],
        "properties": "object",
    }
    assert entry["schema"]["properties"]["properties"]["additionalProperties"] is True


def catalog_of():
    return TapMixpanelExport(config={}, validate_config=False).catalog_dict


def test_deselected_properties_and_streams_stay_out(world, event):
    world.add(event("a", "2024-03-18T10:00:00", secret="x"))
    catalog = catalog_of()
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == ["properties", "device_id"]:
            entry["metadata"]["selected"] = False
        if entry["breadcrumb"] == []:
            entry["metadata"]["selected"] = True
    (record,) = world.run(catalog=catalog).records
    assert "device_id" not in record
    assert record["properties"]["secret"] == "x"
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"] == []:
            entry["metadata"]["selected"] = False
    run = world.run(catalog=catalog)
    assert run.messages == []
    assert len(world.requests()) == 3


def test_a_catalog_cannot_take_the_keys_away(world, event):
    world.add(event("a", "2024-03-18T10:00:00"))
    catalog = catalog_of()
    (entry,) = catalog["streams"]
    del entry["replication_key"], entry["replication_method"]
    for item in entry["metadata"]:
        if item["breadcrumb"] == []:
            item["metadata"] = {"selected": True, "forced-replication-method": "FULL_TABLE"}
    first = world.run(catalog=catalog)
    assert first.ids() == ["a"]
    assert first.bookmark["replication_key"] == "time"
    world.clock.advance(hours=1)
    assert world.run(first.state, catalog=catalog).ids() == []


def test_a_catalog_cannot_give_the_target_other_keys(world, event):
    world.add(event("a", "2024-03-18T10:00:00"))
    catalog = catalog_of()
    (entry,) = catalog["streams"]
    entry |= {"key_properties": ["insert_id"], "replication_key": "mp_processing_time_ms"}
    entry["replication_method"] = "FULL_TABLE"
    for item in entry["metadata"]:
        if item["breadcrumb"] == []:
            item["metadata"] |= {"selected": True, "table-key-properties": ["distinct_id"]}
    run = world.run(catalog=catalog)
    (schema,) = [message for message in run.messages if message["type"] == "SCHEMA"]
    assert schema["key_properties"] == ["event_id"]
    assert schema["bookmark_properties"] == ["time"]
    assert run.bookmark["replication_key"] == "time"


@pytest.mark.parametrize("place", ["method", "metadata", "neither"])
def test_a_catalog_that_asks_for_full_table_is_told_what_brings_everything(
    world, event, caplog, place
):
    world.add(event("a", "2024-03-18T10:00:00"))
    catalog = catalog_of()
    (entry,) = catalog["streams"]
    if place == "method":
        entry["replication_method"] = "FULL_TABLE"
    (root,) = [item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == []]
    root["selected"] = True
    if place == "metadata":
        root["forced-replication-method"] = "FULL_TABLE"
    assert world.run(catalog=catalog).ids() == ["a"]
    words = "the catalog asks for FULL_TABLE, but"
    assert caplog.text.count(words) == (0 if place == "neither" else 1)


def test_stream_maps_work(world, event):
    world.add(event("a", "2024-03-18T10:00:00", price=1.5))
    mapped = world.run(stream_maps={"events": {"name2": "event_name", "__alias__": "mp"}})
    assert mapped.records[0]["name2"] == "Opened"


def test_the_connection_test_stops_after_a_record(world, event, caplog):
    world.add(*(event(str(n), "2024-03-18T10:00:00") for n in range(5)))
    tap = world.tap_class()(config=world.config())
    assert tap.run_connection_test()
    assert len(world.requests()) <= 2  # the next day may be on its way
    assert "unhandled" not in caplog.text


def test_extra_keys_of_the_sdk_in_a_state_do_no_harm(world, event):
    world.add(event("a", "2024-03-18T10:00:00"))
    state = world.run().state
    state["bookmarks"]["events"]["starting_replication_value"] = "2024-01-01"
    state["bookmarks"]["events"]["replication_key_signpost"] = "2024-01-01T00:00:00+00:00"
    world.clock.advance(hours=1)
    run = world.run(state)
    assert run.error is None
    assert "starting_replication_value" not in run.bookmark


@pytest.mark.parametrize(
    "state",
    [
        {"bookmarks": {"export": {"replication_key": "time"}}},
        {"bookmarks": {"events": {"replication_key": "id", "replication_key_value": 3}}},
        {"bookmarks": {"events": {"state_version": 3}}},
        [1],
    ],
)
def test_a_state_that_is_not_the_taps_ends_the_run_at_once(world, state):
    run = world.run(state)
    assert str(run.error).startswith("state: ")
    assert run.messages == []
    assert world.requests() == []


def test_only_honoured_capabilities_are_advertised():
    names = {capability.value for capability in TapMixpanelExport.capabilities}
    assert names == {
        "about",
        "catalog",
        "discover",
        "state",
        "stream-maps",
        "structured-logging",
    }


def test_secrets_are_marked():
    settings = TapMixpanelExport.config_jsonschema["properties"]
    marked = {name for name, definition in settings.items() if definition.get("secret")}
    assert marked == {
        "service_account_username",
        "service_account_secret",
        "api_secret",
        "oauth_token",
    }
    for definition in settings.values():
        assert definition["title"]
        assert definition["description"]


def test_the_readme_shows_the_settings_as_they_are(capsys):
    TapMixpanelExport.print_about("markdown")
    about = capsys.readouterr().out
    rows = re.findall(r"^\|.*\|$", about, flags=re.MULTILINE)
    assert len(rows) > 25
    text = README.read_text(encoding="utf-8")
    assert "\n".join(rows) in text


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs the command line in this process and takes its traces away again."""
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def run(*arguments):
        with warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
            TapMixpanelExport.cli(arguments)
        assert ended.value.code in {0, None}
        return capsys.readouterr().out

    yield run
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("arguments", [("--about",), ("--about", "--format=json"), ("--version",)])
def test_the_tap_describes_itself_without_settings(command, arguments):
    assert "tap-mixpanel-export" in command(*arguments)


def test_discovery_needs_no_settings(command):
    assert json.loads(command("--discover")) == catalog_of()


def test_an_env_file_of_the_working_directory_is_read(monkeypatch, tmp_path):
    below = tmp_path / "project" / "deeper"
    below.mkdir(parents=True)
    (tmp_path / "project" / ".env").write_text("TAP_MIXPANEL_EXPORT_WHERE=from the file\n")
    # Set and taken back, so that what the file sets does not outlive the test.
    monkeypatch.setenv("TAP_MIXPANEL_EXPORT_WHERE", "x")
    monkeypatch.delenv("TAP_MIXPANEL_EXPORT_WHERE")
    monkeypatch.chdir(below)
    tap = TapMixpanelExport(parse_env_config=True, validate_config=False)
    assert tap.config["where"] == "from the file"

"""Mistakes in the settings: one line each, naming the setting, before any request."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_mixpanel_export.tap import TapMixpanelExport

MISTAKES = [
    ({"service_account_secret": None}, ["service_account_secret: is missing"]),
    ({"service_account_username": None}, ["service_account_username: is missing"]),
    (
        {"service_account_username": None, "service_account_secret": None},
        ["no credentials"],
    ),
    ({"api_secret": "abc"}, ["ambiguous credentials"]),
    ({"oauth_token": "abc", "service_account_username": None}, ["ambiguous credentials"]),
    (
        {
            "oauth_token": "abc\ndef",
            "service_account_username": None,
            "service_account_secret": None,
        },
        ["oauth_token: holds characters"],
    ),
    ({"service_account_secret": 987654}, ["service_account_secret: must be text"]),
    ({"project_id": None}, ["project_id: is missing"]),
    ({"project_id": "my project"}, ["project_id: is not a number"]),
    ({"project_id": 1.5}, ["project_id: 1.5 is not of type"]),
    ({"region": "US2"}, ["region: 'US2' is not one of"]),
    ({"project_timezone": "America/Los_Angles"}, ["project_timezone: no zone is called"]),
    ({"start_date": None}, ["start_date: is missing"]),
    ({"start_date": "notadate"}, ["start_date: 'notadate' is not a date"]),
    ({"start_date": "2024-02-30"}, ["start_date: '2024-02-30' is not a date"]),
    ({"start_date": "2031-01-01"}, ["start_date: 2031-01-01 has not begun"]),
    ({"end_date": "2024-13-01"}, ["end_date: '2024-13-01' is not a date"]),
    ({"end_date": "2024-03-17"}, ["end_date: 2024-03-17 lies before start_date 2024-03-18"]),
    ({"window_days": 0}, ["window_days: 0 is less than the minimum of 1"]),
    ({"window_days": "2"}, ["window_days: '2' is not of type"]),
    ({"lookback_days": -1}, ["lookback_days: -1 is less"]),
    ({"settle_minutes": -1}, ["settle_minutes: -1 is less"]),
    ({"request_timeout": 0}, ["request_timeout: 0 is less"]),
    ({"max_requests_per_hour": 61}, ["max_requests_per_hour: 61 is greater"]),
    ({"max_concurrent_requests": 0}, ["max_concurrent_requests: 0 is less"]),
    ({"api_url": "ftp://data.mixpanel.com"}, ["api_url: is not an http"]),
    ({"api_url": "https://me:secret@data.mixpanel.com"}, ["api_url: is not an http"]),
    ({"app_url": "https://mixpanel.com:x"}, ["app_url: is not an http"]),
    ({"on_invalid_line": "skip"}, ["on_invalid_line: 'skip' is not one of"]),
    ({"event_time_basis": "local"}, ["event_time_basis: 'local' is not one of"]),
    ({"late_event_filter": "none"}, ["late_event_filter: 'none' is not one of"]),
    ({"lookback_days": 3651}, ["lookback_days: 3651 is greater"]),
    ({"settle_minutes": 525601}, ["settle_minutes: 525601 is greater"]),
    ({"window_days": 367}, ["window_days: 367 is greater"]),
    ({"max_window_days": 367}, ["max_window_days: 367 is greater"]),
    ({"request_timeout": 86401}, ["request_timeout: 86401 is greater"]),
    ({"request_timeout": 0.5}, ["request_timeout: 0.5 is not of type"]),
    ({"request_timeout": Decimal("0.5")}, ["request_timeout: 0.5 is not of type"]),
    ({"start_date": "1999-12-31"}, ["start_date: 1999-12-31 lies before 2000-01-01"]),
    (
        {"start_date": "0001-01-01", "project_timezone": "Asia/Tokyo"},
        ["start_date: 0001-01-01 lies before 2000-01-01"],
    ),
    ({"start_date": "0001-01-01T00:00:01+14:00"}, ["start_date: '0001-01-01T00:00:01+14:00' is"]),
    ({"user_agent": "\u017c\u00f3\u0142w/1"}, ["user_agent: cannot be sent"]),
    ({"user_agent": "a\nb"}, ["user_agent: cannot be sent"]),
    ({"user_agent": " a"}, ["user_agent: cannot be sent"]),
    ({"events": [""]}, ["events: holds an empty name"]),
    ({"events": ["a", " "]}, ["events: holds an empty name"]),
    ({"events": [5, 6]}, ["events.0: 5 is not of type"]),
    ({"where": "  "}, ["where: is blank"]),
    ({"api_url": "https://data.mixpanel.com/api/2.0/export"}, ["api_url: has a path"]),
    ({"app_url": "https://mixpanel.com/api"}, ["app_url: has a path"]),
    ({"events": "Opened"}, ["events: 'Opened' is not of type 'array', 'null'; write it as ["]),
    ({"start_dat": "2024-01-01"}, ["start_dat: is not a setting of this tap; did you mean start"]),
    ({"batch_config": {}}, ["batch_config: is not a setting"]),
    ({"flattening_enabled": True}, ["flattening_enabled: is not a setting"]),
    (
        {"project_id": "x", "project_timezone": "Mars", "end_date": "x", "api_url": "x"},
        ["project_id: ", "project_timezone: ", "end_date: ", "api_url: "],
    ),
    ({"region": "XX", "unknown": 1}, ["region: ", "unknown: "]),
    (
        {"region": "XX", "project_timezone": "Mars", "end_date": "x", "service_account_secret": 5},
        ["region: ", "project_timezone: ", "end_date: ", "service_account_secret: must be text"],
    ),
    ({"start_date": 5, "project_id": [1]}, ["start_date: 5 is not", "project_id: [1] is not"]),
    (
        {"start_date": 20240301},
        ["start_date: 20240301 is not of type 'string'; write it as \"2024-01-31\""],
    ),
    ({"stream_maps": {"events": {"__else__": "x"}}}, ["stream_maps.events: {'__else__': 'x'} is"]),
    ({"stream_maps": {"__else__": "x"}}, ["stream_maps.__else__: 'x' is not valid"]),
    ({"project_timezone": 1, "api_url": 5}, ["project_timezone: 1 is", "api_url: 5 is not"]),
]


@pytest.mark.parametrize(("settings", "lines"), MISTAKES)
def test_each_mistake_is_one_line_before_any_request(world, settings, lines):
    with pytest.raises(ConfigValidationError) as caught:
        world.run(**settings)
    errors = sorted(caught.value.errors)
    assert len(errors) == len(lines)
    for error, words in zip(errors, sorted(lines), strict=True):
        assert error.startswith(words)
        assert "\n" not in error
        assert "987654" not in error
    assert world.requests() == []


def test_an_unwritable_state_dir(world, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigValidationError) as caught:
        world.run(state_dir=str(file / "below"))
    (error,) = caught.value.errors
    assert error.startswith("state_dir: cannot write to")


def settings_of(world, **settings):
    return world.tap_class()(config=world.config(**settings)).settings


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2024-03-10", "America/Los_Angeles", date(2024, 3, 10)),
        ("2024-03-10T00:00:00Z", "America/Los_Angeles", date(2024, 3, 10)),
        ("2024-03-10T00:00:00+09:00", "UTC", date(2024, 3, 10)),
        ("2024-03-10T03:00:00Z", "America/Los_Angeles", date(2024, 3, 9)),
        ("2024-03-10T20:00:00Z", "Asia/Kolkata", date(2024, 3, 11)),
        ("2024-03-10T20:00:00", "Asia/Kolkata", date(2024, 3, 10)),
        ("2024-03-10T23:30:00-05:00", "UTC", date(2024, 3, 11)),
    ],
)
def test_the_day_that_a_date_names(world, text, zone, day):
    settings = settings_of(world, start_date=text, end_date=text, project_timezone=zone)
    assert settings.rules.start_day == settings.rules.end_day == day


@pytest.mark.parametrize(
    ("region", "api_url", "app_url"),
    [
        ("US", "https://data.mixpanel.com", "https://mixpanel.com"),
        ("EU", "https://data-eu.mixpanel.com", "https://eu.mixpanel.com"),
        ("IN", "https://data-in.mixpanel.com", "https://in.mixpanel.com"),
    ],
)
def test_the_hosts_of_a_region(world, region, api_url, app_url):
    settings = settings_of(world, region=region, api_url=None)
    assert (settings.api_url, settings.app_url) == (api_url, app_url)


def test_defaults_and_nulls(world):
    settings = settings_of(world, api_url="http://127.0.0.1:8001/", project_id="12", where="")
    assert settings.api_url == "http://127.0.0.1:8001"
    assert settings.project_id == "12"
    assert settings.rules.lookback_days == 5
    assert settings.rules.settle_ms == 3_600_000
    assert settings.window_days == 1
    assert settings.events == ()
    assert settings.where is None
    assert settings.user_agent.startswith("tap-mixpanel-export/")
    assert not settings.quarantine_invalid_lines


def test_explicit_nulls_are_defaults(world):
    config = world.config() | {"lookback_days": None, "where": None, "events": None}
    settings = world.tap_class()(config=config).settings
    assert settings.rules.lookback_days == 5


def test_secrets_are_not_shown(world):
    settings = settings_of(world)
    shown = repr(settings)
    for secret in settings.credentials.secrets:
        assert secret not in shown


def test_settings_from_the_environment(world, monkeypatch):
    for name, value in world.config(window_days=3, max_window_days=30, events=None).items():
        monkeypatch.setenv(f"TAP_MIXPANEL_EXPORT_{name.upper()}", str(value))
    monkeypatch.setenv("TAP_MIXPANEL_EXPORT_EVENTS", '["Opened, twice"]')
    settings = world.tap_class()(parse_env_config=True).settings
    assert settings.events == ("Opened, twice",)
    assert settings.window_days == 3
    monkeypatch.setenv("TAP_MIXPANEL_EXPORT_WINDOW_DAYS", "three")
    with pytest.raises(ConfigValidationError) as caught:
        world.tap_class()(parse_env_config=True)
    (error,) = caught.value.errors
    variable = "TAP_MIXPANEL_EXPORT_WINDOW_DAYS"
    assert error == f"window_days: the environment variable {variable} is not a whole number"


def test_misspelt_variables_are_named_if_the_environment_is_read(world, monkeypatch, caplog):
    prefix = "TAP_MIXPANEL_EXPORT_"
    monkeypatch.setenv(f"{prefix}LOGLEVEL", "INFO")
    for name in ("LOKBACK_DAYS", "METRICS_LOGLEVEL", "_SELECT", "STREAM_MAPS"):
        monkeypatch.setenv(prefix + name, "{}")
    world.tap_class()(config=world.config())
    assert prefix not in caplog.text
    world.tap_class()(config=world.config(), parse_env_config=True)
    (warning,) = [r.getMessage() for r in caplog.records if prefix in r.getMessage()]
    assert warning == (
        f"the environment variable {prefix}LOKBACK_DAYS names no setting of this tap; "
        f"did you mean {prefix}LOOKBACK_DAYS?"
    )


def test_a_misspelt_variable_is_named_beside_the_setting_that_is_missing(
    world, monkeypatch, caplog
):
    monkeypatch.setenv("TAP_MIXPANEL_EXPORT_START_DAT", "2024-03-18")
    with pytest.raises(ConfigValidationError) as caught:
        world.tap_class()(config=world.config(start_date=None), parse_env_config=True)
    assert caught.value.errors == ["start_date: is missing; it is required"]
    assert "did you mean TAP_MIXPANEL_EXPORT_START_DATE?" in caplog.text


def test_whole_numbers_may_be_written_with_a_point(world, event):
    world.add(event("a", "2024-03-18T10:00:00"))
    run = world.run(
        max_requests_per_hour=60.0, window_days=2.0, lookback_days=3.0, settle_minutes=60.0
    )
    assert run.ids() == ["a"]
    assert isinstance(run.bookmark["arrived_until"], int)


def test_without_settings_the_tap_can_be_discovered():
    tap = TapMixpanelExport(config={}, validate_config=False, setup_mapper=False)
    assert list(tap.streams) == ["events"]


def test_a_null_setting_is_one_that_is_not_set(tmp_path):
    nulls = dict.fromkeys(["region", "end_date", "events", "project_timezone", "lookback_days"])
    tap = TapMixpanelExport(
        config={
            "oauth_token": "t",
            "start_date": "2024-01-01",
            "state_dir": str(tmp_path),
            **nulls,
        }
    )
    assert tap.settings.rules.lookback_days == 5
    assert tap.settings.rules.end_day is None

"""Where properties are found, and what happens where they can't be: all on real sockets."""

from __future__ import annotations

import json
import socket
from dataclasses import replace

import pytest
from emulators.faults import Fault
from emulators.mixpanel import Limits
from tap_mixpanel_export.errors import SettingsError
from tap_mixpanel_export.events_schema import FIXED_COLUMN_OF, SCHEMA

PROJECT_ID = 4711
EXPORT = "/api/2.0/export"
LEXICON = f"/api/app/projects/{PROJECT_ID}/schemas"
SECRET = "Zr8uVq2LxTn4Pw6y"
OPEN = ["string", "number", "boolean", "object", "array", "null"]
HTML = "<html>a proxy speaks</html>"


@pytest.fixture
def project(world, event):
    """A project with an event, and another property in Lexicon."""
    world.add(event("a", "2024-03-18T10:00:00", **{"$browser": "Safari", "a.b": {"c": 1}}))
    schema = {"properties": {"price": {"type": "number", "description": "In euros"}}}
    projects = world.emulator.projects
    projects[PROJECT_ID] = replace(
        projects[PROJECT_ID],
        schemas=[{"entityType": "event", "name": "Opened", "schemaJson": schema}],
    )
    return world


@pytest.fixture
def discover(project, capsys):
    """A function that runs `--discover` in this process; returns the stream's catalog entry."""

    def run(**settings):
        config = project.config(**{"app_url": project.url, **settings})
        options = {"validate_config": False, "setup_mapper": False}
        project.tap_class()(config=config, **options).run_discovery()
        (entry,) = json.loads(capsys.readouterr().out)["streams"]
        return entry

    return run


def break_(world, path, status, body, **headers):
    args = {"status": status, "body": body, "headers": headers}
    fault = Fault("status", times=None, match={"path": path}, args=args)
    world.emulator.faults.add(fault)


def listed(entry):
    return entry["schema"]["properties"]["properties"]["properties"]


def columns_of(entry):
    return entry["schema"]["properties"].keys() - SCHEMA["properties"].keys()


def paths(world):
    return [entry.path for entry in world.emulator.requests.entries()]


def test_the_object_layout_lists_properties_of_any_type(discover):
    entry = discover()
    assert listed(entry).keys() == {*FIXED_COLUMN_OF, "$browser", "a.b", "price"}
    assert {tuple(each["type"]) for each in listed(entry).values()} == {tuple(OPEN)}
    assert listed(entry)["price"]["description"] == "In euros"
    assert entry["schema"]["properties"]["properties"]["additionalProperties"] is True
    assert columns_of(entry) == set()
    breadcrumbs = [item["breadcrumb"] for item in entry["metadata"]]
    assert ["properties", "properties", "properties", "a.b"] in breadcrumbs
    assert ["properties", "properties", "properties", "$user_id"] in breadcrumbs


def test_both_layouts_share_what_was_found(discover, project):
    discover()
    before = paths(project)
    assert columns_of(discover(properties_layout="columns")) == {"a_b", "mp_browser", "price"}
    assert paths(project) == before == [f"{LEXICON}/event", EXPORT]


def test_another_selection_of_events_is_another_matter(discover, project):
    discover(events=["Closed"])
    assert "$browser" in listed(discover())
    assert "$browser" in listed(discover(events=["Closed"]))
    assert paths(project) == [f"{LEXICON}/event", EXPORT] * 2


def test_the_layout_columns_lists_properties_below_properties_too(discover):
    entry = discover(properties_layout="columns")
    assert listed(entry).keys() == {*FIXED_COLUMN_OF, "$browser", "a.b", "price"}
    assert columns_of(entry) == {"a_b", "mp_browser", "price"}


def test_a_run_in_the_object_layout_asks_for_nothing_more(project):
    project.run(app_url=project.url)
    assert paths(project) == [EXPORT] * 3
    assert not (project.state_dir / "discovery").exists()


def test_a_quiet_project_is_asked_once_an_hour(discover, project, event):
    quiet = {"start_date": "2024-03-20"}
    for _ in range(2):
        assert columns_of(discover(properties_layout="columns", **quiet)) == {"price"}
    assert paths(project) == [f"{LEXICON}/event", EXPORT]
    project.clock.advance(minutes=61)
    project.add(event("b", "2024-03-20T10:00:00", new=True))
    assert columns_of(discover(properties_layout="columns", **quiet)) == {"new", "price"}


def test_a_clock_that_was_set_back_asks_again(discover, project):
    discover()
    project.clock.advance(days=-1)
    discover()
    assert len(paths(project)) == 4


NO_LEXICON = [
    (401, {"error": "who are you", "status": "error"}, "Mixpanel answered 401: who are you"),
    (402, "not in your plan", "Mixpanel answered 402: not in your plan"),
    (403, {"error": "not yours", "status": "error"}, "Mixpanel answered 403: not yours"),
    (404, "Not Found", "Mixpanel answered 404: Not Found"),
    (302, "", "Mixpanel answered 302"),
    (429, "slow down", "Mixpanel answered 429: slow down"),
    (503, "busy", "Mixpanel answered 503: busy"),
    (200, HTML, "its answer is not what Mixpanel documents"),
    (200, "[]", "its answer is not what Mixpanel documents"),
    (200, {"results": None}, "its answer is not what Mixpanel documents"),
    (200, {"results": [{"entityType": "event"}]}, "its answer is not what Mixpanel documents"),
]


@pytest.mark.parametrize(("status", "body", "reason"), NO_LEXICON)
@pytest.mark.parametrize("layout", ["object", "columns"])
def test_without_lexicon_the_sample_is_enough(
    discover, project, caplog, layout, status, body, reason
):
    break_(project, LEXICON, status, body)
    caplog.set_level("INFO")
    entry = discover(properties_layout=layout)
    assert {"mp_browser", "$browser"} & {*columns_of(entry), *listed(entry)}
    assert f"looked for without Lexicon: {reason}" in caplog.text.replace(
        "the request for Lexicon's schemas failed for good: ", ""
    )
    assert SECRET not in caplog.text


@pytest.mark.parametrize("kind", ["close", "reset"])
@pytest.mark.parametrize("path", [LEXICON, EXPORT])
def test_a_connection_that_is_lost_is_tried_again(discover, project, kind, path):
    project.emulator.faults.add(Fault(kind, match={"path": path}))
    assert listed(discover()).keys() >= {"$browser", "price"}
    assert [asked.startswith(path) for asked in paths(project)].count(True) == 2


def test_a_project_secret_cannot_read_lexicon(discover, project, caplog):
    caplog.set_level("INFO")
    account = {"service_account_username": None, "service_account_secret": None}
    entry = discover(**account, api_secret="0a1b2c3d4e5f60718293a4b5c6d7e8f9")
    assert "$browser" in listed(entry)
    assert "only a service account may read it" in caplog.text
    assert paths(project) == [EXPORT]


def test_credentials_do_not_leave_for_a_host_that_nobody_named(discover, project, caplog):
    caplog.set_level("INFO")
    assert "$browser" in listed(discover(app_url=None))
    assert "set app_url as well" in caplog.text
    assert paths(project) == [EXPORT]


NO_SAMPLE = [
    (401, {"error": "Invalid credentials"}, "Mixpanel answered 401: Invalid credentials"),
    (402, "Your plan does not support raw data export.", "Mixpanel answered 402"),
    (403, {"error": "not yours"}, "Mixpanel answered 403: not yours"),
    (400, "Unable to authenticate request", "Mixpanel answered 400"),
    (429, "Query rate limit exceeded", "Mixpanel answered 429"),
    (500, "oops", "Mixpanel answered 500: oops"),
    (200, HTML, "the last line is cut off"),
    (200, "terminated early\n", "Mixpanel aborted the export"),
]


@pytest.mark.parametrize(("status", "body", "reason"), NO_SAMPLE)
def test_without_a_sample_lexicon_is_enough_for_now(
    discover, project, caplog, status, body, reason
):
    break_(project, EXPORT, status, body)
    caplog.set_level("INFO")
    assert columns_of(discover(properties_layout="columns")) == {"price"}
    assert "looked for without a sample of events" in caplog.text
    assert reason in caplog.text
    project.emulator.faults.clear()
    project.clock.advance(minutes=11)
    assert "mp_browser" in columns_of(discover(properties_layout="columns"))


@pytest.mark.parametrize(("status", "body", "reason"), NO_SAMPLE)
def test_without_either_columns_are_an_error_and_a_list_is_a_warning(
    discover, project, caplog, status, body, reason
):
    break_(project, EXPORT, status, body)
    break_(project, LEXICON, 403, {"error": "not yours", "status": "error"})
    run = project.run(properties_layout="columns", app_url=project.url)
    assert run.messages == []
    text = str(run.error)
    assert text.startswith("properties_layout=columns: the project's properties cannot be found")
    assert "Lexicon: Mixpanel answered 403: not yours" in text
    assert reason in text
    assert "--catalog" in text
    assert "\n" not in text
    assert SECRET not in text + caplog.text
    caplog.clear()
    entry = discover()
    assert entry["schema"] == SCHEMA
    assert caplog.text.count("the catalog does not list the project's properties") == 1


def test_what_is_known_is_kept_when_mixpanel_says_nothing(discover, project, caplog):
    before = discover(properties_layout="columns")
    project.clock.advance(days=3)
    break_(project, "/", 503, "busy")
    assert discover(properties_layout="columns") == before
    assert "those known from before: Lexicon: " in caplog.text
    project.emulator.faults.clear()
    project.clock.advance(minutes=11)
    assert discover(properties_layout="columns") == before
    assert paths(project)[-2:] == [f"{LEXICON}/event", EXPORT]


def test_nobody_answers(discover, caplog):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        entry = discover(api_url=url, app_url=url)
    assert entry["schema"] == SCHEMA
    assert f"the connection to {url} failed" in caplog.text
    assert SECRET not in caplog.text


def test_an_hour_without_requests_is_not_waited_for(make_world, event, capsys):
    world = make_world(limits=Limits())
    world.keeps_ledger = True
    world.add(event("a", "2024-03-18T10:00:00"))
    assert world.run(max_requests_per_hour=3).error is None
    world.clock.slept.clear()
    run = world.run(max_requests_per_hour=3, properties_layout="columns", app_url=None)
    assert "all requests of this hour are used up" in str(run.error)
    assert sum(world.clock.slept) < 60
    assert capsys.readouterr().out == ""


def test_wrong_settings_end_only_what_needs_them(discover, project, caplog):
    assert discover(region="XX")["schema"] == SCHEMA
    assert "region: 'XX' is not one of" in caplog.text
    with pytest.raises(SettingsError, match="region: 'XX'"):
        discover(region="XX", properties_layout="columns")
    assert paths(project) == []


BUSY = {"error": "Query rate limit exceeded"}


@pytest.mark.parametrize(("headers", "tries"), [({}, 2), ({"Retry-After": "2"}, 2)])
def test_a_rate_limit_costs_one_more_request_and_no_later_run(
    discover, project, caplog, headers, tries
):
    break_(project, "/", 429, BUSY, **headers)
    discover()
    assert paths(project) == [f"{LEXICON}/event"] * tries + [EXPORT] * tries
    caplog.clear()
    run = project.run(properties_layout="columns", app_url=project.url)
    assert "429: Query rate limit exceeded" in str(run.error)
    assert "Mixpanel is asked again after 12:1" in str(run.error)
    assert len(paths(project)) == 2 * tries
    project.clock.advance(minutes=11)
    project.emulator.faults.clear()
    assert "$browser" in listed(discover())


def test_a_rate_limit_that_lasts_is_not_tried_again(discover, project):
    break_(project, "/", 429, BUSY, **{"Retry-After": "1800"})
    discover()
    assert paths(project) == [f"{LEXICON}/event", EXPORT]
    assert sum(project.clock.slept) == 0


def test_a_sample_that_failed_is_asked_for_again_after_minutes(discover, project):
    break_(project, EXPORT, 429, BUSY)
    for _ in range(3):
        assert "price" in listed(discover())
    assert len(paths(project)) == 3
    project.emulator.faults.clear()
    project.clock.advance(minutes=11)
    assert "$browser" in listed(discover())


@pytest.mark.parametrize("change", [{"events": ["Opened"]}, {"service_account_secret": SECRET}])
def test_a_corrected_setting_is_not_held_up_by_a_failure(discover, project, change):
    break_(project, "/", 500, "oops")
    discover(service_account_secret="Other-secret-1")
    project.emulator.faults.clear()
    assert "$browser" in listed(discover(**change))


def test_a_refusal_is_asked_about_again_at_once(discover, project):
    break_(project, EXPORT, 403, {"error": "not yours"})
    break_(project, LEXICON, 403, {"error": "not yours"})
    discover()
    project.emulator.faults.clear()
    assert "$browser" in listed(discover())


def test_what_is_kept_of_a_failure_names_no_secret(discover, project):
    break_(project, "/", 500, f"oops {SECRET}")
    discover()
    (kept,) = (project.state_dir / "discovery").glob("*.failed")
    assert "Mixpanel answered 500: oops ***" in kept.read_text()
    assert SECRET not in kept.read_text()
    kept.write_text("[]")
    project.emulator.faults.clear()
    assert "$browser" in listed(discover())
    assert not kept.exists()


OWN = "http://127.0.0.1:8001"
NAMED = [
    ({}, True),
    ({"api_url": OWN}, False),
    ({"api_url": OWN, "app_url": "https://mixpanel.com"}, True),
    ({"api_url": OWN, "app_url": OWN}, True),
    ({"app_url": OWN}, True),
    ({"api_url": "https://data.mixpanel.com/"}, True),
    ({"api_url": "https://data-eu.mixpanel.com"}, False),
    ({"api_url": "https://data-eu.mixpanel.com", "region": "EU"}, True),
]


@pytest.mark.parametrize(("named", "asks"), NAMED)
def test_an_app_host_is_asked_if_it_is_named_or_the_export_hosts_own(project, named, asks):
    """Whatever it is called: who names it means it."""
    settings = project.tap_class()(config=project.config(**{"api_url": None, **named})).settings
    assert settings.asks_app_host == asks

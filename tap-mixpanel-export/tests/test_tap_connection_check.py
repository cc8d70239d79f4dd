"""``--test`` on real sockets: what is found, what is to be corrected, and the exit code."""

from __future__ import annotations

import json
import socket

import pytest
from connection_world import (
    ACCOUNTS,
    API_SECRET,
    BAD_LINE,
    ELSEWHERE,
    EXPORT,
    ME,
    OAUTH_TOKEN,
    ONLY_SECRET,
    ORDINARY,
    OTHERS,
    OTHERS_USE,
    PROJECT_ID,
    SECRET,
    USED_UP,
    YESTERDAY,
    sound_events,
    status,
    verdicts,
)
from emulators.mixpanel import Limits, Project
from tap_mixpanel_export.hosts import RegionHosts
from tap_mixpanel_export.request_ledger import BudgetLimits, RequestLedger
from tap_mixpanel_export.tap import TapMixpanelExport


def test_all_is_well(mixpanel, event):
    mixpanel.start([ORDINARY])
    mixpanel.emulators["US"].add_events(PROJECT_ID, sound_events(event))
    out, code = mixpanel.test()
    assert code == 0
    hosts = mixpanel.regions["US"]
    assert verdicts(out) == {
        "credentials": ("ok", f"{hosts.app} knows the account"),
        "project access": ("ok", "project 4711 is 'Shop'"),
        "residency": ("ok", "the project was found on US"),
        "export": ("ok", "allowed; 20 events of 2024-03-19 as a sample"),
        "event times": ("ok", "20 events fit event_time_basis 'utc'"),
        "quota": ("ok", f"59 of 60 requests are left in this hour for this machine; {OTHERS_USE}"),
    }
    (export,) = mixpanel.asked("/api/2.0/export")
    assert (export.query["from_date"], export.query["to_date"]) == (YESTERDAY, YESTERDAY)
    assert export.query["limit"] == "1000"
    assert mixpanel.asked("/api", "EU") == mixpanel.asked("/api", "IN") == []


def test_at_most_ten_projects_are_named(mixpanel):
    mixpanel.start(OTHERS)
    text = verdicts(mixpanel.test()[0])["project access"][1]
    assert text.count("Brand") == 10
    assert "29 'Brand 29' and 3 more): set project_id to one of them, or give the acc" in text


APP_HOST_TROUBLE = {
    "not JSON": (status(ME, 200, "<html>"), "answered 200 without an account's projects"),
    "no object": (status(ME, 200, [1]), "answered 200 without an account's projects"),
    "no results": (status(ME, 200, {"results": []}), "without an account's projects"),
    "5xx": (status(ME, 503, "busy"), "answered 503: busy; run --test again later"),
    "404": (status(ME, 404, "Not Found"), "answered 404: Not Found; check app_url and region"),
    "403": (status(ME, 403, {"error": "no", "status": "error"}), "answered 403: no; this service"),
    "429": (status(ME, 429, "slowly"), "answered 429: slowly; run --test again in a minute"),
    "redirect": (status(ME, 302, "", Location="/login"), "the tap follows no redirect"),
    "cut": ({"kind": "close", "path": ME}, "no answer from http"),
}


@pytest.mark.parametrize("name", APP_HOST_TROUBLE)
def test_an_app_host_in_trouble_is_a_warning_where_the_export_works(mixpanel, event, name):
    mixpanel.start([ORDINARY])
    mixpanel.emulators["US"].add_events(PROJECT_ID, sound_events(event))
    fault, words = APP_HOST_TROUBLE[name]
    mixpanel.fault(**fault)
    out, code = mixpanel.test()
    assert code == 0
    found = verdicts(out)
    assert found["credentials"][0] == "warn"
    assert words in found["credentials"][1]
    assert found["project access"] == ("skip", "not looked up; see the export below")
    assert found["residency"] == ("ok", "US has answered the export")
    assert SECRET not in out + mixpanel.err


def test_another_app_host_in_trouble_is_not_said_to_lack_the_project(mixpanel):
    mixpanel.start(OTHERS)
    mixpanel.fault("close", path=ME, region="EU")
    assert verdicts(mixpanel.test()[0])["residency"][1] == "not found on IN either"
    mixpanel.fault("close", path=ME, region="IN")
    assert verdicts(mixpanel.test()[0])["residency"][1] == "no other region could be asked"


def test_an_account_without_any_project(mixpanel):
    mixpanel.start([])
    mixpanel.fault(**status(ME, 200, {"status": "ok", "results": {"projects": {}}}))
    out, code = mixpanel.test()
    assert code == 1
    assert verdicts(out)["project access"][1].startswith("the account has no project: give the acc")


def test_a_project_id_may_be_written_with_zeros(mixpanel):
    mixpanel.start([ORDINARY])
    assert verdicts(mixpanel.test(project_id="0004711")[0])["project access"][0] == "ok"


def test_hosts_that_do_not_answer(mixpanel):
    mixpanel.start([ORDINARY])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = f"http://127.0.0.1:{listener.getsockname()[1]}"
    out, code = mixpanel.test(api_url=nowhere, app_url=nowhere)
    assert code == 1
    found = verdicts(out)
    assert found["credentials"][0] == "warn"
    assert f"no answer from {nowhere} (ConnectionError: " in found["credentials"][1]
    assert found["export"][0] == "FAIL"
    assert f"the connection to {nowhere} failed" in found["export"][1]
    assert "check api_url and region" in found["export"][1]


def test_the_app_host_of_another_service_is_not_asked(mixpanel):
    """An emulator's or a proxy's credentials are nothing for Mixpanel's own hosts."""
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test(api_url=mixpanel.regions["EU"].export)
    assert code == 1
    found = verdicts(out)
    assert found["credentials"][1].startswith("not looked up, since api_url is set without app_url")
    assert found["export"][0] == "FAIL"
    assert found["residency"] == ("skip", "api_url or app_url names the hosts")
    assert mixpanel.asked("/api") == mixpanel.asked("/api", "IN") == []


def test_with_hosts_of_ones_own_no_other_region_is_tried(mixpanel):
    mixpanel.start([ELSEWHERE, *OTHERS])
    url = mixpanel.regions["US"].export
    out, code = mixpanel.test(api_url=url, app_url=url)
    assert code == 1
    assert verdicts(out)["project access"][0] == "FAIL"
    assert verdicts(out)["residency"] == ("skip", "api_url or app_url names the hosts")
    assert mixpanel.asked("/api", "EU") == []


def test_a_project_that_mixpanel_places_on_another_host(mixpanel):
    mixpanel.start([])
    projects = {"4711": {"name": "Shop", "domain": "eu.mixpanel.com"}}
    mixpanel.fault(**status(ME, 200, {"status": "ok", "results": {"projects": projects}}))
    mixpanel.regions["EU"] = RegionHosts("https://data-eu.invalid", "https://eu.mixpanel.com")
    out, code = mixpanel.test()
    assert code == 1
    words = "Mixpanel has the project on eu.mixpanel.com: set region to EU (now US)"
    assert verdicts(out)["residency"] == ("FAIL", words)


@pytest.mark.parametrize(
    "settings", [{"api_secret": API_SECRET}, {"oauth_token": OAUTH_TOKEN}, {"project_id": None}]
)
def test_other_credentials_are_tried_with_the_export(mixpanel, event, settings):
    mixpanel.start([ORDINARY])
    mixpanel.emulators["US"].add_events(PROJECT_ID, sound_events(event))
    if "project_id" in settings:
        settings = {**settings, "api_secret": API_SECRET}
    out, code = mixpanel.test(**ONLY_SECRET, **settings)
    assert code == 0
    assert {check: verdict for check, (verdict, _) in verdicts(out).items()} == {
        "credentials": "skip",
        "project access": "skip",
        "export": "ok",
        "residency": "ok",
        "event times": "ok",
        "quota": "ok",
    }
    assert mixpanel.asked(ME) == []


def test_a_wrong_time_basis_is_found_in_the_sample(mixpanel, event, millis):
    project = Project(
        PROJECT_ID, time_basis="project", timezone="US/Pacific", service_accounts=ACCOUNTS
    )
    mixpanel.start([project])
    received = millis(f"{YESTERDAY}T17:00:01")
    mixpanel.emulators["US"].add_events(
        PROJECT_ID,
        [
            event(f"e{n}", f"{YESTERDAY}T10:00:00", **{"$mp_api_timestamp_ms": received})
            for n in range(6)
        ],
    )
    out, code = mixpanel.test()
    assert code == 1
    verdict, text = verdicts(out)["event times"]
    assert verdict == "FAIL"
    assert "events seem to happen 7 h before their arrival at Mixpanel" in text
    assert "event_time_basis 'project' and that zone" in text
    right = {"event_time_basis": "project", "project_timezone": "America/Los_Angeles"}
    out, code = mixpanel.test(**right)
    assert code == 0
    assert verdicts(out)["event times"][0] == "ok"
    assert verdicts(out)["zone"] == ("ok", "Mixpanel shows US/Pacific for the project")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("Europe/Berlin", ("ok", "Mixpanel shows Europe/Berlin for the project")),
        ("Europe/London", ("warn", "project_timezone is Europe/Paris: set it to the zone in")),
        ("Nowhere/Land", None),
    ],
)
def test_the_zone_is_compared_with_the_one_that_mixpanel_shows(mixpanel, shown, expected):
    mixpanel.start([])
    projects = {"4711": {"name": "Shop", "timezone": shown}}
    mixpanel.fault(**status(ME, 200, {"status": "ok", "results": {"projects": projects}}))
    mixpanel.fault(**status(EXPORT, 200, ""))
    mixpanel.emulators["US"].projects[PROJECT_ID] = ORDINARY
    out, code = mixpanel.test(event_time_basis="project", project_timezone="Europe/Paris")
    assert code == 0
    found = verdicts(out).get("zone")
    assert (found is None) if expected is None else found[0] == expected[0]
    assert expected is None or expected[1] in found[1]


def test_too_few_events_to_tell(mixpanel, event):
    mixpanel.start([ORDINARY])
    imported = [event(f"i{n}", f"{YESTERDAY}T11:00:00", **{"$import": True}) for n in range(9)]
    mixpanel.emulators["US"].add_events(PROJECT_ID, [*sound_events(event, 4), *imported])
    out, code = mixpanel.test()
    assert code == 0
    verdict, text = verdicts(out)["event times"]
    assert verdict == "skip"
    assert text.startswith("4 of 13 events were received as they happened, too few")


def test_no_day_after_end_date_is_asked_for(mixpanel):
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test(end_date="2024-03-05")
    assert code == 0
    assert "2024-03-05 has no event" in verdicts(out)["export"][1]


def test_a_day_without_events_is_told(mixpanel):
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test()
    assert code == 0
    assert verdicts(out)["export"][0] == "warn"
    assert "2024-03-19 has no event" in verdicts(out)["export"][1]


def test_the_request_is_taken_from_the_ledger(mixpanel):
    mixpanel.start([ORDINARY], limits=Limits(per_hour=60))
    assert "2 of 3 requests" in verdicts(mixpanel.test(max_requests_per_hour=3)[0])["quota"][1]
    mixpanel.test(max_requests_per_hour=3)
    assert "0 of 3 requests" in verdicts(mixpanel.test(max_requests_per_hour=3)[0])["quota"][1]
    out, code = mixpanel.test(max_requests_per_hour=3)
    assert code == 1
    words = f"not asked: {USED_UP}; run --test again after 13:01 UTC"
    assert verdicts(out)["export"] == ("FAIL", words)
    words = f"0 of 3 requests are left in this hour for this machine; {OTHERS_USE}"
    assert verdicts(out)["quota"] == ("warn", words)
    assert "waiting" not in mixpanel.err
    assert len(mixpanel.asked(EXPORT)) == 3


def test_it_does_not_wait_for_long(mixpanel, fake_clock):
    mixpanel.start([ORDINARY])
    mixpanel.fault(**status(EXPORT, 429, "busy"))
    mixpanel.test()
    assert sum(fake_clock.slept) < 60
    assert len(mixpanel.asked(EXPORT)) <= 8


def test_only_the_schema_is_written_if_asked_for(mixpanel):
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test("--test=schema")
    assert code == 0
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["SCHEMA"]
    assert mixpanel.asked("/api") == []


def test_columns_are_not_discovered_before_the_checks(mixpanel):
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test(properties_layout="columns", service_account_secret="wrong")
    assert code == 1
    assert verdicts(out)["credentials"][0] == "FAIL"
    assert [entry.path for entry in mixpanel.asked("/api")] == [ME]


@pytest.mark.parametrize("layout", ["object", "columns"])
@pytest.mark.parametrize("maps", [{"events": {"x": "bad syntax ("}}, {"event": {}}])
def test_wrong_stream_maps_are_found_too(mixpanel, layout, maps):
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test(stream_maps=maps, properties_layout=layout)
    assert (out, code) == ("", 1)
    assert "stream_maps: " in mixpanel.err
    assert mixpanel.asked("/api") == []


def test_stream_maps_may_name_columns_that_are_not_known_yet(mixpanel):
    mixpanel.start([ORDINARY])
    maps = {"events": {"browser": "mp_browser", "loud": "str(price).upper()", "city": None}}
    assert mixpanel.test(stream_maps=maps, properties_layout="columns")[1] == 0
    assert "no column" not in mixpanel.err
    assert mixpanel.test(stream_maps=maps) == ("", 1)
    assert "stream_maps.events: there is no column 'city' to take out" in mixpanel.err


def test_malformed_lines_are_a_warning_if_they_are_put_aside(mixpanel):
    mixpanel.start([ORDINARY])
    mixpanel.fault(**status(EXPORT, 200, f"{BAD_LINE}\n{BAD_LINE}\n"))
    out, code = mixpanel.test(on_invalid_line="quarantine")
    assert code == 0
    verdict, text = verdicts(out)["export"]
    assert verdict == "warn"
    assert "2 of 2 lines of 2024-03-19 are malformed (line 1: " in text
    assert "no event" not in text


def test_the_export_decides_about_a_project_that_is_not_listed(mixpanel, event):
    mixpanel.start([ORDINARY])
    mixpanel.emulators["US"].add_events(PROJECT_ID, sound_events(event))
    projects = {"20": {"name": "Blog"}}
    mixpanel.fault(**status(ME, 200, {"status": "ok", "results": {"projects": projects}}))
    out, code = mixpanel.test()
    assert code == 0
    found = verdicts(out)
    assert found["project access"][0] == "warn"
    assert "its export works all the same" in found["project access"][1]
    assert "is none of the account's projects (20 'Blog')" in found["project access"][1]
    assert found["export"][0] == "ok"
    assert len(mixpanel.asked(EXPORT)) == 1
    mixpanel.fault(**status(EXPORT, 500, "oops"))
    out, code = mixpanel.test()
    assert code == 1
    assert verdicts(out)["project access"][1].startswith("its export is undecided, see below; proj")


def test_an_empty_export_does_not_tell_the_region(mixpanel):
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test(**ONLY_SECRET, api_secret=API_SECRET)
    assert code == 0
    words = "US has answered the export with no event, which does not tell the region"
    assert verdicts(out)["residency"] == ("skip", words)


def test_other_runs_that_hold_every_download(mixpanel, tmp_path, logger, fake_clock):
    mixpanel.start([ORDINARY])
    owner = f"{mixpanel.regions['US'].export} {PROJECT_ID}"
    limits = BudgetLimits(per_hour=60, at_once=1)
    ledger = RequestLedger(tmp_path / "state", owner, limits, clock=fake_clock, logger=logger)
    lease = ledger.try_begin()
    try:
        fake_clock.advance(minutes=1)
        out, code = mixpanel.test(max_concurrent_requests=1)
    finally:
        lease.release()
    assert code == 1
    assert "requests of other runs are under way (max_concurrent_req" in verdicts(out)["export"][1]


def test_an_unknown_kind_of_test_is_refused(mixpanel):
    mixpanel.start([ORDINARY])
    out, code = mixpanel.test("--test=records")
    assert (out, code) == ("", 2)
    assert "'records' is none of all, schema, disabled" in mixpanel.err


@pytest.mark.usefixtures("restored_logging")
def test_the_help_tells_of_the_checks(capsys):
    with pytest.raises(SystemExit):
        TapMixpanelExport.cli(["--help"])
    assert "print a line for each check" in " ".join(capsys.readouterr().out.split())

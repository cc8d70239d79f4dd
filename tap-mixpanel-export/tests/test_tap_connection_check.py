"""``--test`` on real sockets: what is found, what is to be corrected, and the exit code."""

from __future__ import annotations

import base64
import json
import logging
import socket
import sys
import warnings
from contextlib import ExitStack
from typing import ClassVar

import pytest
from emulators.faults import Fault
from emulators.mixpanel import Limits, MixpanelEmulator, Project, running
from tap_mixpanel_export.hosts import RegionHosts
from tap_mixpanel_export.request_ledger import BudgetLimits, RequestLedger
from tap_mixpanel_export.tap import TapMixpanelExport

PROJECT_ID = 4711
USERNAME = "loader.5f3a.mp-service-account"
SECRET = "Zr8uVq2LxTn4Pw6y"
API_SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OAUTH_TOKEN = "oauth-7d9c1f2e8b"
YESTERDAY = "2024-03-19"
ACCOUNTS = {USERNAME: SECRET}
ONLY_SECRET = {"service_account_username": None, "service_account_secret": None}

ORDINARY = Project(
    PROJECT_ID,
    name="Shop",
    service_accounts=ACCOUNTS,
    api_secret=API_SECRET,
    oauth_tokens=[OAUTH_TOKEN],
)
ELSEWHERE = Project(
    PROJECT_ID,
    name="Shop",
    region="EU",
    service_accounts=ACCOUNTS,
    api_secret=API_SECRET,
    oauth_tokens=[OAUTH_TOKEN],
)
IN_INDIA = Project(PROJECT_ID, region="IN", api_secret=API_SECRET)
OTHERS = [Project(n, name=f"Brand {n}", service_accounts=ACCOUNTS) for n in range(20, 33)]


class Mixpanel:
    """Three hosts, one for each region, and the tap's command to test them with."""

    def __init__(self, clock, tmp_path, capsys):
        self._stack = ExitStack()
        self._clock = clock
        self._path = tmp_path
        self._capsys = capsys
        self.emulators = {}
        self.regions = {}
        self.err = ""

    def start(self, projects, limits=None):
        for region in ("US", "EU", "IN"):
            emulator = MixpanelEmulator(
                self._path / region,
                projects=projects,
                region=region,
                limits=limits,
                now=self._clock.now,
            )
            url = self._stack.enter_context(running(emulator))
            self.emulators[region] = emulator
            self.regions[region] = RegionHosts(url, url)

    def stop(self):
        self._stack.close()

    def fault(self, kind, *, path, region="US", times=None, **args):
        self.emulators[region].faults.add(Fault(kind, times=times, match={"path": path}, args=args))

    def asked(self, path, region="US"):
        return self.emulators[region].requests.entries(path)

    def test(self, value="--test", **settings):
        """Run ``--test``; returns the report's lines by check, and the exit code."""

        class TestedTap(TapMixpanelExport):
            """The tap in a world of three local hosts."""

            clock: ClassVar = self._clock
            regions: ClassVar = self.regions

        config = {
            "service_account_username": USERNAME,
            "service_account_secret": SECRET,
            "project_id": PROJECT_ID,
            "start_date": "2024-03-01",
            "state_dir": str(self._path / "state"),
            "request_timeout": 20,
            **settings,
        }
        path = self._path / "config.json"
        path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
        with warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
            TestedTap.cli(["--config", str(path), value])
        out, self.err = self._capsys.readouterr()
        return out, ended.value.code


@pytest.fixture
def restored_logging(monkeypatch):
    """Takes back what the command line does to the process."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    loggers = [logging.getLogger(name) for name in ("", "tap-mixpanel-export", "singer_sdk")]
    before = [([*logger.handlers], logger.level, logger.propagate) for logger in loggers]
    yield
    logging.captureWarnings(capture=False)
    for logger, (handlers, level, propagates) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagates


@pytest.fixture
def mixpanel(fake_clock, tmp_path, capsys, restored_logging):
    del restored_logging
    world = Mixpanel(fake_clock, tmp_path, capsys)
    yield world
    world.stop()


def verdicts(out):
    """The verdict and text of each check."""
    return {line[6:20].strip(): (line[:4].strip(), line[22:]) for line in out.splitlines()}


def sound_events(event, count=20, **properties):
    return [
        event(f"e{n}", f"{YESTERDAY}T10:00:{n:02d}", arrived=f"{YESTERDAY}T10:00:{n:02d}.900000")
        | properties
        for n in range(count)
    ]


OTHERS_USE = "what other machines and tools have used is not known"
USED_UP = "all requests of this hour are used up on this machine"


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


def status(path, code, body="", **headers):
    return {"kind": "status", "path": path, "status": code, "body": body, "headers": headers}


ME, EXPORT = "/api/app/me", "/api/2.0/export"
UNKNOWN = "Mixpanel answered 401: Invalid service account credentials; check "
EXPIRED = "or the account has expired or was deleted, which is refused in the same words"
LIMIT_TEXT = (
    "Query rate limit exceeded for project_id: 4711. 61/60 queries running in the last hour"
)

LINE = '{"event": "Opened", "properties": {"time": 1710842400000, "distinct_id": "ada"}}'
BAD_LINE = '{"event": "Opened", "properties": {"time": "noon"}}'

REFUSALS = {
    "wrong secret": (
        [ORDINARY],
        {"service_account_secret": "Wrong-secret-1"},
        [],
        {
            "credentials": ("FAIL", UNKNOWN + "service_account_username and service_account_se"),
            "project access": ("skip", "the credentials are refused"),
            "residency": ("skip", "not found on EU and IN either"),
            "export": ("skip", "not asked"),
            "quota": ("ok", "60 of 60 requests are left in this hour"),
        },
    ),
    "wrong user": (
        [ORDINARY],
        {"service_account_username": "nobody.1.mp-service-account"},
        [],
        {"credentials": ("FAIL", "the username or the secret is wrong")},
    ),
    "expired account": (
        [Project(PROJECT_ID, service_accounts=ACCOUNTS, expiries={USERNAME: 1_700_000_000})],
        {},
        [],
        {"credentials": ("FAIL", EXPIRED)},
    ),
    "refused with 400": (
        [ORDINARY],
        {},
        [status(ME, 400, "Unable to authenticate request")],
        {"credentials": ("FAIL", "Mixpanel answered 400: Unable to authenticate request; check")},
    ),
    "another project": (
        OTHERS,
        {},
        [],
        {
            "credentials": ("ok", "knows the account"),
            "project access": (
                "FAIL",
                "project_id 4711 is none of the account's projects (20 'Brand 20', 21 'Brand 21',",
            ),
            "residency": ("skip", "not found on EU and IN either"),
            "export": ("FAIL", "Mixpanel answered 403: No permission to read project 4711"),
        },
    ),
    "wrong residency": (
        [ELSEWHERE],
        {},
        [],
        {
            "credentials": ("ok", "EU knows the account"),
            "project access": ("ok", "project 4711 is 'Shop'"),
            "residency": ("FAIL", "the project was found on EU: set region to EU (now US)"),
            "export": ("skip", "not asked"),
        },
    ),
    "wrong residency, known account": (
        [ELSEWHERE, *OTHERS],
        {},
        [],
        {"residency": ("FAIL", "the project was found on EU: set region to EU (now US)")},
    ),
    "account of another residency without the project": (
        [Project(8, name="Blog", region="IN", service_accounts=ACCOUNTS)],
        {},
        [],
        {
            "project access": ("FAIL", "is none of the account's projects (8 'Blog')"),
            "residency": ("FAIL", "the account was found on IN: set region to IN (now US)"),
        },
    ),
    "api_secret of another residency": (
        [ELSEWHERE],
        {**ONLY_SECRET, "api_secret": API_SECRET},
        [],
        {
            "credentials": ("skip", "only an export shows whether api_secret is right"),
            "export": ("FAIL", "Mixpanel answered 400: Unable to authenticate request; check api_"),
            "residency": ("FAIL", "the credentials were accepted on EU: set region to EU"),
            "quota": ("ok", "59 of 60"),
        },
    ),
    "wrong api_secret": (
        [ORDINARY],
        {**ONLY_SECRET, "api_secret": "Wrong-secret-1"},
        [],
        {
            "export": ("FAIL", "check api_secret, project_id and region: the secret is wrong, was"),
            "residency": ("skip", "not found on EU and IN either"),
            "event times": ("skip", "no event was seen"),
        },
    ),
    "wrong oauth_token": (
        [ORDINARY],
        {**ONLY_SECRET, "oauth_token": "Wrong-secret-1"},
        [],
        {"export": ("FAIL", "check oauth_token, project_id and region: the token is wrong or has")},
    ),
    "plan": (
        [Project(PROJECT_ID, plan_allows_export=False, service_accounts=ACCOUNTS)],
        {},
        [],
        {
            "project access": ("ok", "'Project 4711'"),
            "export": ("FAIL", "Mixpanel answered 402: Your plan does not support raw data export"),
            "event times": ("skip", "no event was seen"),
            "quota": ("ok", "59 of 60"),
        },
    ),
    "no permission to export": (
        [Project(PROJECT_ID, service_accounts=ACCOUNTS, denied_exports=[USERNAME])],
        {},
        [],
        {"export": ("FAIL", "Mixpanel answered 403: No permission to read project 4711; give the")},
    ),
    "rate limit": (
        [ORDINARY],
        {},
        [status(EXPORT, 429, {"error": LIMIT_TEXT})],
        {"export": ("FAIL", "run --test again at the latest after 13:01 UTC")},
    ),
    "rate limit with its end": (
        [ORDINARY],
        {},
        [status(EXPORT, 429, {"error": LIMIT_TEXT}, **{"Retry-After": "1800"})],
        {"export": ("FAIL", "run --test again after 12:30 UTC")},
    ),
    "export fails": (
        [ORDINARY],
        {},
        [status(EXPORT, 500, "unknown error")],
        {"export": ("FAIL", "Mixpanel answered 500: unknown error; run --test again later")},
    ),
    "export takes too long": (
        [ORDINARY],
        {},
        [status(EXPORT, 504, "too long")],
        {"export": ("FAIL", "504: too long; a run has more patience: run --test again later")},
    ),
    "export is cut": (
        [ORDINARY],
        {},
        [{"kind": "reset", "path": EXPORT}],
        {"export": ("FAIL", "; run --test again later")},
    ),
    "export host is not Mixpanel's": (
        [ORDINARY],
        {},
        [status(EXPORT, 200, "<html>Welcome</html>\n")],
        {"export": ("FAIL", "line 1: it is not JSON")},
    ),
    "export elsewhere": (
        [ORDINARY],
        {},
        [status(EXPORT, 404, "Not Found")],
        {"export": ("FAIL", "Mixpanel answered 404: Not Found; check api_url and region")},
    ),
    "day not begun": (
        [ORDINARY],
        {},
        [status(EXPORT, 400, "to_date cannot be later than today")],
        {"export": ("FAIL", "though a day before today was asked for; check project_timezone")},
    ),
    "malformed lines": (
        [ORDINARY],
        {},
        [status(EXPORT, 200, f"{LINE}\n{{}}\n[1]\n{LINE}\n")],
        {
            "export": ("FAIL", "2 of 4 lines of 2024-03-19 are malformed (line 2: "),
            "event times": ("skip", "0 of 2 events"),
        },
    ),
    "nothing but malformed lines": (
        [ORDINARY],
        {},
        [status(EXPORT, 200, f"{BAD_LINE}\n{BAD_LINE}\n")],
        {"export": ("FAIL", "2 of 2 lines of 2024-03-19 are malformed (line 1: ")},
    ),
    "forbidden, but not elsewhere": (
        [ORDINARY, IN_INDIA],
        {**ONLY_SECRET, "api_secret": API_SECRET},
        [status(EXPORT, 403, {"error": "not yours"})],
        {"residency": ("FAIL", "the credentials were accepted on IN: set region to IN (now US)")},
    ),
    "not found, here and elsewhere": (
        [],
        {**ONLY_SECRET, "api_secret": API_SECRET},
        [{**status(EXPORT, 404, "Not Found"), "region": region} for region in ("US", "EU", "IN")],
        {"residency": ("skip", "not found on EU and IN either")},
    ),
    "empty here, events elsewhere": (
        [ORDINARY, ELSEWHERE],
        {**ONLY_SECRET, "oauth_token": OAUTH_TOKEN},
        [status(EXPORT, 200, ""), {**status(EXPORT, 200, f"{LINE}\n"), "region": "EU"}],
        {
            "export": ("warn", "has no event: if the project has some, check project_id, region,"),
            "event times": ("skip", "0 of 0 events"),
            "residency": ("FAIL", "EU has events of 2024-03-19 and US has none: set region to EU"),
        },
    ),
    "wrong filter": (
        [ORDINARY],
        {"where": "properties["},
        [],
        {"export": ("FAIL", "fix the setting where")},
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_a_line_that_says_what_to_do(mixpanel, name):
    projects, settings, faults, expected = REFUSALS[name]
    mixpanel.start(projects)
    for fault in faults:
        mixpanel.fault(**fault)
    out, code = mixpanel.test(**settings)
    assert code == 1
    found = verdicts(out)
    for check, (verdict, words) in expected.items():
        assert found[check][0] == verdict, out
        assert words in found[check][1]
    assert "Traceback" not in mixpanel.err
    written = out + mixpanel.err
    for secret in (SECRET, "Wrong-secret-1", API_SECRET, OAUTH_TOKEN, USERNAME, encoded()):
        assert secret not in written


def encoded():
    return base64.b64encode(f"{USERNAME}:{SECRET}".encode()).decode()


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
def test_wrong_stream_maps_are_found_too(mixpanel, layout):
    mixpanel.start([ORDINARY])
    maps = {"events": {"x": "bad syntax ("}}
    out, code = mixpanel.test(stream_maps=maps, properties_layout=layout)
    assert (out, code) == ("", 1)
    assert "stream_maps: " in mixpanel.err
    assert mixpanel.asked("/api") == []


def test_stream_maps_may_name_columns_that_are_not_known_yet(mixpanel):
    mixpanel.start([ORDINARY])
    maps = {"events": {"browser": "mp_browser", "loud": "str(price).upper()"}}
    assert mixpanel.test(stream_maps=maps, properties_layout="columns")[1] == 0


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

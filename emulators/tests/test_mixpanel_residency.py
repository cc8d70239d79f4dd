"""Which hosts know a project and its accounts, and what ``/api/app/me`` tells of them."""

from __future__ import annotations

import pytest
import requests
from emulators.faults import Fault
from emulators.mixpanel import MixpanelEmulator, Project, cli

NOW = 1_714_600_000.0
ACCOUNT = ("robot", "pass")
ACCOUNTS = {"robot": "pass"}
EXPORT, ME = "/api/2.0/export", "/api/app/me"
DAY = {"from_date": "2024-04-30", "to_date": "2024-04-30"}

PROJECTS = [
    Project(1, name="Shop", timezone="US/Pacific", service_accounts=ACCOUNTS, api_secret="s1"),
    Project(2, region="EU", service_accounts=ACCOUNTS, api_secret="s2", oauth_tokens=["t2"]),
    Project(3, region="EU", service_accounts=ACCOUNTS, denied_exports=["robot"]),
    Project(4, region="IN", service_accounts=ACCOUNTS, expiries={"robot": NOW + 60}),
]


@pytest.fixture
def ask(serve):
    """A function that starts a region's host and asks it."""

    def ask(region, path, auth=ACCOUNT, *, later=0.0, fault=None, headers=None, **parameters):
        emulator = MixpanelEmulator(projects=PROJECTS, region=region, now=lambda: NOW + later)
        if fault is not None:
            emulator.faults.add(fault)
        query = {**DAY, **parameters} if path == EXPORT else parameters
        url = serve(emulator) + path
        return requests.get(url, params=query, auth=auth, headers=headers, timeout=10)

    return ask


@pytest.mark.parametrize(
    ("region", "projects"),
    [(None, {"1", "2", "3", "4"}), ("US", {"1"}), ("EU", {"2", "3"}), ("IN", {"4"})],
)
def test_a_host_knows_the_projects_of_its_region(ask, region, projects):
    assert set(ask(region, ME).json()["results"]["projects"]) == projects


@pytest.mark.parametrize(
    ("region", "auth", "headers", "project_id", "status"),
    [
        ("EU", ACCOUNT, None, 2, 200),
        ("US", ACCOUNT, None, 2, 403),
        ("EU", ("s2", ""), None, None, 200),
        ("US", ("s2", ""), None, None, 400),
        ("EU", None, {"Authorization": "Bearer t2"}, 2, 200),
        ("US", None, {"Authorization": "Bearer t2"}, 2, 401),
        ("EU", ACCOUNT, None, 3, 403),
    ],
)
def test_who_may_export_where(ask, region, auth, headers, project_id, status):
    given = {} if project_id is None else {"project_id": project_id}
    assert ask(region, EXPORT, auth, headers=headers, **given).status_code == status


def test_an_expired_account_is_as_unknown_as_a_wrong_one(ask):
    assert ask("IN", ME).status_code == 200
    for path, given in ((ME, {}), (EXPORT, {"project_id": 4})):
        expired = ask("IN", path, later=60.0, **given)
        wrong = ask("IN", path, ("robot", "wrong"), **given)
        assert expired.status_code == wrong.status_code == 401
        assert expired.json()["error"] == wrong.json()["error"]


def test_me_tells_of_organizations_projects_and_workspaces(ask):
    answer = ask("US", ME, include_workspace_users="false").json()
    assert answer["status"] == "ok"
    results = answer["results"]
    assert results["organizations"] == {"1": {"id": 1, "name": "Emulated organization"}}
    assert results["projects"] == {
        "1": {
            "name": "Shop",
            "organization_id": 1,
            "timezone": "US/Pacific",
            "domain": "mixpanel.com",
            "has_workspaces": True,
        }
    }
    (workspace,) = results["workspaces"].values()
    assert workspace["project_id"] == 1


def test_me_refuses_in_the_form_of_the_app_host(ask):
    refusal = ask("US", ME, ("robot", "wrong"))
    assert refusal.status_code == 401
    assert refusal.json()["status"] == "error"
    assert set(refusal.json()) == {"error", "status"}


@pytest.mark.parametrize(("options", "status"), [([], 200), (["--no-export-in-plan"], 402)])
def test_the_command_serves_a_plan_without_export(serve, options, status):
    project = cli._project(cli._parser().parse_args(options))
    url = serve(MixpanelEmulator(projects=[project])) + EXPORT
    user, _, secret = cli.DEFAULT_SERVICE_ACCOUNT.partition(":")
    query = {**DAY, "project_id": project.id}
    assert requests.get(url, params=query, auth=(user, secret), timeout=10).status_code == status


def test_me_can_go_wrong(ask):
    assert ask("US", ME, fault=Fault("status", args={"status": 503})).status_code == 503
    with pytest.raises(requests.ConnectionError):
        ask("US", ME, fault=Fault("close"))

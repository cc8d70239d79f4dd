"""Mixpanel as ``--test`` meets it: its regions, accounts and projects, and what is said."""

from __future__ import annotations

import base64
import json
import warnings
from contextlib import ExitStack
from typing import ClassVar

import pytest
from emulators.faults import Fault
from emulators.mixpanel import MixpanelEmulator, Project, running
from tap_mixpanel_export.hosts import RegionHosts
from tap_mixpanel_export.tap import TapMixpanelExport

PROJECT_ID = 4711
USERNAME = "loader.5f3a.mp-service-account"
SECRET = "Zr8uVq2LxTn4Pw6y"
API_SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OAUTH_TOKEN = "oauth-7d9c1f2e8b"
YESTERDAY = "2024-03-19"
ME, EXPORT = "/api/app/me", "/api/2.0/export"
LINE = '{"event": "Opened", "properties": {"time": 1710842400000, "distinct_id": "ada"}}'
BAD_LINE = '{"event": "Opened", "properties": {"time": "noon"}}'
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


def status(path, code, body="", **headers):
    return {"kind": "status", "path": path, "status": code, "body": body, "headers": headers}


def encoded():
    return base64.b64encode(f"{USERNAME}:{SECRET}".encode()).decode()

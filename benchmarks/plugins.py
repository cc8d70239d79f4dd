"""Commands and configurations of the tap and the target.

Nothing of them, or of the emulators, is imported: a measuring process has to be small.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.workload import Workload

Config = dict[str, Any]

_EMULATED_ORG = "4F3BB22C5631222A7F000101@AdobeOrg"


def plugin_command(name: str) -> list[str]:
    """The command of a plugin, or of Meltano, in this environment."""
    return [str(Path(sys.executable).parent / name)]


@cache
def plugin_settings(name: str) -> dict[str, Config]:
    """The settings that a plugin tells of, with the JSON schema of each."""
    command = [*plugin_command(name), "--about", "--format", "json"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    settings: dict[str, Config] = json.loads(told.stdout)["settings"]["properties"]
    return settings


def write_config(path: Path, config: Config) -> Path:
    """Write a configuration; returns its path."""
    path.write_text(json.dumps(config), "utf-8")
    return path


def tap_config(workload: Workload, folder: Path) -> Config:
    """Settings with which the tap exports a workload's days from the static server.

    Args:
        workload: What to export.
        folder: The run's own.
    """
    return {
        "service_account_username": "emulated.mp-service-account",
        "service_account_secret": "emulated-secret",
        "project_id": "1234567",
        "api_url": workload.url,
        "app_url": workload.url,
        "start_date": workload.first_day.isoformat(),
        "end_date": workload.last_day.isoformat(),
        "state_dir": str(folder / "tap"),
    }


def local_config(folder: Path) -> Config:
    """Settings with which the target writes to local files.

    Args:
        folder: The run's own.
    """
    return {
        "destination": "local",
        "local_path": str(folder / "rows"),
        **_paths(folder),
    }


def upload_config(url: str, folder: Path) -> Config:
    """Settings with which the target loads into the emulated Experience Platform.

    Args:
        url: Where the emulator is.
        folder: The run's own.
    """
    return {
        "client_id": "emulator-client",
        "client_secret": "emulator-secret",
        "org_id": _EMULATED_ORG,
        "ims_url": url,
        "platform_url": url,
        **_paths(folder),
    }


def _paths(folder: Path) -> Config:
    return {
        "dead_letter_path": str(folder / "dead-letters"),
        "run_summary_path": str(folder / "run-summary.json"),
    }

"""Meltano runs of this repository's project against the demo's emulators."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demo.services import Services

ROOT = Path(__file__).parent.parent
FROM_TAP = ("--from-tap", f"{Path(sys.executable).parent / 'meltano'} invoke tap-mixpanel-export")
"""Lets `plan` and `provision` look at what the tap sends."""


class MeltanoProject:
    """The project of `meltano.yml`, with state and files of the demo's own."""

    def __init__(self, services: Services, folder: Path) -> None:
        """Prepare the environment of the runs; nothing is run yet."""
        self._folder = folder
        self._environment = {
            **os.environ,
            # Meltano's own settings: state in the demo's folder, plain lines.
            "MELTANO_STATE_BACKEND_URI": (folder / "state").as_uri(),
            "MELTANO_CLI_LOG_FORMAT": "plain",
            "TAP_MIXPANEL_EXPORT_API_URL": services.mixpanel_url,
            "TAP_MIXPANEL_EXPORT_APP_URL": services.mixpanel_url,
            "TAP_MIXPANEL_EXPORT_STATE_DIR": str(folder / "tap"),
            "TARGET_AEP_IMS_URL": services.aep_url,
            "TARGET_AEP_PLATFORM_URL": services.aep_url,
            "TARGET_AEP_DEAD_LETTER_PATH": str(folder / "dead-letters"),
        }

    def install(self) -> None:
        """Install both plugins, with the versions of the lock file."""
        constraints = self._folder / "constraints.txt"
        constraints.write_text(_exported_constraints(), "utf-8")
        environment = {**self._environment, "UV_CONSTRAINT": str(constraints)}
        _run([_meltano(), "install"], environment)

    def run(self) -> None:
        """Run the pipeline once.

        Raises:
            subprocess.CalledProcessError: It failed; its log says why.
        """
        _run([_meltano(), "run", "tap-mixpanel-export", "target-aep"], self._environment)

    def sandbox_command(self, *arguments: str) -> int:
        """Run a command of the target beside loading, such as `check`; what it says is shown.

        Returns:
            Its exit code.
        """
        command = [_meltano(), "--log-level=warning", "invoke", "target-aep", *arguments]
        return subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, env=self._environment, check=False, stdin=subprocess.DEVNULL
        ).returncode

    def bookmark(self) -> dict[str, Any]:
        """The tap's bookmark that the last run has left."""
        (path,) = (self._folder / "state").glob("**/state.json")
        state = json.loads(path.read_text("utf-8"))
        bookmark: dict[str, Any] = state["completed"]["singer_state"]["bookmarks"]["events"]
        return bookmark


def _meltano() -> str:
    return str(Path(sys.executable).parent / "meltano")


def _uv() -> str:
    """The uv of this environment, which Meltano brings."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"


def _exported_constraints() -> str:
    """The locked versions of everything that the plugins may need."""
    command = [_uv(), "export", "--locked", "--quiet", "--no-hashes", "--no-emit-workspace"]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Run a command and show its log; metrics, which say nothing in plain lines, are left out."""
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout or ():
            if line.strip() != "METRIC":
                sys.stderr.write(line)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)

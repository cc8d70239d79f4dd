"""Both emulators and the bare pipe `tap | target`, as processes, for tests that need all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulators.aep import AepEmulator
from emulators.aep.demo import MIXPANEL_DATASET, install_demo
from emulators.mixpanel import NO_LIMITS, MixpanelEmulator, Project

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_ID = 7


@dataclass
class Finished:
    """How both processes of a pipe ended."""

    tap: int
    target: int
    states: list[dict[str, Any]]
    log: str


@dataclass
class Pair:
    """Two served emulators and the configurations for them."""

    folder: Path
    mixpanel: MixpanelEmulator
    aep: AepEmulator
    tap_config: dict[str, Any]
    target_config: dict[str, Any]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self.aep.inspection.rows(self.target_config["dataset_id"]))

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        files = (self.folder / "dead-letters").glob("*.jsonl")
        return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]

    def run(self, state: dict[str, Any] | None = None, **target_settings: Any) -> Finished:
        """Run the pipe once, from a state."""
        tap, target = self.arguments(state, **target_settings)
        tap = [sys.executable, "-m", "tap_mixpanel_export", *tap]
        target = [sys.executable, "-m", "target_aep", *target]
        with (
            (self.folder / "tap.log").open("w+") as tap_log,
            (self.folder / "target.log").open("w+") as target_log,
        ):
            source = subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=tap_log)
            loader = subprocess.Popen(
                target, stdin=source.stdout, stdout=subprocess.PIPE, stderr=target_log
            )
            source.stdout.close()
            output, _ = loader.communicate(timeout=240)
            source.wait(timeout=60)
            tap_log.seek(0)
            target_log.seek(0)
            log = tap_log.read() + target_log.read()
        states = [json.loads(line) for line in output.splitlines()]
        return Finished(source.returncode, loader.returncode, states, log)

    def arguments(
        self, state: dict[str, Any] | None = None, **target_settings: Any
    ) -> tuple[list[str], list[str]]:
        """The arguments of tap and target, for a run from a state."""
        tap = ["--config", self._write("tap.json", self.tap_config)]
        if state is not None:
            tap += ["--state", self._write("state.json", state)]
        settings = {**self.target_config, **target_settings}
        return tap, ["--config", self._write("target.json", settings)]

    def _write(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content), "utf-8")
        return str(path)


def make_pair(
    folder: Path, serve: Any, aep_settings: dict[str, Any] | None = None, **project_settings: Any
) -> Pair:
    """Serve both emulators and prepare the configurations of a pipe between them."""
    project = Project(PROJECT_ID, service_accounts={"robot": "robot-secret"}, **project_settings)
    mixpanel = MixpanelEmulator(folder / "mixpanel", projects=[project], limits=NO_LIMITS)
    aep = AepEmulator(folder / "aep", **(aep_settings or {}))
    dataset_id = install_demo(aep)[MIXPANEL_DATASET]
    mixpanel_url, aep_url = serve(mixpanel), serve(aep)
    return Pair(
        folder=folder,
        mixpanel=mixpanel,
        aep=aep,
        tap_config={
            "service_account_username": "robot",
            "service_account_secret": "robot-secret",
            "project_id": PROJECT_ID,
            "api_url": mixpanel_url,
            "settle_minutes": 0,
            "state_dir": str(folder / "tap"),
        },
        target_config={
            "client_id": "emulator-client",
            "client_secret": "emulator-secret",
            "org_id": aep.org,
            "ims_url": aep_url,
            "platform_url": aep_url,
            "dataset_id": dataset_id,
            "dead_letter_path": str(folder / "dead-letters"),
            "run_summary_path": str(folder / "run-summary.json"),
        },
    )

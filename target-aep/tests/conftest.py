"""A target that runs against a real server on loopback."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from check_running import Check, make_namespaces
from emulator_front import Front
from emulators.aep import AepEmulator, Promotion
from emulators.aep.demo import MIXPANEL_DATASET, install_demo
from emulators.aep.testing import AepClient
from hypothesis import settings as hypothesis_settings
from preview_running import make_runner
from singer_sdk.exceptions import SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError
from target_aep.api.calls import Timeouts
from target_aep.api.promotion import Polling
from target_aep.api.retrying import RetryPolicy
from target_aep.errors import TargetError
from target_aep.target import TargetAEP

# A busy machine is not a fault, and no examples are left behind. `HYPOTHESIS_PROFILE=nightly` is
# for the tests named fuzz: `pytest -n0 target-aep/tests/test_data_prep_fuzz.py`.
hypothesis_settings.register_profile("unhurried", deadline=None, database=None)
hypothesis_settings.register_profile("nightly", deadline=None, database=None, max_examples=100_000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unhurried"))


class EagerTarget(TargetAEP):
    """The target with retries that hardly wait."""

    retry_policy = RetryPolicy(tries=4, base=0.001, cap=0.01, longest_wish=0.01)
    polling = Polling(first=0.001, longest=0.01)


@dataclass
class Outcome:
    states: list[Any]
    error: Exception | None
    log: str


@dataclass
class Sandbox:
    """The emulator, a configuration for it, and a way to run the target."""

    emulator: AepEmulator
    config: dict[str, Any]
    dataset_id: str
    front: Front
    run: Any = field(default=None)

    def summary(self) -> dict[str, Any]:
        return self.emulator.inspection.summary(self.dataset_id)

    def ids(self) -> list[str]:
        return sorted(row["_id"] for row in self.emulator.inspection.rows(self.dataset_id))

    def calls(self, method: str, part: str) -> int:
        entries = self.emulator.requests.entries()
        return sum(entry.method == method and part in entry.path for entry in entries)


@pytest.fixture
def sandbox(serve, tmp_path, capsys, caplog):
    emulator = AepEmulator(tmp_path / "aep", promotion=Promotion(statuses=()))
    datasets = install_demo(emulator)
    front = Front(emulator)
    url = serve(front)
    config = {
        "client_id": "emulator-client",
        "client_secret": "emulator-secret",
        "org_id": emulator.org,
        "ims_url": url,
        "platform_url": url,
        "dataset_id": datasets[MIXPANEL_DATASET],
        "dead_letter_path": str(tmp_path / "dead-letters"),
    }
    box = Sandbox(emulator, config, datasets[MIXPANEL_DATASET], front)
    caplog.set_level("DEBUG")

    def run(messages, *, timeouts=None, polling=None, **settings):
        capsys.readouterr()
        caplog.clear()
        target = EagerTarget(config={**config, **settings})
        target.timeouts = timeouts or Timeouts()
        target.polling = polling or EagerTarget.polling
        lines = io.StringIO("".join(json.dumps(message) + "\n" for message in messages))
        error = None
        try:
            target.listen(lines)
        except (TargetError, SingerSDKError, SingerError) as caught:
            error = caught
            target.abandon()
        states = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return Outcome(states, error, caplog.text)

    box.run = run
    yield box
    emulator.close()


@pytest.fixture
def letters(tmp_path):
    """Reads the dead letters of a stream, over all its commits."""

    def read(stream="events"):
        files = sorted((tmp_path / "dead-letters").glob(f"{stream}-*.jsonl"))
        return [json.loads(line) for path in files for line in path.read_text("utf-8").splitlines()]

    return read


@pytest.fixture
def check(sandbox, tmp_path, monkeypatch, capsys, caplog):
    """`target-aep check` with the sandbox's settings."""
    return Check(sandbox, make_runner(tmp_path, monkeypatch, capsys, caplog))


@pytest.fixture
def client(sandbox):
    return AepClient(sandbox.config["platform_url"], sandbox.emulator)


@pytest.fixture
def namespaces(check, client):
    make_namespaces(check, client)

"""meltano.yml agrees with the plugins, and Meltano runs the pair with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from emulators.generator import Quirks, generate, late_events
from pair import PROJECT_ID, make_pair
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PLUGINS = {"tap-mixpanel-export": "extractors", "target-aep": "loaders"}
BUILT_IN = "stream_map"


def project_file():
    return YAML(typ="safe").load((ROOT / "meltano.yml").read_text("utf-8"))


def plugin(name):
    (found,) = project_file()["plugins"][PLUGINS[name]]
    assert found["name"] == name
    return found


@pytest.fixture(scope="module", params=sorted(PLUGINS))
def told_and_known(request):
    about = subprocess.run(
        [BIN / request.param, "--about", "--format", "json"], capture_output=True, check=True
    )
    return json.loads(about.stdout), plugin(request.param)


def test_every_setting_is_there_with_its_description(told_and_known):
    about, known = told_and_known
    told = {
        name: setting["description"]
        for name, setting in about["settings"]["properties"].items()
        if not name.startswith(BUILT_IN)
    }
    assert {setting["name"]: setting["description"] for setting in known["settings"]} == told


def test_secrets_and_choices_are_marked(told_and_known):
    about, known = told_and_known
    for setting in known["settings"]:
        told = about["settings"]["properties"][setting["name"]]
        assert setting.get("sensitive", False) == told.get("writeOnly", False)
        assert [option["value"] for option in setting.get("options", [])] == told.get("enum", [])
        assert setting["kind"] != "decimal"  # Meltano 4.4 can't take one from the environment


def test_only_honoured_capabilities_are_told(told_and_known):
    about, known = told_and_known
    assert set(known["capabilities"]) == set(about["capabilities"])


def test_nothing_is_reported_to_anyone():
    content = project_file()
    assert content["send_anonymous_usage_stats"] is False
    assert content["default_environment"] == "demo"
    (prod,) = (each for each in content["environments"] if each["name"] == "prod")
    assert "config" not in prod


def test_meltano_runs_the_pair_and_keeps_its_state(tmp_path, serve):
    pair = make_pair(tmp_path, serve)
    folder = tmp_path / "project"
    folder.mkdir()
    content = project_file()
    for kind in PLUGINS.values():
        # The plugins of this environment: a test installs nothing.
        del content["plugins"][kind][0]["pip_url"]
    YAML(typ="safe").dump(content, folder / "meltano.yml")
    now = datetime.now(timezone.utc) - timedelta(days=14)  # the latest arrive 11 days late
    first = list(generate(8, 2, 100, now=now, quirks=Quirks(duplicates=0.0, future=0.0)))
    pair.mixpanel.add_events(PROJECT_ID, first)
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "TAP_MIXPANEL_EXPORT_START_DATE": (now - timedelta(days=1)).date().isoformat(),
        "TARGET_AEP_MAX_REJECTED_PERCENT": "1.5",
        "MELTANO_ENVIRONMENT": "prod",
        **_as_environment("TAP_MIXPANEL_EXPORT", pair.tap_config),
        **_as_environment("TARGET_AEP", pair.target_config),
    }

    def run():
        return subprocess.run(
            [BIN / "meltano", "run", "tap-mixpanel-export", "target-aep"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    result = run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(pair.rows) == len(first)
    pair.mixpanel.add_events(PROJECT_ID, late_events(9, 20, days=2, quirks=Quirks(future=0.0)))
    result = run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(pair.rows) == len(first) + 20
    pair.aep.close()


def _as_environment(prefix, config):
    return {f"{prefix}_{name.upper()}": str(value) for name, value in config.items()}

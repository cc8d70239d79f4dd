"""Meltano's own rules reach the properties below ``properties``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def test_a_property_that_meltano_excludes(make_world, event, tmp_path):
    world = make_world(real_time=True)
    personal = {"$email": "ada@example.com", "Full Name": "Ada L", "$City": "Ulm"}
    world.add(event("a", "2024-03-18T10:00:00", **personal, price=3))
    folder = tmp_path / "project"
    folder.mkdir()
    content = YAML(typ="safe").load((ROOT / "meltano.yml").read_text("utf-8"))
    (tap,) = content["plugins"]["extractors"]
    del tap["pip_url"]  # the tap of this environment: a test installs nothing
    tap["config"] = world.config(
        app_url=world.url, start_date="2024-03-18", end_date="2024-03-18", project_id="4711"
    )
    tap["select"] = ["events.*", "!events.properties.Full Name", r"!events.properties.\$City"]
    content["environments"] = [{"name": "demo"}]
    del content["plugins"]["loaders"]
    YAML(typ="safe").dump(content, folder / "meltano.yml")

    def meltano(*arguments):
        ran = subprocess.run(
            [BIN / "meltano", *arguments],
            cwd=folder,
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    meltano("select", "tap-mixpanel-export", "events", "properties.$email", "--exclude")
    output = meltano("invoke", "tap-mixpanel-export")
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    (record,) = [each["record"] for each in messages if each["type"] == "RECORD"]
    assert record["properties"]["price"] == 3
    assert not personal.keys() & record["properties"].keys()
    assert "@example.com" not in output

"""A benchmark of few events from end to end."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmark_root import ROOT

EVENTS = 2000
CHOSEN = {
    "loop: inflate, paste into RECORD lines",
    "tap alone",
}


def test_a_small_benchmark_runs_and_tells(tmp_path):
    numbers = tmp_path / "numbers.json"
    command = [
        *(sys.executable, "-m", "benchmarks", f"--events={EVENTS}", "--slow-events=100"),
        *("--rounds=1", "--sizes", "--meltano=none", "--no-startup"),
        *(f"--data={tmp_path / 'data'}", f"--json={numbers}"),
        *("--only=paste", "--only=tap alone", "--tap-setting=window_days=30"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(numbers.read_text("utf-8"))
    assert {each["name"]: each.get("failure") for each in told["results"]} == dict.fromkeys(CHOSEN)
    for each in told["results"]:
        assert each["events"] >= 0.9 * EVENTS
        assert each["events_per_second_whole_run"] > 0
        assert each["peak_mebibytes"] > 1
        assert each["name"] in done.stdout
    speeds = [promise["text"] for promise in told["promises"] if "speed" in promise["text"]]
    assert len(speeds) == 1
    assert "rows by hand are those of the target" in done.stderr

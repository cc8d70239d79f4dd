"""A benchmark of few events from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmark_root import ROOT

from benchmarks.data_folder import DATA, kept_data

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
    # Few events on a busy machine may or may not tell a speed.
    assert len(speeds) == all(each["events_per_second"] for each in told["results"])
    assert "rows by hand are those of the target" in done.stderr
    kept = f"generated events are kept in {tmp_path / 'data'} (0."
    assert kept in done.stderr.splitlines()[-1]


def test_a_quick_benchmark_judges_nothing(tmp_path):
    command = [
        *(sys.executable, "-m", "benchmarks", "--quick", "--events=300", "--slow-events=100"),
        *("--meltano=none", "--no-startup", f"--data={tmp_path / 'data'}", "--strict"),
        "--only=tap alone",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "its numbers tell nothing about speed" in done.stdout.splitlines()[-1]
    assert "MISS" not in done.stdout


def test_a_name_of_nobody_is_an_error_before_anything_is_made(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--only=tap aloan",
        f"--data={tmp_path / 'data'}",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    first, *names = done.stderr.splitlines()
    assert first == "--only 'tap aloan' is in none of these names:"
    assert {"  tap alone", "  tap | target", "  meltano run"} <= {*names}
    assert not (tmp_path / "data").exists()


def test_generated_events_are_removed_and_nothing_else(tmp_path):
    folder, other = tmp_path / DATA.name, tmp_path / "other"
    for each in (folder, other):
        (each / "days").mkdir(parents=True)
        (each / "days" / "one").write_bytes(b"x" * 50_000)
    assert kept_data(folder).startswith(f"generated events are kept in {folder} (0.1 MB): delete")
    assert kept_data(DATA).endswith("`make clean` removes them")
    for _ in range(2):  # the second finds nothing
        command = [sys.executable, "-m", "benchmarks.data_folder"]
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "TMPDIR": str(tmp_path)})
        assert [each.name for each in tmp_path.iterdir()] == ["other"]
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nclean:")[2]
    assert "-m benchmarks.data_folder" in recipe

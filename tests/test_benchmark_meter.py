"""What the benchmark's meter tells of processes that are known."""

from __future__ import annotations

import os
import sys

import benchmark_root  # noqa: F401 - makes `benchmarks` importable
import pytest

from benchmarks.process_meter import (
    OUTPUT,
    FailedRunError,
    Pipeline,
    Stage,
    run_pipeline,
)
from benchmarks.tree_sampler import tree_kibibytes

MEBIBYTES = 200
CPU_SECONDS = 0.4

BURN = f"""
import time
while time.process_time() < {CPU_SECONDS}:
    pass
"""
HOLD = f"""
import sys
held = b"x" * ({MEBIBYTES} << 20)
sys.stdin.read()
"""
BURNING_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"
FORGOTTEN_CHILD = f"import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); {BURNING_CHILD}"
"""Whose time the kernel charges to nobody."""


def python(name, code, *, is_judged=True):
    return Stage(name, [sys.executable, "-c", code], is_judged)


def test_cpu_of_a_process_and_of_its_children_is_seen(tmp_path):
    for code in (BURN, BURNING_CHILD):
        usage = run_pipeline(Pipeline([python("one", code)]), tmp_path)
        assert CPU_SECONDS <= usage.cpu_seconds < CPU_SECONDS + 1
        assert usage.seconds >= CPU_SECONDS


def test_cpu_of_a_child_that_nobody_waited_for_is_seen(tmp_path):
    usage = run_pipeline(Pipeline([python("one", FORGOTTEN_CHILD)]), tmp_path)
    assert usage.cpu_seconds > CPU_SECONDS / 2


def test_memory_of_a_tree_is_seen_over_time(tmp_path):
    holder = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"
    stages = [python("burner", BURN), python("holder", holder)]
    usage = run_pipeline(Pipeline(stages), tmp_path)
    burner, holder = usage.stages
    assert holder.peak_mebibytes > MEBIBYTES > burner.peak_mebibytes
    assert holder.largest_mebibytes > MEBIBYTES
    assert usage.peak_mebibytes >= holder.peak_mebibytes
    assert len(usage.memory) == len(usage.times) > 0
    assert usage.times == sorted(usage.times)


def test_what_is_not_judged_does_not_count(tmp_path):
    stages = [python("one", "print(1)"), python("two", HOLD + BURN, is_judged=False)]
    usage = run_pipeline(Pipeline(stages), tmp_path)
    assert [stage.name for stage in usage.stages] == ["one"]
    assert usage.cpu_seconds < CPU_SECONDS
    assert usage.peak_mebibytes < MEBIBYTES


def test_stages_are_connected_and_get_what_is_given(tmp_path):
    given = tmp_path / "given"
    given.write_text("12")
    double = "import os, sys; print(sys.stdin.read().strip() * int(os.environ['TIMES']))"
    pipeline = Pipeline([python("a", double), python("b", double)], given, {"TIMES": "2"}, tmp_path)
    run_pipeline(pipeline, tmp_path)
    assert (tmp_path / OUTPUT).read_text() == "12121212\n"


def test_a_process_that_fails_is_told_with_its_last_words(tmp_path):
    failing = "import sys; print('METRIC: x', file=sys.stderr); sys.exit('no more disk')"
    with pytest.raises(FailedRunError, match=r"^broken ended with 1: no more disk$"):
        run_pipeline(Pipeline([python("broken", failing)]), tmp_path)


def test_a_process_that_has_ended_uses_nothing():
    assert tree_kibibytes(os.getpid()) > 0
    ended = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    os.waitpid(ended, 0)
    assert tree_kibibytes(ended) == 0

"""Killed at any moment, or without an answer: every event is there once after plain re-runs.

`make crash-matrix` plays `CRASH_CASES` cases of the seed `CRASH_SEED`; the ordinary tests play a
spread of them. A single one again: `CRASH_SEED=… pytest tests/test_crash_matrix.py -k 'case-17]'`.
"""

from __future__ import annotations

import os

import pytest
from crash_cases import make_case, unheard_batch
from crash_forks import PipeRunner
from crash_play import CrashPlay

SEED = os.environ.get("CRASH_SEED", "1")
CASES = int(os.environ.get("CRASH_CASES", "40"))


@pytest.fixture(scope="module")
def runner():
    with PipeRunner() as started:
        yield started


@pytest.mark.parametrize("number", range(CASES), ids=lambda number: f"case-{number}")
def test_every_event_is_there_once(number, tmp_path, serve, runner):
    play_whole(CrashPlay(tmp_path, serve, make_case(SEED, number), runner))


@pytest.mark.parametrize("export_request", [2, 3, 4])
def test_a_run_that_ends_before_an_unheard_batch_does(export_request, tmp_path, serve, runner):
    play_whole(CrashPlay(tmp_path, serve, unheard_batch(SEED, export_request), runner))


def play_whole(play):
    try:
        play.play()
    finally:
        play.pair.aep.close()

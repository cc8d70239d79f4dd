"""The arithmetic of the benchmark's report, on numbers that are known."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import benchmark_root  # noqa: F401 - makes `benchmarks` importable
import pytest

from benchmarks import contenders, limits
from benchmarks.charts import draw_charts
from benchmarks.command_line import parse_options
from benchmarks.contestant import Contestant, Outcome, UnknownContestantError, choose
from benchmarks.growth import Growth
from benchmarks.process_meter import FailedRunError, Pipeline, PipelineUsage, Stage, StageUsage
from benchmarks.report import Report
from benchmarks.rounds import Result, Run, run_once
from benchmarks.same_rows import OtherRowsError, check_same_rows
from benchmarks.startup import FIRST_RECORD, SDK_IMPORT, Start

EVENTS = 1_000_000


def run(seconds, cpu, *, memory=(50.0, 60.0), size=0):
    stage = StageUsage("one", cpu, max(memory), 70.0, memory)
    usage = PipelineUsage(100.0, seconds, [stage], [0.05, 0.1])
    return Run(usage, Outcome(EVENTS, size, 100.5))


def result(name, seconds, cpu, *, events=EVENTS, **more):
    runs = [run(each, cpu, **more) for each in (seconds, seconds + 9, seconds - 1)]
    return Result(name, events, runs, [run(2.0, 1.0)])


def test_rates_are_medians_with_and_without_the_start():
    one = result("one", 12.0, 6.0, size=5 * EVENTS)
    assert one.whole_rate == EVENTS / 12
    assert one.rate == EVENTS / 10
    assert (one.whole_cost, one.cost) == (6.0, 5.0)
    assert (one.peak_mebibytes, one.largest_mebibytes) == (60.0, 70.0)
    assert one.bytes_per_event == 5


@pytest.mark.parametrize(("seconds", "is_told"), [(1.5, False), (2.4, False), (2.5, True)])
def test_a_run_that_is_all_start_tells_no_speed(seconds, is_told):
    one = result(contenders.TAP, seconds, 1.5)
    assert (one.rate is not None, one.cost is not None) == (is_told, is_told)
    report = Report([one, result(limits.BARE_LOOP, 10.0, 5.0)])
    line = next(line for line in report.lines() if line.startswith(contenders.TAP))
    assert line.split().count("-") == (0 if is_told else 2)
    assert f"{EVENTS / seconds:,.0f}" in line
    judged = [promise.text.split(": ", 1)[1] for promise in report.promises]
    speed = f"{contenders.TAP} / {limits.BARE_LOOP}"
    told = [speed, "CPU seconds for a million events"] if is_told else []
    assert judged == [*told, "peak memory, MiB"]


def test_one_that_starts_at_once_is_told_after_less():
    one = Result("one", EVENTS, [run(0.2, 0.1)], [run(0.05, 0.04)])
    assert one.rate == pytest.approx(EVENTS / 0.15)


def test_no_pipe_is_judged_by_half_of_it():
    results = [
        result(contenders.TAP, 2.1, 1.0),
        result(contenders.TARGET, 22.0, 30.0),
        result(contenders.PIPE, 22.0, 30.0),
    ]
    assert not any("speed" in promise.text for promise in Report(results).promises)


def test_a_quick_run_is_not_judged():
    results = [result(contenders.TAP, 30.0, 30.0), result(limits.BARE_LOOP, 10.0, 5.0)]
    assert any(line.startswith("MISS") for line in Report(results).lines())
    assert any(line.startswith("Promises: ") for line in Report(results).lines())
    quick = Report(results, is_judged=False)
    lines = list(quick.lines())
    assert not any(line.startswith(("MISS", "ok", "Promises")) for line in lines)
    assert "tell nothing about speed" in lines[-1]
    assert quick.promises == quick.as_json()["promises"] == []
    assert quick.is_kept
    assert not Report([Result("one", EVENTS, failure="no")], is_judged=False).is_kept


def test_nothing_promised_has_no_heading():
    assert list(Report([result("one", 12.0, 6.0)]).lines())[-1].startswith("one")


def test_promises_are_checked_both_ways():
    results = [
        result(contenders.TAP, 12.0, 8.0),
        result(limits.BARE_LOOP, 10.0, 5.0),
        result(contenders.TARGET, 22.0, 30.0),
        result(limits.HAND_LOOP, 10.0, 9.0),
        result(contenders.PIPE, 22.0, 38.0),
    ]
    starts = [Start(FIRST_RECORD, [1.5, 0.5, 9.0]), Start(SDK_IMPORT, [1.0])]
    promises = {promise.text: promise for promise in Report(results, starts).promises}
    tap = promises[f"speed: {contenders.TAP} / {limits.BARE_LOOP}"]
    assert (tap.value, tap.is_kept) == (pytest.approx(0.8), True)
    assert tap.whole == pytest.approx(10 / 12)
    target = promises[f"speed: {contenders.TARGET} / {limits.HAND_LOOP}"]
    assert (target.value, target.is_kept) == (pytest.approx(0.4), False)
    pipe = promises[f"speed: {contenders.PIPE} / {contenders.TARGET}"]
    assert pipe.value == pytest.approx(1.0)
    first = promises[f"{FIRST_RECORD}, seconds (1.50 of importing the SDK)"]
    assert (first.value, first.is_kept) == (1.5, False)
    cost = promises[f"{contenders.TAP}: CPU seconds for a million events"]
    assert (cost.value, cost.whole, cost.is_kept) == (7.0, 8.0, True)
    assert not Report(results, starts).is_kept
    assert Report(results[:2]).is_kept


def test_growth_is_flat_or_not():
    sizes = [
        result(contenders.TAP, 3.0, 1.5, events=EVENTS // 100, memory=(30.0,)),
        result(contenders.TAP, 5.0, 2.0, events=EVENTS // 10),
        result(contenders.TAP, 30.0, 14.0, memory=(60.0, 90.0)),
    ]
    memory, cost = Report([], [], [Growth(contenders.TAP, sizes)]).promises
    assert (memory.value, memory.is_kept) == (1.5, False)
    assert memory.text.endswith("memory with 1,000,000 events, to 100,000 (3.00 to 10,000)")
    assert (cost.value, cost.is_kept) == (pytest.approx(1.3), False)


def test_growth_of_two_sizes_is_told_once():
    sizes = [
        result(contenders.TAP, 2.1, 1.1, events=EVENTS // 10),
        result(contenders.TAP, 30.0, 14.0),
    ]
    report = Report([], [], [Growth(contenders.TAP, sizes)])
    (memory,) = report.promises  # the smaller tells no cost
    assert memory.text.endswith("memory with 1,000,000 events, to 100,000")
    assert any("- CPU s/M" in line and "- events/s" in line for line in report.lines())


def test_one_that_failed_is_told_and_judged_nowhere():
    failed = Result(contenders.TAP, EVENTS, failure="tap ended with 1: no")
    report = Report([failed, result(limits.BARE_LOOP, 10.0, 5.0)])
    assert report.promises == []
    assert not report.is_kept
    assert any("left out: tap ended with 1: no" in line for line in report.lines())


def test_json_holds_what_the_table_tells():
    growth = Growth("one", [result("one", 12.0, 6.0)])
    report = Report([result("one", 12.0, 6.0)], [Start(SDK_IMPORT, [1.0])], [growth])
    told = json.loads(json.dumps(report.as_json()))
    (one,) = told["results"]
    assert one["events_per_second"] == EVENTS / 10
    assert [each["seconds"] for each in one["runs"]] == [12.0, 21.0, 11.0]
    assert one["runs"][0]["first_record_seconds"] == 0.5
    assert any(f"{EVENTS // 10:,}" in line for line in report.lines())


def test_charts_are_drawn(tmp_path):
    sizes = [result("one", seconds, 6.0, events=n) for seconds, n in ((2.1, 1), (9, 10), (12, 100))]
    growth = Growth("one", sizes)
    files = draw_charts([growth], tmp_path / "charts")
    assert sorted(file.suffix for file in files) == [".png", ".png", ".svg", ".svg"]
    assert all(file.stat().st_size > 1000 for file in files)


@pytest.mark.parametrize("events", [1, 2])
def test_a_contestant_has_to_bring_out_every_event(events):
    pipeline = Pipeline([Stage("one", [sys.executable, "-c", ""])])
    one = Contestant("one", lambda *_: nullcontext(pipeline), lambda *_: Outcome(1))
    workload = SimpleNamespace(events=events)
    if events == 1:
        assert run_once(one, workload).outcome.records == 1
    else:
        with pytest.raises(FailedRunError, match="1 records came out instead of 2"):
            run_once(one, workload)


@pytest.mark.parametrize("other", ['{"a":1.0}\n', '{"a":true}\n', "", '{"a":1}\n{"a":1}\n'])
def test_rows_that_differ_at_all_are_found(tmp_path, other):
    ours, by_hand = tmp_path / "ours", tmp_path / "hand"
    ours.write_text('{"a":1}\n')
    by_hand.write_text(other)
    with pytest.raises(OtherRowsError):
        check_same_rows([ours], by_hand)
    assert check_same_rows([ours], ours) == 1


def test_a_name_of_nobody_is_told_with_all_names():
    all_of_them = [Contestant(name, None, None) for name in ("tap alone", "target alone", "pipe")]
    assert choose(all_of_them, []) == all_of_them
    assert choose(all_of_them, ["alone", "tap"]) == all_of_them[:2]
    with pytest.raises(UnknownContestantError) as caught:
        choose(all_of_them, ["tap", "Pipe"])
    first, *names = str(caught.value).splitlines()
    assert first == "--only 'Pipe' is in none of these names:"
    assert [name.strip() for name in names] == ["tap alone", "target alone", "pipe"]


def test_settings_are_json_or_text():
    options = parse_options(["--tap-setting", "workers=2", "--target-setting", "mapping=adobe"])
    assert options.tap_setting == [("workers", 2)]
    assert options.target_setting == [("mapping", "adobe")]
    with pytest.raises(SystemExit):
        parse_options(["--tap-setting", "workers"])

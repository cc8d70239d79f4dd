"""Contestants that are ours: the tap, the target, and pipes of both."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.contestant import Contestant, Unit, counted, loaded
from benchmarks.limits import counter
from benchmarks.mapping_cases import wide_schema, wide_set
from benchmarks.plugins import (
    local_config,
    plugin_command,
    plugin_settings,
    tap_config,
    upload_config,
    write_config,
)
from benchmarks.process_meter import Pipeline, Stage
from benchmarks.services import DATASET, lake_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.plugins import Config
    from benchmarks.workload import Workload

TAP = "tap alone"
TARGET = "target alone"
ONE_WORKER = "target alone, workers=1"
TWO_WORKERS = "target alone, workers=2"
WIDE = "target alone, 60 mapped fields"
WITH_SCHEMA = "target alone, with a schema"
PARQUET = "target alone, with a schema, Parquet"
PIPE = "tap | target"
UPLOAD = "tap | target, uploading"
MELTANO_PIPE = "meltano run"

NEED_SCHEMA = frozenset({WITH_SCHEMA, PARQUET, UPLOAD})
"""Those that read `Setup.schema_file`."""


@dataclass(frozen=True)
class Setup:
    """What all contenders are given.

    Attributes:
        schema_file: A schema as `provision` makes it, written before it is needed.
        tap: More settings of the tap.
        target: More settings of the target.
    """

    schema_file: Path
    tap: Config = field(default_factory=dict)
    target: Config = field(default_factory=dict)


def contenders(setup: Setup) -> list[Contestant]:
    """The tap, the target in its variants, the pipe to local files and to the emulator."""
    target = partial(_target_contestant, setup)
    with_schema = {"schema_path": str(setup.schema_file)}
    return [
        Contestant(TAP, partial(_tap_alone, setup), counted, Unit.DISTINCT),
        target(TARGET, {}),
        *_with_workers(target),
        target(WIDE, _wide_config(setup)),
        target(WITH_SCHEMA, with_schema),
        target(PARQUET, {**with_schema, "file_format": "parquet"}),
        Contestant(PIPE, partial(_pipe, setup), loaded, Unit.DISTINCT),
        Contestant(UPLOAD, partial(_uploading_pipe, setup), loaded, Unit.DISTINCT),
    ]


def tap_stage(setup: Setup, workload: Workload, folder: Path) -> Stage:
    """The tap's process."""
    path = write_config(folder / "tap.json", {**tap_config(workload, folder), **setup.tap})
    return Stage("tap", [*plugin_command("tap-mixpanel-export"), "--config", str(path)])


def target_stage(setup: Setup, config: Config, folder: Path) -> Stage:
    """The target's process."""
    path = write_config(folder / "target.json", {**config, **setup.target})
    return Stage("target", [*plugin_command("target-aep"), "--config", str(path)])


def _with_workers(target: Any) -> list[Contestant]:
    if "workers" not in plugin_settings("target-aep"):
        return []
    return [target(ONE_WORKER, {"workers": 1}), target(TWO_WORKERS, {"workers": 2})]


def _target_contestant(setup: Setup, name: str, settings: Config) -> Contestant:
    return Contestant(name, partial(_target_alone, setup, settings), loaded, Unit.RECORDS)


def _tap_alone(setup: Setup, workload: Workload, folder: Path) -> AbstractContextManager[Pipeline]:
    return nullcontext(Pipeline([tap_stage(setup, workload, folder), counter()]))


def _target_alone(
    setup: Setup, settings: Config, workload: Workload, folder: Path
) -> AbstractContextManager[Pipeline]:
    config = {**local_config(folder), **settings}
    return nullcontext(Pipeline([target_stage(setup, config, folder)], workload.records_file))


def _pipe(setup: Setup, workload: Workload, folder: Path) -> AbstractContextManager[Pipeline]:
    stages = [
        tap_stage(setup, workload, folder),
        target_stage(setup, local_config(folder), folder),
    ]
    return nullcontext(Pipeline(stages))


@contextmanager
def _uploading_pipe(setup: Setup, workload: Workload, folder: Path) -> Iterator[Pipeline]:
    """Into an emulator of its own; it ends with the acceptance, as promotion is not our work."""
    with lake_server(setup.schema_file, folder / "aep") as url:
        settings = {"dataset_name": DATASET, "wait_for": "accepted"}
        config = {**upload_config(url, folder), **settings}
        target = target_stage(setup, config, folder)
        yield Pipeline([tap_stage(setup, workload, folder), target])


def _wide_config(setup: Setup) -> Config:
    schema_file = setup.schema_file.with_name("wide-schema.json")
    schema_file.write_text(json.dumps(wide_schema()), "utf-8")
    mapping_file = setup.schema_file.with_name("wide-mapping.json")
    mapping_file.write_text(json.dumps(wide_set()), "utf-8")
    return {"schema_path": str(schema_file), "mapping": str(mapping_file)}

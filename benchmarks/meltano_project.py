"""A Meltano project in a folder of its own that runs the installed tap and target.

Nothing is installed: `executable` names the commands of this environment. Settings that differ from
run to run come as environment variables, as they do in real life.
"""

from __future__ import annotations

import json
import uuid
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import MELTANO_PIPE
from benchmarks.contestant import Contestant, Unit, loaded
from benchmarks.plugins import local_config, plugin_command, plugin_settings, tap_config
from benchmarks.process_meter import Pipeline, Stage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.contenders import Setup
    from benchmarks.plugins import Config
    from benchmarks.workload import Workload

_ENVIRONMENT = "benchmark"
_PLUGINS = (
    ("extractors", "tap-mixpanel-export", ("catalog", "discover", "state", "about")),
    ("loaders", "target-aep", ("about",)),
)


@dataclass(frozen=True)
class MeltanoVariant:
    """A way to run Meltano.

    Attributes:
        name: How reports call it.
        environment: Meltano's own settings as variables.
        has_structured_logging: Whether the plugins tell Meltano that it may read their logs.
    """

    name: str
    environment: dict[str, str]
    has_structured_logging: bool = True


VARIANTS = (
    MeltanoVariant(MELTANO_PIPE, {}),
    MeltanoVariant("meltano run, log level warning", {"MELTANO_CLI_LOG_LEVEL": "warning"}),
    MeltanoVariant("meltano run, no structured logs", {}, has_structured_logging=False),
    MeltanoVariant("meltano run, buffer 8 MiB", {"MELTANO_ELT_BUFFER_SIZE": str(8 << 20)}),
)


def meltano_contestants(setup: Setup, folder: Path, *, all_variants: bool) -> list[Contestant]:
    """`meltano run`, in one way or in several.

    Args:
        setup: What all contenders are given.
        folder: Gets a project for each way.
        all_variants: Whether ways that may help are run too.
    """
    chosen = VARIANTS if all_variants else VARIANTS[:1]
    return [
        Contestant(
            variant.name,
            partial(_run, setup, variant, _project(folder / f"meltano-{number}", variant)),
            loaded,
            Unit.DISTINCT,
        )
        for number, variant in enumerate(chosen)
    ]


def _run(
    setup: Setup, variant: MeltanoVariant, project: Path, workload: Workload, folder: Path
) -> AbstractContextManager[Pipeline]:
    environment = {
        **variant.environment,
        **_as_environment("tap-mixpanel-export", {**tap_config(workload, folder), **setup.tap}),
        **_as_environment("target-aep", {**local_config(folder), **setup.target}),
    }
    # A state of its own makes each run the first one.
    own_state = f"--state-id-suffix={uuid.uuid4().hex}"
    command = [*plugin_command("meltano"), "run", own_state, *(name for _, name, _ in _PLUGINS)]
    stage = Stage("meltano", command)
    return nullcontext(Pipeline([stage], environment=environment, directory=project))


def _project(folder: Path, variant: MeltanoVariant) -> Path:
    """Write `meltano.yml`, as JSON, which is YAML."""
    folder.mkdir(parents=True)
    plugins: dict[str, Any] = {
        kind: [_plugin(name, capabilities, variant)] for kind, name, capabilities in _PLUGINS
    }
    content = {
        "project_id": str(uuid.uuid4()),
        "send_anonymous_usage_stats": False,
        "default_environment": _ENVIRONMENT,
        "environments": [{"name": _ENVIRONMENT}],
        "plugins": plugins,
    }
    (folder / "meltano.yml").write_text(json.dumps(content), "utf-8")
    return folder


def _plugin(name: str, capabilities: tuple[str, ...], variant: MeltanoVariant) -> Config:
    logging = ("structured-logging",) if variant.has_structured_logging else ()
    settings = _settings(name)
    return {
        "name": name,
        "namespace": name.replace("-", "_"),
        "executable": plugin_command(name)[0],
        "capabilities": [*capabilities, *logging],
        "settings": [{"name": setting, "kind": kind} for setting, kind in settings.items()],
    }


def _settings(name: str) -> dict[str, str]:
    """Names and kinds of a plugin's settings."""
    return {
        setting: "integer" if "integer" in schema["type"] else "string"
        for setting, schema in plugin_settings(name).items()
        if "type" in schema
    }


def _as_environment(plugin: str, config: Config) -> dict[str, str]:
    prefix = plugin.replace("-", "_").upper()
    return {f"{prefix}_{name.upper()}": str(value) for name, value in config.items()}

"""What each command must not import: nothing is loaded, not even compiled, that it doesn't use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone

import pytest
from emulators.generator import generate
from pair import PROJECT_ID, make_pair

TAP, TARGET = "tap_mixpanel_export", "target_aep"

NEVER = frozenset(
    {"joblib", "psutil", "numpy", "upath", "fsspec", "jsonpath_ng", "sqlalchemy", "faker"}
    | {"ua_parser", "pyarrow", "matplotlib", "pandas", "packaging"}
)
HTTP = frozenset({"requests", "urllib3", "charset_normalizer", "backoff", "asyncio"})
PARSER = frozenset({"lark", "regex"})
NO_WORK = NEVER | HTTP | PARSER
RUN_OF_TAP = frozenset({f"{TAP}.{name}" for name in ("streams", "client", "export_run")})
TAP_ASIDE = frozenset(
    {f"{TAP}.connection_check.check", f"{TAP}.discovery.property_discovery", "platformdirs"}
)
SUBCOMMANDS = {
    "retry": f"{TARGET}.retry.work",
    "preview": f"{TARGET}.preview.command",
    "mapping": f"{TARGET}.mapping_tools.commands",
    "status": f"{TARGET}.batch_status.command",
    "check": f"{TARGET}.sandbox_check.command",
    "plan": f"{TARGET}.provisioning.commands",
    "provision": f"{TARGET}.provisioning.commands",
}
TARGET_ASIDE = frozenset({*SUBCOMMANDS.values(), f"{TARGET}.provisioning.extension"})

SCHEMA = {
    "type": "SCHEMA",
    "stream": "events",
    "schema": {"type": "object", "properties": {}},
    "key_properties": [],
}
RECORD = {
    "type": "RECORD",
    "stream": "events",
    "record": {
        "event_id": "1",
        "event_name": "Seen",
        "time": "2026-01-01T00:00:00Z",
        "distinct_id": "someone",
        "properties": {"plan": "free"},
    },
}
STATE = {"type": "STATE", "value": {"bookmarks": {"events": {"at": 1}}}}
LINES = "".join(f"{json.dumps(message)}\n" for message in (SCHEMA, RECORD, STATE)).encode()


def imported(module, *arguments, cwd, lines=b""):
    """The modules that a command imports, which must succeed; each also as its packages."""
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", module, *arguments],
        input=lines,
        capture_output=True,
        cwd=cwd,
        env={name: text for name, text in os.environ.items() if "MIXPANEL" not in name},
        timeout=120,
        check=False,
    )
    log = finished.stderr.decode()
    assert finished.returncode == 0, log
    names = [line.rpartition("|")[2].strip() for line in log.splitlines() if "import time:" in line]
    return {".".join(name.split(".")[:depth]) for name in names for depth in range(1, 5)}


@pytest.mark.parametrize(
    ("module", "arguments", "unused"),
    [
        (TAP, ("--version",), NO_WORK | RUN_OF_TAP | TAP_ASIDE),
        (TAP, ("--help",), NO_WORK | RUN_OF_TAP | TAP_ASIDE),
        (TAP, ("--about",), NO_WORK | RUN_OF_TAP | TAP_ASIDE),
        (TARGET, ("--version",), NO_WORK | TARGET_ASIDE),
        (TARGET, ("--help",), NO_WORK | TARGET_ASIDE),
        (TARGET, ("--about",), NO_WORK | TARGET_ASIDE),
        *(
            (TARGET, (name, "--help"), NO_WORK | set(SUBCOMMANDS.values()) - {own})
            for name, own in SUBCOMMANDS.items()
            # These are made of parts of others.
            if name not in {"status", "mapping"}
        ),
        (TARGET, ("status", "--help"), NO_WORK),
        (TARGET, ("mapping", "--help"), NO_WORK),
        (TARGET, ("mapping", "show", "mixpanel"), NO_WORK),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_a_command_does_not_use_is_not_imported(module, arguments, unused, tmp_path):
    assert imported(module, *arguments, cwd=tmp_path) & unused == set()


@pytest.fixture
def pair(tmp_path, serve):
    made = make_pair(tmp_path, serve)
    yield made
    made.aep.close()


def test_a_run_of_the_tap_imports_no_more_than_it_needs(pair, tmp_path):
    now = datetime.now(timezone.utc)
    pair.mixpanel.add_events(PROJECT_ID, list(generate(1, 2, 20, now=now)))
    pair.tap_config["start_date"] = now.date().isoformat()
    arguments, _ = pair.arguments()
    found = imported(TAP, *arguments, cwd=tmp_path)
    assert found & (NEVER | PARSER | TAP_ASIDE) == set()
    assert found >= RUN_OF_TAP


def test_discovery_imports_no_checks(pair, tmp_path):
    pair.tap_config["app_url"] = pair.tap_config["api_url"]
    pair.tap_config["start_date"] = datetime.now(timezone.utc).date().isoformat()
    arguments, _ = pair.arguments()
    found = imported(TAP, *arguments, "--discover", cwd=tmp_path)
    assert found & (NEVER | PARSER | {f"{TAP}.connection_check.check"}) == set()


@pytest.mark.parametrize(("mapping", "parser"), [("mixpanel", PARSER), ([], frozenset())])
def test_a_run_into_files_imports_no_more_than_its_mapping_needs(mapping, parser, tmp_path):
    settings = {"destination": "local", "mapping": mapping or plain_set()}
    (tmp_path / "config.json").write_text(json.dumps(settings), "utf-8")
    found = imported(TARGET, "--config", "config.json", cwd=tmp_path, lines=LINES)
    assert found & (NEVER | HTTP | TARGET_ASIDE) == set()
    assert found & PARSER == parser


def plain_set():
    """A mapping set without any expression."""
    fields = {"event_id": "_id", "time": "timestamp", "event_name": "eventType"}
    return [
        {"sourceType": "ATTRIBUTE", "source": source, "destination": destination}
        for source, destination in fields.items()
    ]


def test_a_run_into_the_platform_imports_no_more_than_it_needs(pair, tmp_path):
    _, arguments = pair.arguments()
    found = imported(TARGET, *arguments, cwd=tmp_path, lines=LINES)
    assert found & (NEVER | TARGET_ASIDE) == set()
    assert len(pair.rows) == 1

"""`target-aep provision` is killed at each call, and repeated: the end is always the same."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from crash_forks import Pipe, PipeRunner
from crash_killer import Killer, Strike
from emulators.aep import AepEmulator
from emulators.server import EmulatorServer
from provisioning_sandbox import event, messages_of

SETTINGS = {
    "client_id": "emulator-client",
    "client_secret": "emulator-secret",
    "dataset_name": "Mixpanel events",
    "identity_storage": "descriptors",
}
RECORDS = [event(1, **{"$browser": "Chrome", "Plan Name": "gold"}), event(2, price=4.5, vip=True)]
MESSAGES = messages_of(RECORDS)
KILLED = -9
PARTS = 2


@pytest.fixture(scope="module")
def runner():
    with PipeRunner() as helper:
        yield helper


@contextmanager
def empty_sandbox(folder, runner):
    """An emulator that holds nothing, and a way to provision it with a killer before it."""
    folder.mkdir()
    emulator = AepEmulator(folder / "aep")
    killer = Killer()
    with EmulatorServer(killer.before(emulator)) as server:
        config = {**SETTINGS, "org_id": emulator.org, "ims_url": server.url}
        config["platform_url"] = server.url
        (folder / "target.json").write_text(json.dumps(config))
        (folder / "input.jsonl").write_text("".join(f"{json.dumps(m)}\n" for m in MESSAGES))
        arguments = ["provision", "--config", str(folder / "target.json"), "--profile", "--yes"]
        pipe = Pipe(
            target=[*arguments, "--input", str(folder / "input.jsonl")],
            states=str(folder / "out.txt"),
            log=str(folder / "log.txt"),
            temporary=str(folder),
        )

        def provision(strike=None):
            killer.arm(strike)
            (status,) = runner.run(pipe, killer)
            return status

        yield SimpleNamespace(
            provision=provision, killer=killer, emulator=emulator, log=folder / "log.txt"
        )
    emulator.close()


def content(emulator):
    """What the sandbox holds, with titles in the place of the ids that the service chooses."""
    found = emulator.resources.listing()
    titles = {each["$id"]: each["title"] for each in (*found["schemas"], *found["fieldGroups"])}
    text = json.dumps(found, sort_keys=True)
    for identifier, title in titles.items():
        text = text.replace(identifier, title)
    return [_without_ids(each, kind) for kind in sorted(found) for each in json.loads(text)[kind]]


def _without_ids(document, kind):
    kept = ("title", "version", "name", "code", "idType", "tags", "definitions", "references")
    kept += ("schemaId", "enableErrorDiagnostics", "properties", "meta:immutableTags")
    kept += ("xdm:sourceProperty", "xdm:namespace", "xdm:isPrimary", "xdm:sourceSchema")
    return kind, {name: value for name, value in document.items() if name in kept}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, runner):
    """The end state, and the number of calls, of a run that nobody disturbs."""
    with empty_sandbox(tmp_path_factory.mktemp("undisturbed") / "box", runner) as box:
        assert box.provision() == 0, box.log.read_text()
        calls = box.killer.seen
        state = content(box.emulator)
        assert box.provision() == 0
        assert content(box.emulator) == state
    assert len(state) >= 7
    return state, calls


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_call_and_repeated(tmp_path, runner, undisturbed, part, after_effect):
    state, calls = undisturbed
    for number in range(1 + part, calls + 1, PARTS):
        with empty_sandbox(tmp_path / str(number), runner) as box:
            strike = Strike("target", request=number, after_effect=after_effect)
            assert box.provision(strike) == KILLED
            assert box.provision() == 0, box.log.read_text()
            assert content(box.emulator) == state, f"killed at call {number}"

"""State over restarts, and the command line."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys

import pytest
import requests
from emulators.aep import AepEmulator, Promotion
from emulators.aep.testing import AepClient
from emulators.aep.xdm_schema import event_schema
from emulators.server import EmulatorServer

ROW = {"_id": "a", "timestamp": "2022-05-18T05:05:48Z"}


def install(emulator):
    schema = emulator.provisioning.add_schema(event_schema("events"))
    return emulator.provisioning.add_dataset("events", schema.id).id


def test_everything_survives_a_restart(tmp_path):
    first = AepEmulator(tmp_path)
    dataset = install(first)
    with EmulatorServer(first) as server:
        client = AepClient(server.url, first)
        done = client.load(dataset, [ROW, b"broken"], partialIngestionPercent=50)
        first.lifecycle.settle()
        walking = client.load(dataset, [ROW])
        open_batch = client.create(dataset, externalId="mine").json()["id"]
        client.put(open_batch, dataset, "a.json", json.dumps(ROW).encode())
        seen = client.batches()
    second = AepEmulator(tmp_path)
    assert install(second) == dataset
    with EmulatorServer(second) as server:
        client = AepClient(server.url, second)
        assert client.batch(done) == seen[done]
        assert client.batch(walking)["status"] == "staging"
        assert client.create(dataset, externalId="mine").status_code == 400
        assert client.act(open_batch, "COMPLETE").status_code == 200
        second.lifecycle.settle()
        assert client.export(done, "failed").json()["data"] == []
    summary = second.inspection.summary(dataset)
    assert (summary["rows"], summary["distinctIds"]) == (3, 1)
    assert summary["failedRows"] == {"INGEST-1401-400": 1}


def test_an_interrupted_validation_is_resumed(tmp_path):
    promotion = Promotion(statuses=(), inline_bytes=0)
    first = AepEmulator(tmp_path, promotion=promotion)
    dataset = install(first)
    rows = [{**ROW, "_id": str(number)} for number in range(5000)]
    first.close()
    with EmulatorServer(first) as server:
        client = AepClient(server.url, first)
        batch = client.load(dataset, rows)
        assert client.batch(batch)["status"] == "processing"
    second = AepEmulator(tmp_path, promotion=Promotion(statuses=(), inline_bytes=0))
    second.lifecycle.wait()
    assert second.inspection.summary(dataset)["rows"] == 5000


def test_without_a_folder_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    emulator = AepEmulator()
    install(emulator)
    assert list(tmp_path.iterdir())
    del emulator
    gc.collect()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal(tmp_path, number):
    arguments = [
        "--port=0", f"--data-dir={tmp_path}", "--demo", "--client-id=me", "--client-secret=s",
        "--org-id=O@AdobeOrg", "--sandbox=dev", "--tenant=shop",
    ]  # fmt: skip
    command = [sys.executable, "-m", "emulators", "aep", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        login, *lines = [process.stderr.readline() for _ in range(5)]
        assert login.startswith("client me, secret s, organisation O@AdobeOrg, sandbox dev")
        url = lines[3].removeprefix("aep emulator listening on ").strip()
        form = {
            "grant_type": "client_credentials",
            "client_id": "me",
            "client_secret": "s",
            "scope": "openid",
        }
        token = requests.post(f"{url}/ims/token/v3", data=form, timeout=10).json()["access_token"]
        headers = {
            "Authorization": f"Bearer {token}",
            "x-api-key": "me",
            "x-gw-ims-org-id": "O@AdobeOrg",
            "x-sandbox-name": "dev",
        }
        listed = requests.get(
            f"{url}/data/foundation/catalog/dataSets", headers=headers, timeout=10
        ).json()
        stats = requests.get(
            f"{url}/data/foundation/schemaregistry/stats", headers=headers, timeout=10
        ).json()
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    assert stats["tenantId"] == "shop"
    assert {line.split()[1].rstrip(":") for line in lines[:3]} == set(listed)

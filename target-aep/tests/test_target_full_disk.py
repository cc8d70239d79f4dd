"""A disk that is full while records are spooled: one line, and nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from target_messages import EVENT_SCHEMA, record, state

resource = pytest.importorskip("resource", reason="limits of file sizes are of POSIX")

FULL = 200_000
RUN = """
import resource, signal, sys
from target_aep.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write then fails as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))
sys.argv = ["target-aep", "--config", "config.json"]
main()
"""


@pytest.mark.parametrize("event_ids", ["good", "bad"])
@pytest.mark.parametrize("ends", ["at its end", "with a STATE after each record"])
def test_a_full_disk_is_one_line(tmp_path, event_ids, ends):
    config = {"destination": "local", "workers": 1, "max_rejected_percent": 100}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    changes = {} if event_ids == "good" else {"event_id": None}
    messages = [EVENT_SCHEMA]
    for number in range(2000):
        messages.append(record(number, note=os.urandom(150).hex(), **changes))
        if ends != "at its end":
            messages.append(state(number))
    ended = subprocess.run(
        [sys.executable, "-c", RUN.format(size=FULL)],
        input="".join(json.dumps(message) + "\n" for message in messages),
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    (error,) = [line for line in ended.stderr.splitlines() if "| ERROR" in line]
    assert "can't write" in error
    assert "File too large. Free space, or point TMPDIR (local_path" in error
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert not list(tmp_path.glob("aep-output/*/*"))
    summary = json.loads((tmp_path / "target-aep-run-summary.json").read_text("utf-8"))
    assert summary["statusSummary"]["status"] == "failed"

"""The target's commands within a test's process."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from target_aep import subcommand_running
from target_aep.api.promotion import Polling
from target_aep.api.retrying import RetryPolicy
from target_aep.target import TargetAEP


class EagerTarget(TargetAEP):
    """The target with retries that hardly wait."""

    retry_policy = RetryPolicy(tries=4, base=0.001, cap=0.01, longest_wish=0.01)
    polling = Polling(first=0.001, longest=0.01)


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    log: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def make_runner(tmp_path: Any, monkeypatch: Any, capsys: Any, caplog: Any) -> Any:
    """A function that runs a command with settings, in a folder of its own."""

    def end(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr(subcommand_running, "end_process", end)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.excepthook", sys.excepthook)

    def run(*args: str, config: dict[str, Any] | None = None) -> Result:
        capsys.readouterr()
        caplog.clear()
        caplog.set_level("INFO")
        if config is not None:
            (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
            args = (*args, "--config", "config.json")
        with pytest.raises(SystemExit) as ended:
            EagerTarget.get_singer_command().main(list(args))
        return Result(int(ended.value.code or 0), capsys.readouterr().out, caplog.text)

    return run


def write_lines(path: Any, *documents: Any) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in documents), "utf-8")
    return str(path)

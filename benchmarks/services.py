"""Servers as processes of their own, for as long as a context lasts."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from benchmarks.static_server import LISTENING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATASET = "Mixpanel events"
"""The dataset of the emulated Experience Platform."""


@contextmanager
def static_server(days: Path) -> Iterator[str]:
    """Serve a folder of days; gives the URL."""
    with _server("benchmarks.static_server", str(days)) as url:
        yield url


@contextmanager
def lake_server(schema_file: Path, folder: Path) -> Iterator[str]:
    """Serve an emulated Experience Platform with one dataset; gives the URL.

    Args:
        schema_file: Schema of the dataset.
        folder: Keeps what is loaded.
    """
    with _server("benchmarks.lake_server", str(schema_file), str(folder)) as url:
        yield url


@contextmanager
def _server(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that tells its address, and end it with the context."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield _announced_url(process.stdout, module)
        finally:
            process.kill()


def _announced_url(lines: IO[str] | None, module: str) -> str:
    told: list[str] = []
    for line in lines or ():
        _, found, url = line.partition(LISTENING)
        if found:
            # What else it says is nobody's, but must not fill the pipe.
            threading.Thread(target=_drain, args=(lines,), daemon=True).start()
            return url.strip()
        told.append(line.strip())
    raise RuntimeError(f"{module} ended before it was ready: {' / '.join(told[-5:])}")


def _drain(lines: IO[str]) -> None:
    for _ in lines:
        pass

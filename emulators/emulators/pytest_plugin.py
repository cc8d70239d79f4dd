"""Pytest plugin of the emulators (found through its `pytest11` entry point).

It also imports the package before collection. Without that, pytest's importlib mode would take
the workspace folder `emulators/`, which holds the tests, for a package of the same name.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from emulators.server import EmulatorServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed.wsgi import WSGIApplication


@pytest.fixture
def serve() -> Iterator[Callable[[WSGIApplication], str]]:
    """A function that serves a WSGI app until the test's end and returns its base URL."""
    with contextlib.ExitStack() as servers:
        yield lambda app: servers.enter_context(EmulatorServer(app)).url

"""A server before the emulator that may answer in its place."""

from __future__ import annotations

from functools import partial
from typing import Any

from emulators.aep import AepEmulator  # noqa: TC002 - beside what is used
from werkzeug.wrappers import Request, Response


class Front:
    """Stands before the emulator; `alter` may answer in its place, or change what it answers.

    It is called with the request and a function that asks the emulator.
    """

    def __init__(self, emulator: AepEmulator) -> None:
        self._emulator = emulator
        self.alter: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if self.alter is None:
            return self._emulator(environ, start_response)
        ask = partial(Response.from_app, self._emulator, environ)
        return self.alter(Request(environ), ask)(environ, start_response)

"""`kill -9` at a request's boundary or at an instant, from inside the emulators' process."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from signal import SIGKILL

from emulators.server import AnswerLost


@dataclass(frozen=True)
class Strike:
    """A kill: of `tap`, `target` or `both`, when a request comes or some seconds after the start.

    Attributes:
        victim: Who is killed.
        request: Number of the request among those that both emulators get, from 1.
        call: Counts only requests of which `METHOD /path?query` has this in it.
        after_effect: Whether the request has its effect, or is lost with whom has sent it.
        seconds: The instant, where it is no request's.
    """

    victim: str
    request: int = 0
    after_effect: bool = False
    seconds: float = 0.0
    call: str = ""


class Killer:
    """Stands before both emulators, counts their requests, and strikes once."""

    def __init__(self):
        self._lock = threading.Lock()
        self._aimed = threading.Event()
        self._strike = None
        self._pids = ()
        self._timer = None
        self._counted = 0
        self.seen = 0

    def arm(self, strike):
        """Wait for a moment in the pipe that is started next."""
        with self._lock:
            self._strike, self.seen, self._counted = strike, 0, 0
            self._aimed.clear()

    def take_aim(self, *pids):
        """Say who the processes are: the target comes last."""
        strike = self._strike
        if strike is None:
            return
        self._pids = {"tap": pids[:1], "target": pids[-1:], "both": pids}[strike.victim]
        self._aimed.set()
        if not strike.request:
            self._timer = threading.Timer(strike.seconds, self._kill)
            self._timer.start()

    def disarm(self):
        """Kill no more: the processes are over."""
        if self._timer:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        with self._lock:
            self._strike, self._pids = None, ()

    def before(self, app):
        """The app with the killer before it."""

        def answer(environ, start_response):
            strike = self._due(environ)
            if strike is None:
                return app(environ, start_response)
            self._aimed.wait()
            if not strike.after_effect:
                self._kill()
                raise AnswerLost("who asked is dead")
            body = app(environ, start_response)
            content = list(body)
            getattr(body, "close", lambda: None)()
            self._kill()
            return content

        return answer

    def _due(self, environ):
        call = "{REQUEST_METHOD} {PATH_INFO}?{QUERY_STRING}".format_map(environ)
        with self._lock:
            self.seen += 1
            strike = self._strike
            if strike is None or strike.call not in call:
                return None
            self._counted += 1
            return strike if strike.request == self._counted else None

    def _kill(self):
        with self._lock:
            for pid in self._pids:
                os.kill(pid, SIGKILL)

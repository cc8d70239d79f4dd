"""Pipes `tap | target` as real processes, forked from one that has imported both already.

Forking saves the second of imports that each pipe would begin with. The helper process is this
file run as a script; it waits for nothing else than what it is asked over a socket.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from signal import SIGKILL

from tap_mixpanel_export.clock import SystemClock
from tap_mixpanel_export.retries import RetryPolicy as TapRetryPolicy
from tap_mixpanel_export.tap import TapMixpanelExport
from target_aep.api.promotion import Polling
from target_aep.api.retrying import RetryPolicy
from target_aep.target import TargetAEP


@dataclass
class Pipe:
    """What a pipe shall run, and where its output goes (paths).

    Attributes:
        target: Arguments of the target.
        states: Its output.
        log: What both log, appended.
        temporary: The folder for their temporary files.
        tap: Arguments of the tap; None for a target without one, that reads a file.
        tap_clock: When the tap's clock begins, epoch seconds; None for the machine's clock.
    """

    target: list[str]
    states: str
    log: str
    temporary: str
    tap: list[str] | None = None
    tap_clock: float | None = None


class PipeRunner:
    """Runs pipes, one at a time, through a helper process."""

    def __enter__(self):
        ours, theirs = socket.socketpair()
        command = [sys.executable, __file__, str(theirs.fileno())]
        with theirs:
            self._helper = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        self._socket, self._lines = ours, ours.makefile("rw")
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()
        self._helper.wait(timeout=30)

    def run(self, pipe, killer=None):
        """Run a pipe to its end; returns the exit codes of tap (if any) and target, -9: killed."""
        pids = self._ask(vars(pipe))
        try:
            if killer:
                killer.take_aim(*pids)
            self._ask("wait")
        except BaseException:
            for pid in pids:
                os.kill(pid, SIGKILL)
            raise
        finally:
            if killer:
                killer.disarm()
            codes = self._ask("reap")  # not before: until then the ids are no one else's
        return codes

    def _ask(self, order):
        self._lines.write(json.dumps(order) + "\n")
        self._lines.flush()
        return json.loads(self._lines.readline())


def serve(control):
    """Do what is asked until nobody asks any more."""
    make_impatient()
    pids = []
    with control.makefile("rw") as lines:
        for line in iter(lines.readline, ""):
            order, answer = json.loads(line), None
            if order == "wait":
                for pid in pids:
                    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            elif order == "reap":
                answer = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
            else:
                answer = pids = start(Pipe(**order))
            lines.write(json.dumps(answer) + "\n")
            lines.flush()


def make_impatient():
    """Shorten what both programs wait between two tries."""
    TapMixpanelExport.retry_policy = TapRetryPolicy(first_wait=0.02)
    TargetAEP.retry_policy = RetryPolicy(base=0.02)
    TargetAEP.polling = Polling(first=0.02, longest=0.1)


def start(pipe):
    """Fork the programs; returns their process ids, the target's last."""
    read_end, write_end = os.pipe()
    states = os.open(pipe.states, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    log = os.open(pipe.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    opened = [read_end, write_end, states, log, nothing]
    pids = []
    if pipe.tap is not None:
        pids = [fork("tap_mixpanel_export", pipe.tap, (nothing, write_end, log), opened, pipe)]
    pids.append(fork("target_aep", pipe.target, (read_end, states, log), opened, pipe))
    for descriptor in opened:
        os.close(descriptor)
    return pids


def fork(module, arguments, standard, opened, pipe):
    """Run a module as `python -m` would, with these standard streams."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        for descriptor in opened:
            os.close(descriptor)
        tempfile.tempdir = pipe.temporary
        if pipe.tap_clock is not None:
            set_tap_clock(pipe.tap_clock)
        sys.argv = [module, *arguments]
        status = exit_status(module)
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def exit_status(module):
    """Run it, and say how it ended."""
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def set_tap_clock(now):
    """Let the tap's clock run from another moment; it waits as ever."""
    offset = now - time.time()

    class MovedClock(SystemClock):
        def now(self):
            return time.time() + offset

    TapMixpanelExport.clock = MovedClock()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))

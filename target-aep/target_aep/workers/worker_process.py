"""A worker process as the target sees it: the pipes to it, and what it has to do."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import time
import typing as t
from collections import deque
from pathlib import Path

from target_aep.pipes import PIPE_BYTES, widen_pipe
from target_aep.workers.frames import (
    ASSIGNMENT,
    AT_ONCE,
    BLOCK,
    BLOCK_IN_SLOT,
    DROP,
    FAILED,
    HEAD,
    PLACE,
    READY,
    head,
)
from target_aep.workers.shared_slots import SharedSlots, shared_slots

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.loading.mapped_block import MappedBlock

_OWN_VARIABLES = "TARGET_AEP_"
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(8 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}
"""Lets the C library (of GNU, mallopt(3)) use the memory of a block for the next one."""


class Task:
    """A block that was given to a worker.

    Attributes:
        is_done: Whether an answer is there, or will never be.
        block: What it became; None if no worker could tell.
        slot: Where its lines are shared with the worker; None if they are not.
    """

    def __init__(self, slot: int | None = None) -> None:
        self.slot = slot
        self.is_done = False
        self.block: MappedBlock | None = None

    def end(self, block: MappedBlock | None) -> None:
        """Note the answer."""
        self.block, self.is_done = block, True


class Worker:
    """One process.

    Attributes:
        tasks: The blocks that it has, the oldest first.
        is_ready: Whether it has started.
        is_over: Whether it takes nothing any more.
        is_silent: Whether that is because nothing was heard of it for too long.
        started_at: When it was started, by `time.monotonic`.
    """

    def __init__(self) -> None:
        """Start it.

        Raises:
            OSError: The system refuses.
        """
        with shared_slots(AT_ONCE) as self._slots:
            self._process = _started(self._slots)
        self._free_slots = list(range(AT_ONCE)) if self._slots else []
        self.tasks: deque[Task] = deque()
        self.is_ready = False
        self.is_over = False
        self.is_silent = False
        self.started_at = time.monotonic()
        self._known: set[int] = set()
        self._outgoing: deque[memoryview] = deque()
        self._incoming = bytearray()
        self._scratch = bytearray(PIPE_BYTES)
        for pipe in (self.to, self.back):
            os.set_blocking(pipe, False)
            widen_pipe(pipe)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def to(self) -> int:
        """The descriptor of its input."""
        return t.cast("t.IO[bytes]", self._process.stdin).fileno()

    @property
    def back(self) -> int:
        """The descriptor of its output."""
        return t.cast("t.IO[bytes]", self._process.stdout).fileno()

    @property
    def has_outgoing(self) -> bool:
        """Whether something is left to be written to it."""
        return bool(self._outgoing)

    def give(self, number: int, assignment: bytes, lines: bytes) -> Task:
        """Let it map a block.

        Args:
            number: Of the assignment.
            assignment: It, pickled; sent with its first block.
            lines: RECORD lines, without the last newline.
        """
        if number not in self._known:
            self._known.add(number)
            self._queue(ASSIGNMENT, number, assignment)
        task = Task(self._slot_with(lines))
        if task.slot is None:
            self._queue(BLOCK, number, lines)
        else:
            self._queue(BLOCK_IN_SLOT, number, PLACE.pack(task.slot, len(lines), 0))
        self.tasks.append(task)
        self.write()
        return task

    def _slot_with(self, lines: bytes) -> int | None:
        """A slot that the lines were put into; None if there is no room."""
        if self._slots and self._free_slots and self._slots.put(self._free_slots[-1], lines):
            return self._free_slots.pop()
        return None

    def drop(self, number: int) -> None:
        """Let it forget an assignment of which no block comes any more."""
        if number in self._known:
            self._known.remove(number)
            self._queue(DROP, number, b"")

    def _queue(self, kind: int, number: int, body: bytes) -> None:
        start = head(kind, number, len(body))
        if len(body) <= PLACE.size:  # so the worker is woken once
            self._outgoing.append(memoryview(start + body))
        else:
            self._outgoing += (memoryview(start), memoryview(body))

    def write(self) -> None:
        """Write as much as the pipe takes."""
        try:
            while self._outgoing:
                piece = self._outgoing[0]
                written = os.write(self.to, piece)
                if written < len(piece):
                    self._outgoing[0] = piece[written:]
                else:
                    self._outgoing.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self.is_over = True

    def read(self) -> None:
        """Take the answers that are there."""
        try:
            while True:
                size = os.readv(self.back, [self._scratch])
                if not size:
                    self.is_over = True
                    return
                with memoryview(self._scratch) as read:
                    self._incoming += read[:size]
                self._take_answers()
        except BlockingIOError:
            pass
        except Exception:  # noqa: BLE001 - nonsense: of a process that is dying
            self.is_over = True

    def _take_answers(self) -> None:
        while len(self._incoming) >= HEAD.size:
            kind, _, size = HEAD.unpack_from(self._incoming)
            end = HEAD.size + size
            if len(self._incoming) < end:
                return
            with memoryview(self._incoming) as view, view[HEAD.size : end] as body:
                self._take_answer(kind, body)
            del self._incoming[:end]

    def _take_answer(self, kind: int, body: memoryview) -> None:
        if kind == READY:
            self.is_ready = True
            return
        block = None if kind == FAILED else self._block_in(kind, body)
        task = self.tasks.popleft()
        if task.slot is not None:
            self._free_slots.append(task.slot)
        task.end(block)

    def _block_in(self, kind: int, body: memoryview) -> MappedBlock:
        """What a worker's answer says that a block became."""
        start = PLACE.size if kind == BLOCK_IN_SLOT else 0
        block: MappedBlock = pickle.loads(body[start:])  # noqa: S301 - of a process of this one's own
        if self._slots and kind == BLOCK_IN_SLOT:
            slot, size, copies_size = PLACE.unpack(body[:start])
            with self._slots.view(slot, 0, size) as rows:
                block.rows = bytes(rows)
            if copies_size:
                with self._slots.view(slot, size, size + copies_size) as copies:
                    block.copies = bytes(copies)
        return block

    def give_up(self) -> None:
        """Take it for hung."""
        self.is_over = self.is_silent = True

    def kill(self) -> None:
        """Let the system end it, also if it is stopped; nothing is waited for."""
        self._process.kill()

    def end(self) -> None:
        """End it, and its tasks without an answer."""
        self.is_over = True
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                t.cast("t.IO[bytes]", pipe).close()
        self._process.wait()
        while self.tasks:
            self.tasks.popleft().end(None)

    def how_it_ended(self) -> str:
        """Its end in words, after `end`."""
        if self.is_silent:
            return "because nothing was heard of it for too long"
        status = self._process.returncode
        return f"by signal {-status}" if status < 0 else f"with exit status {status}"


def _started(slots: SharedSlots | None) -> subprocess.Popen[bytes]:
    """A process that works.

    Raises:
        OSError: The system refuses.
    """
    shared = [slots.descriptor] if slots else []
    return subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-I", "-c", _program(), *map(str, shared)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=shared,
        env={
            **_KEEP_MEMORY,
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(_OWN_VARIABLES)
            },
        },
    )


def _program() -> str:
    """What a worker runs: with this process's own import path, without the working directory."""
    return (
        f"import sys; sys.path[:] = {_import_path(sys.path)!r}; "
        "from target_aep.workers.worker import main; main()"
    )


def _import_path(path: Sequence[str]) -> list[str]:
    here = str(Path.cwd())
    own = str(Path(__file__).resolve().parents[2])
    others = [entry for each in path if (entry := os.path.abspath(each)) != here]  # noqa: PTH100
    return others if own in others else [*others, own]

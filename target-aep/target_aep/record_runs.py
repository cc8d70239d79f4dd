"""RECORD lines that come one after the other, handled together: here, or by worker processes.

A line is known by its beginning to be a RECORD of some stream. Where the SDK would do nothing with
its records but hand them to the sink as they are, whole runs of such lines are mapped at once. What
they become is applied in the order of the input, whoever has mapped them, and so are the STATEs
between them. A line that is not what it seems is left to the ordinary way.
"""

from __future__ import annotations

import typing as t
from collections import deque
from dataclasses import dataclass, field

from target_aep.held_signals import signals_held
from target_aep.record_routes import RecordRoutes
from target_aep.workers.frames import AT_ONCE
from target_aep.workers.pool import WorkerPool
from target_aep.workers.worker_process import Task

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.line_run import LineRun
    from target_aep.message_shapes import Message
    from target_aep.record_routes import Route
    from target_aep.target import TargetAEP

START_AFTER: t.Final = 8 << 20
"""Bytes of records that are mapped here before workers are started: short runs pay nothing."""

BLOCK_BYTES: t.Final = 1 << 19
"""A worker is given about so much at once."""

SMALL: t.Final = 1 << 15
"""Less than this is mapped here: for a worker it is not worth the way."""


LARGE: t.Final = 1 << 20
"""A longer line is mapped here: elsewhere there would be several of it in memory at once."""

MOST_BYTES: t.Final = 8 << 20
"""So much of the input may be under way."""


class Lines(t.Protocol):
    """Takes what is handled, in the order of the input."""

    def handle(self, lines: Sequence[bytes]) -> None:
        """Handle lines in this process."""

    def pass_records(self, count: int, size: int) -> None:
        """Count the next lines, which are records that were handled; bytes with the newlines."""

    def pass_message(self, line: bytes, message: Message) -> None:
        """Handle the message of the next line."""


@dataclass
class _Block:
    """Lines that a worker has."""

    route: Route
    run: LineRun
    task: Task


@dataclass
class _Message:
    """A message that waits for the records before it."""

    line: bytes
    message: Message
    task: Task = field(default_factory=Task)

    def __post_init__(self) -> None:
        self.task.is_done = True


class RecordRuns:
    """The runs of one target.

    Attributes:
        routes: Where lines go, as far as that is known.
    """

    def __init__(self, target: TargetAEP) -> None:
        """Begin without any route.

        Args:
            target: Whose sinks are filled.
        """
        self._target = target
        self.routes = RecordRoutes(target)
        self._waiting: deque[_Block | _Message] = deque()
        self._pool: WorkerPool | None = None
        self._handled = 0
        self._under_way = 0

    @property
    def is_waiting(self) -> bool:
        """Whether something is under way, which has to be applied before anything else."""
        return bool(self._waiting)

    def take(self, route: Route, run: LineRun, reader: Lines) -> int:
        """Handle lines of a route, or let workers do it.

        Args:
            route: The route.
            run: Lines that begin with its prefix.
            reader: Is told of what is handled.

        Returns:
            How many were taken: the one after them needs the ordinary way.
        """
        size = run.size
        self._handled += size
        is_odd = size < SMALL or (size > LARGE and run.longest > LARGE)
        if is_odd or not self._has_workers():
            self.drain(reader)
            return self.take_here(route, list(run), reader)
        per_block = max(1, len(run) * BLOCK_BYTES // size)
        for start in range(0, len(run), per_block):
            self._give(route, run[start : start + per_block], reader)
        return len(run)

    def take_here(self, route: Route, lines: Sequence[bytes], reader: Lines) -> int:
        """Handle lines of a route in this process.

        Args:
            route: The route.
            lines: Lines that begin with its prefix, without their newlines.
            reader: Is told of what is handled.

        Returns:
            As `take` does.
        """
        block = route.mapper.map(lines)
        done = lines[: block.taken] if block.taken < len(lines) else lines
        route.sink.take_block(block, done)
        reader.pass_records(len(done), sum(map(len, done)) + len(done))
        return block.taken

    def _has_workers(self) -> bool:
        """Whether there is a worker to take lines."""
        if self._pool is None:
            if self._handled < START_AFTER:
                return False
            with signals_held():  # until it is known whom to kill
                self._pool = WorkerPool(self._target.settings.workers)
        self._pool.exchange(wait=False)
        return bool(self._pool.ready)

    @property
    def _most_waiting(self) -> int:
        """What is kept in memory while the oldest block is waited for."""
        return 2 * AT_ONCE * self._target.settings.workers

    def _give(self, route: Route, run: LineRun, reader: Lines) -> None:
        """Give a block to a worker as soon as one has room; without any it is mapped here."""
        pool = t.cast("WorkerPool", self._pool)
        self.apply_what_is_done(reader)
        while pool.ready and (not pool.has_room or self._is_full(run.size)):
            pool.exchange(wait=True)
            self.apply_what_is_done(reader)
        if not pool.ready or route.assignment is None:
            self.drain(reader)
            reader.handle(list(run))
            return
        while self.routes.replaced:
            pool.drop(self.routes.replaced.pop())
        task = pool.give(route.number, route.assignment, run.text)
        self._waiting.append(_Block(route, run, task))
        self._under_way += run.size

    def _is_full(self, size: int) -> bool:
        """Whether a block of some bytes has to wait for the oldest one."""
        has_bytes = self._under_way > 0 and self._under_way + size > MOST_BYTES
        return has_bytes or len(self._waiting) >= self._most_waiting

    def put_behind(self, line: bytes, message: Message, reader: Lines) -> None:
        """Let a STATE wait for the records before it, while others are mapped."""
        if len(self._waiting) >= self._most_waiting:
            self.drain(reader)
        self._waiting.append(_Message(line, message))

    def apply_what_is_done(self, reader: Lines) -> None:
        """Apply the results that are there, up to the first that is not."""
        while self._waiting and self._waiting[0].task.is_done:
            self._apply(self._waiting.popleft(), reader)

    def drain(self, reader: Lines) -> None:
        """Wait for all that is under way, and apply it."""
        while self._waiting:
            self.apply_what_is_done(reader)
            if self._waiting and self._pool:
                self._pool.exchange(wait=True)

    def await_input(self, descriptor: int | None, reader: Lines) -> None:
        """Apply results until there is input.

        Args:
            descriptor: Of the input; None of one that never lets wait.
            reader: Is told of what is handled.
        """
        self.apply_what_is_done(reader)
        while self._waiting and self._pool and descriptor is not None:
            has_input = self._pool.exchange(wait=True, also=descriptor)
            self.apply_what_is_done(reader)
            if has_input:
                return

    def _apply(self, item: _Block | _Message, reader: Lines) -> None:
        if isinstance(item, _Message):
            reader.pass_message(item.line, item.message)
            return
        block, route, run = item.task.block, item.route, item.run
        self._under_way -= run.size
        if block is None or not self.routes.holds(route):
            reader.handle(list(run))
            return
        done = run[: block.taken]
        route.sink.take_block(block, done)
        reader.pass_records(len(done), done.size)
        if block.taken < len(run):
            reader.handle(list(run[block.taken :]))

    def kill(self) -> None:
        """Let the system end the workers, while this process is ending."""
        if self._pool:
            self._pool.kill()

    def end(self) -> None:
        """Drop what is under way, and end the workers."""
        self._waiting.clear()
        self._under_way = 0
        if self._pool:
            self._pool.end()
            self._pool = None

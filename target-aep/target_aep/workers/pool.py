"""Worker processes: blocks go out, rows come back, in any order.

One thread does all of it, with pipes that do not block: so a signal is heard while it waits, and
no thread waits for the interpreter while a worker has nothing to do.
"""

from __future__ import annotations

import logging
import select
import time
import typing as t

from target_aep.workers.frames import AT_ONCE
from target_aep.workers.worker_process import Worker

if t.TYPE_CHECKING:
    from target_aep.workers.worker_process import Task

logger = logging.getLogger("target-aep")

PATIENCE: t.Final = 60.0
"""Seconds after which a worker of which nothing is heard is given up: a block takes far less."""


class WorkerPool:
    """The worker processes of a run."""

    def __init__(self, count: int) -> None:
        """Start them; while they are starting they take nothing.

        Args:
            count: How many.
        """
        self._workers: list[Worker] = []
        try:
            for _ in range(count):
                self._workers.append(Worker())
        except OSError as error:
            logger.warning(
                "workers: %d of %d worker processes could be started (%s); the others' share of "
                "the records is mapped without them",
                len(self._workers),
                count,
                error.strerror,
            )

    @property
    def pids(self) -> list[int]:
        """The process ids of those that are there."""
        return [worker.pid for worker in self._workers]

    @property
    def ready(self) -> list[Worker]:
        """Those that have started."""
        return [worker for worker in self._workers if worker.is_ready]

    @property
    def has_room(self) -> bool:
        """Whether a block can be given to a worker."""
        return any(len(worker.tasks) < AT_ONCE for worker in self.ready)

    def give(self, number: int, assignment: bytes, lines: bytes) -> Task:
        """Give a block to the worker that has the fewest; there must be room.

        Args:
            number: Of the assignment.
            assignment: It, pickled.
            lines: RECORD lines, without the last newline.
        """
        idlest = min(self.ready, key=lambda worker: len(worker.tasks))
        return idlest.give(number, assignment, lines)

    def drop(self, number: int) -> None:
        """Let the workers forget an assignment of which no block comes any more."""
        for worker in self._workers:
            worker.drop(number)

    def exchange(self, *, wait: bool, also: int | None = None) -> bool:
        """Write to and read from the workers what can be.

        Args:
            wait: Whether to wait until something can be.
            also: A descriptor that ends the waiting when it has something to read.

        Returns:
            Whether that descriptor has.
        """
        poll = select.poll()
        if also is not None:
            poll.register(also, select.POLLIN)
        for worker in self._workers:
            poll.register(worker.back, select.POLLIN)
            if worker.has_outgoing:
                poll.register(worker.to, select.POLLOUT)
        events = dict(self._await(poll) if wait else poll.poll(0))
        for worker in self._workers:
            if worker.to in events:
                worker.write()
            if worker.back in events:
                worker.read()
        self._bury_the_dead()
        return also in events

    def _await(self, poll: select.poll) -> list[tuple[int, int]]:
        """Wait until something can be exchanged; workers that don't answer for long are given up.

        It waits twice, since this process may have been stopped itself the first time.
        """
        while True:
            half = PATIENCE * 1000 / 2
            events = poll.poll(half) or poll.poll(half)
            if events:
                return events
            busy = [worker for worker in self._workers if worker.tasks]
            for worker in busy:
                worker.give_up()
            if busy or self._late_starters():
                return events

    def _late_starters(self) -> list[Worker]:
        """Workers that should have started long ago."""
        latest = time.monotonic() - PATIENCE
        return [each for each in self._workers if not each.is_ready and each.started_at < latest]

    def _bury_the_dead(self) -> None:
        for worker in self._late_starters():
            worker.give_up()
        for worker in [worker for worker in self._workers if worker.is_over]:
            worker.end()
            self._workers.remove(worker)
            logger.warning(
                "workers: the worker process %d has ended %s; nothing is lost, its records are "
                "mapped without it. If the machine has too little memory, set workers to 1",
                worker.pid,
                worker.how_it_ended(),
            )

    def kill(self) -> None:
        """Let the system end all workers, while this process is ending: nothing is waited for."""
        for worker in list(self._workers):
            worker.kill()

    def end(self) -> None:
        """End all workers."""
        while self._workers:
            self._workers[-1].end()
            self._workers.pop()

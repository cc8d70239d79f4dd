"""Loading in the background, in order: each STATE is written after everything before it.

While one unit (what all streams received between two commits) is uploaded and promoted, the next
one is mapped. There are never more than these two, which bounds the use of the disk.
"""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

if t.TYPE_CHECKING:
    from collections.abc import Callable

State = dict[str, t.Any]
Load = t.Callable[[], None]

_STREAMS_AT_ONCE = 4


class CommitPipeline:
    """Loads units one after the other; all methods are for the main thread."""

    def __init__(self, write_state: Callable[[State], None]) -> None:
        """Create it; no thread is started before the first unit.

        Args:
            write_state: Called in another thread with each STATE whose records are loaded.
        """
        self._write_state = write_state
        self._collected: list[Callable[[State | None], None]] = []
        self._unit: Future[None] | None = None
        self._lock = threading.Lock()
        self._latest: State | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the unit under way has ended with an error, which `finish` raises."""
        unit = self._unit
        return unit is not None and unit.done() and unit.exception() is not None

    def hand_over(self, load: Callable[[State | None], None]) -> None:
        """Add a stream's records to the unit that is being collected.

        Args:
            load: Called in a thread with the unit's STATE; returns when they are loaded.
        """
        self._collected.append(load)

    def close_unit(self, state: State | None) -> None:
        """Load what was handed over, then write the STATE; waits for the unit before.

        Args:
            state: The STATE that covers it; None if the tap has sent none.

        Raises:
            Exception: The unit before could not be loaded, or its STATE not be written.
        """
        if not self._collected:
            self._pass_on(state)
            return
        self.finish()
        loads, self._collected = self._collected, []
        self._unit = Future()
        threading.Thread(
            target=self._run, args=(self._unit, loads, state), name="commit", daemon=True
        ).start()

    def finish(self) -> None:
        """Wait for the unit under way.

        Raises:
            Exception: It could not be loaded, or its STATE not be written.
        """
        unit, self._unit = self._unit, None
        if unit is not None:
            unit.result()

    def _pass_on(self, state: State | None) -> None:
        """Write a STATE with nothing before it at once, or else after the unit under way."""
        if state is None:
            return
        with self._lock:
            if self._unit is not None and not self._unit.done():
                self._latest = state
                return
        self.finish()
        self._write_state(state)

    def _run(self, unit: Future[None], loads: list[t.Any], state: State | None) -> None:
        try:
            _load_all(loads, state)
            with self._lock:
                last = state if self._latest is None else self._latest
                self._latest = None
                if last is not None:
                    self._write_state(last)
                unit.set_result(None)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            unit.set_exception(error)


def _load_all(loads: list[Callable[[State | None], None]], state: State | None) -> None:
    """Load all streams of a unit; the first error is raised when none is under way any more."""
    if len(loads) == 1:
        loads[0](state)
        return
    with ThreadPoolExecutor(_STREAMS_AT_ONCE, "stream") as pool:
        under_way = [pool.submit(load, state) for load in loads]
    for load in under_way:
        load.result()

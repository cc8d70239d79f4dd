"""Signals that wait for a moment in which they would find half of something."""

from __future__ import annotations

import signal
import threading
import typing as t
from contextlib import contextmanager

if t.TYPE_CHECKING:
    from collections.abc import Iterator

ENDING: t.Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let signals that end the process come after this block, not within.

    They are not masked in the system, since another thread would take them, and new processes would
    have the mask. Only in the main thread there is something to do: Python hears them nowhere else.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {number: handler for number in ENDING if (handler := signal.getsignal(number))}
    try:
        for number in handlers:
            signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for one in came:
            signal.raise_signal(one)

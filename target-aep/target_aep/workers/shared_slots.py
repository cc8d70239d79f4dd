"""Memory that the target and a worker share: what is large does not go through their pipes.

A slot belongs to the one block that was put into it, from when it is given to the worker until its
answer was read: the worker finds the lines there, and leaves the rows in their place.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

SLOT_BYTES: t.Final = 2 << 20
"""Of a slot: four times what a worker is given at once; what is larger goes through the pipe."""


class SharedSlots:
    """The slots of one worker, as each of the two processes sees them.

    Attributes:
        descriptor: Of the memory.
    """

    def __init__(self, descriptor: int, count: int) -> None:
        """Map the memory.

        Args:
            descriptor: Of memory that `shared_slots` made.
            count: How many slots it was made for.

        Raises:
            OSError: It can't be mapped.
        """
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, 0)
        self._size = len(self._memory) // count

    def put(self, slot: int, *parts: bytes | bytearray | memoryview) -> bool:
        """Put bytes into a slot, one part after the other; whether there was room."""
        if sum(map(len, parts)) > self._size:
            return False
        start = slot * self._size
        for part in parts:
            end = start + len(part)
            self._memory[start:end] = part
            start = end
        return True

    def view(self, slot: int, start: int, end: int) -> memoryview:
        """The bytes of a slot between two places, as long as it is not used again."""
        if not 0 <= start <= end <= self._size:
            raise ValueError("not within a slot")
        at = slot * self._size
        return memoryview(self._memory)[at + start : at + end]


@contextlib.contextmanager
def shared_slots(count: int) -> Iterator[SharedSlots | None]:
    """Make slots, whose memory is gone when no process has it any more.

    Args:
        count: How many.

    Yields:
        The slots, whose descriptor is open until then; None where the system has no room for them.
    """
    with contextlib.ExitStack() as stack:
        slots = None
        with contextlib.suppress(OSError, ValueError):
            descriptor = _memory_of(count * SLOT_BYTES, stack)
            slots = SharedSlots(descriptor, count)
        yield slots


def _memory_of(size: int, stack: contextlib.ExitStack) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("target-aep")
        stack.callback(os.close, descriptor)
        os.ftruncate(descriptor, size)
        return descriptor
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    file.write(bytes(size))  # now rather than later, when a full disk would end the process
    file.flush()
    return file.fileno()

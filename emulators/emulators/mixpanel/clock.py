"""The emulator's idea of now: a running clock that can be fixed or moved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Epoch seconds from a base clock, unless fixed; callable."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._offset = 0.0
        self._fixed: float | None = None

    def __call__(self) -> float:
        """Now, in epoch seconds."""
        if self._fixed is not None:
            return self._fixed
        return self._base() + self._offset

    @property
    def fixed(self) -> bool:
        """Whether the clock stands still."""
        return self._fixed is not None

    def fix(self, now: float) -> None:
        """Stop the clock at this instant (epoch seconds)."""
        self._fixed = now

    def advance(self, seconds: float) -> None:
        """Move the clock, whether it runs or stands."""
        if self._fixed is not None:
            self._fixed += seconds
        else:
            self._offset += seconds

    def release(self) -> None:
        """Follow the base clock again."""
        self._fixed = None
        self._offset = 0.0

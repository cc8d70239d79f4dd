"""What an expression knows beside its record: the moment, and where chance comes from."""

from __future__ import annotations

import time
import typing as t
import uuid
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Callable

_NANOSECONDS = 1_000_000


@dataclass
class Evaluation:
    """One for all mappings of a stream, so that they agree within a record.

    Attributes:
        clock: Gives the time in nanoseconds since 1970-01-01 UTC.
        new_uuid: Gives what `uuid()` and `guid()` give.
    """

    clock: Callable[[], int] = time.time_ns
    new_uuid: Callable[[], uuid.UUID] = uuid.uuid4
    _moment: int | None = field(default=None, init=False)

    def begin_record(self) -> None:
        """Let `now` be read anew when it is next asked for."""
        self._moment = None

    @property
    def epoch_milliseconds(self) -> int:
        """The moment of the record, the same for all that ask: milliseconds since 1970."""
        if self._moment is None:
            self._moment = self.clock()
        return self._moment // _NANOSECONDS

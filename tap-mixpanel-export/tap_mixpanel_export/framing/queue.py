"""Has the blocks of one body framed and kept, here or by helpers, and tells what came of them."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

from tap_mixpanel_export.framing.framer import Framer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_mixpanel_export.framing.helper_pool import BodyOfHelpers
    from tap_mixpanel_export.framing.messages import Framed, Framing
    from tap_mixpanel_export.record_spool import SpoolPart

_AT_HOME = 8 << 20  # what is framed here at most while helpers start
_AT_HOME_BESIDE = 1 << 20  # and once they are there
_WAKING = 3 << 20
_BLOCK = 1 << 20
_ASKED_EACH = 16 << 20


class FrameQueue:
    """The blocks of one body, in its order.

    The first blocks are framed at once and here: most bodies are small, and helpers take a while
    to start. Those after them go to helpers, if there are any, in blocks of a good size.
    """

    def __init__(
        self,
        framing: Framing,
        part: SpoolPart | None = None,
        *,
        has_room: Callable[[], bool] = lambda: True,
        helpers: BodyOfHelpers | None = None,
    ) -> None:
        """Begin without any block.

        Args:
            framing: What is asked for.
            part: Where records are kept; None if they are not wanted.
            has_room: Whether there is room for lines that are not compressed.
            helpers: Processes that frame and keep blocks.
        """
        self._framer = Framer(framing)
        self._part = part
        self._has_room = has_room
        self._helpers = helpers
        self._at_home = 0
        self._gathered: list[bytes | memoryview] = []
        self._gathered_size = 0
        self._gathered_samples = False
        self._is_plain = True
        self._until_asked = 0
        self._pending: deque[Future[Framed]] = deque()

    def add(self, pieces: Sequence[bytes | memoryview], *, samples: bool) -> None:
        """Take a block of whole lines.

        Args:
            pieces: The block's bytes.
            samples: Whether distances between receipt and time are wanted.

        Raises:
            OSError: Its records cannot be written.
        """
        if self._helpers is None or self._stays_at_home(self._helpers):
            block = b"".join(pieces)
            self._at_home += len(block)
            self._frame(block, samples=samples)
            return
        self._gathered += pieces
        self._gathered_size += sum(map(len, pieces))
        self._gathered_samples |= samples
        if self._gathered_size >= _BLOCK:
            self._hand_over(self._helpers)

    def _stays_at_home(self, helpers: BodyOfHelpers) -> bool:
        if self._at_home < _AT_HOME_BESIDE:
            return True
        if helpers.are_up or self._at_home >= _AT_HOME:
            return False
        if self._at_home >= _WAKING:
            helpers.wake()
        return True

    def finished(self, *, everything: bool = False) -> Iterator[Framed]:
        """Yield the blocks that are framed, in order.

        Args:
            everything: Whether to wait for all that were added.

        Raises:
            OSError: Records cannot be written.
            HelperLostError: A helper has died.
        """
        if everything and self._gathered and self._helpers is not None:
            self._hand_over(self._helpers)
        most = 0 if everything or self._helpers is None else self._helpers.most_pending
        while self._pending and (len(self._pending) > most or self._pending[0].done()):
            yield self._pending.popleft().result()

    def close(self) -> None:
        """Forget what was not handed back; no helper is at work on it any more."""
        for future in self._pending:
            future.cancel()
        for future in self._pending:
            if not future.cancelled():
                future.exception()
        self._pending.clear()

    def _frame(self, block: bytes, *, samples: bool) -> None:
        framed = self._framer.frame(block, samples=samples)
        if self._part is not None:
            self._part.keep(framed, is_plain=self._may_be_plain(len(framed.payload)))
        future: Future[Framed] = Future()
        future.set_result(framed)
        self._pending.append(future)

    def _hand_over(self, helpers: BodyOfHelpers) -> None:
        pieces, self._gathered = self._gathered, []
        samples, self._gathered_samples = self._gathered_samples, False
        is_plain = self._may_be_plain(self._gathered_size)
        self._gathered_size = 0
        self._pending.append(helpers.frame(pieces, samples=samples, is_plain=is_plain))

    def _may_be_plain(self, size: int) -> bool:
        """Whether there is room for so many bytes; the disk is asked now and then."""
        if size:
            if self._until_asked <= 0:
                self._is_plain = self._has_room()
                self._until_asked = _ASKED_EACH
            self._until_asked -= size
        return self._is_plain

"""Processes that share the work on large windows, so that it takes more than one core.

The tap sends them blocks of a body as they come, and they write the records to files of their own.
Each is driven by a thread, which only waits. A helper that dies makes the attempt at its window
fail, and another one is started. If that happens to a second window, or if none can be started, the
tap does without.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec
from typing_extensions import Self

from tap_mixpanel_export.errors import HelperLostError, HelperNotStartedError
from tap_mixpanel_export.framing.helper_process import (
    LENGTH_BYTES,
    Answer,
    Refusal,
    Request,
    send,
)
from tap_mixpanel_export.framing.waiting_blocks import WaitingBlocks
from tap_mixpanel_export.record_spool import part_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from tap_mixpanel_export.framing.messages import Framed, Framing
    from tap_mixpanel_export.window_plan import Place

    Pieces = Sequence[bytes | memoryview]

# Isolated from the working directory and the environment, it looks last where this process looks.
_PROGRAM = """
import sys
sys.path += [path for path in {paths!r} if path not in sys.path]
getattr(sys, "set_int_max_str_digits", id)({digits!r})
from tap_mixpanel_export.framing.helper_process import main
main()
"""

_LONGEST_ANSWER = 600.0  # seconds; a block takes some hundredths of one
_MOST_LOSSES = 2
_MOST_WAITING_BYTES = 32 << 20  # of all bodies
_LIKELY_BLOCK = 3 << 19
_USUAL_BODIES = 4
_LEAST_PENDING = 2  # of a body: one with a helper, one that waits
_TAIL = 2000
_ERROR = re.compile(r"[\w.]+(:|$)")
_TELLING = ("ImportError", "ModuleNotFoundError")  # have no customer data in their words

_logger = logging.getLogger("tap-mixpanel-export")
_answers = msgspec.msgpack.Decoder(Answer | Refusal)


class FramingHelpers:
    """Some processes, started when they are woken or needed; use as a context manager.

    Attributes:
        are_up: Whether one of them has ever answered.
    """

    def __init__(
        self, count: int, logger: logging.Logger = _logger, *, bodies: int = _USUAL_BODIES
    ) -> None:
        """Start nothing yet.

        Args:
            count: How many.
            bodies: How many bodies may come at a time.
            logger: Gets a line if the work goes on without them.
        """
        self._logger = logger
        self._lock = threading.Lock()
        self._has_room = threading.Condition()
        self._waiting_bytes = 0
        self._lost_by: set[str] = set()
        self._is_given_up = False
        self._is_woken = False
        self.are_up = False
        share = _MOST_WAITING_BYTES // (bodies * _LIKELY_BLOCK)
        self._most_pending = min(count + 1, max(share, _LEAST_PENDING))
        self._waiting = WaitingBlocks()
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="framing")
        self._free: SimpleQueue[_Helper] = SimpleQueue()
        self._all = [_Helper(number) for number in range(1, count + 1)]
        for helper in reversed(self._all):
            self._free.put(helper)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_given_up = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._waiting.cancel()
        for helper in self._all:
            helper.kill()
        self._threads.shutdown(wait=True)
        for helper in self._all:
            helper.clean_up()

    def of_body(self, framing: Framing, path: Path, place: Place) -> BodyOfHelpers | None:
        """Have them ready for a body; returns None if they are of no use.

        Args:
            framing: What is asked for.
            path: The first of its files.
            place: Its window's place in the sweep; the earliest goes first.
        """
        if self._is_given_up:
            return None
        return BodyOfHelpers(self, framing, path, place, most_pending=self._most_pending)

    def wake(self) -> None:
        """Have all of them started, which takes a while, and do not wait for it."""
        with self._lock:
            if self._is_woken or self._is_given_up:
                return
            self._is_woken = True
        for _ in self._all:
            with suppress(RuntimeError):  # the run has ended
                self._threads.submit(self._greet)

    def submit(self, place: Place, request: Request, pieces: Pieces) -> Future[Framed]:
        """Have a block framed, once there is room; ``request.path`` is the body's first file."""
        with self._has_room:
            self._has_room.wait_for(lambda: self._takes(request.size))
            self._waiting_bytes += request.size
        future = self._waiting.put(place, request, pieces)
        future.add_done_callback(lambda _future: self._release(request.size))
        try:
            self._threads.submit(self._frame_next)
        except RuntimeError:
            future.cancel()
            raise
        return future

    def _takes(self, size: int) -> bool:
        return not self._waiting_bytes or self._waiting_bytes + size <= _MOST_WAITING_BYTES

    def _release(self, size: int) -> None:
        with self._has_room:
            self._waiting_bytes -= size
            self._has_room.notify_all()

    def _greet(self) -> None:
        helper = self._free.get()
        try:
            # One that cannot be started is told of by the first block for it.
            with suppress(HelperLostError):
                helper.greet()
                self.are_up = True
        finally:
            self._free.put(helper)

    def _frame_next(self) -> None:
        helper = self._free.get()
        try:
            block = self._waiting.take()
            if block is None:
                return
            future, request, pieces = block.future, block.request, block.pieces
            del block
            try:
                framed = helper.frame(request, pieces)
            except BaseException as error:  # noqa: BLE001 - handed to the one who waits for it
                try:
                    if isinstance(error, HelperLostError):
                        self._note_loss(request.path, error)
                finally:
                    future.set_exception(error)
            else:
                self.are_up = True
                future.set_result(framed)
            finally:
                del future, pieces  # which the error's own traceback would keep for long
        finally:
            self._free.put(helper)

    def _note_loss(self, path: str, error: HelperLostError) -> None:
        with self._lock:
            self._lost_by.add(path)
            is_enough = len(self._lost_by) >= _MOST_LOSSES
            if self._is_given_up or not (is_enough or isinstance(error, HelperNotStartedError)):
                return
            self._is_given_up = True
            # Told before any other block's failure is.
            self._logger.warning("going on without helper processes, which is slower: %s", error)


class BodyOfHelpers:
    """One body's side of the helpers.

    Attributes:
        most_pending: Blocks that keep all of them at work.
    """

    def __init__(
        self,
        helpers: FramingHelpers,
        framing: Framing,
        path: Path,
        place: Place,
        *,
        most_pending: int,
    ) -> None:
        self._helpers = helpers
        self._framing = framing
        self._path = path
        self._place = place
        self.most_pending = most_pending

    @property
    def are_up(self) -> bool:
        """Whether one of the helpers has ever answered."""
        return self._helpers.are_up

    def wake(self) -> None:
        """Have the helpers started, as blocks are going to come."""
        self._helpers.wake()

    def frame(self, pieces: Pieces, *, samples: bool, is_plain: bool) -> Future[Framed]:
        """Have a block framed and kept; the result comes with the errors of ``_Helper.frame``."""
        size = sum(map(len, pieces))
        request = Request(
            self._framing, str(self._path), 0, samples=samples, is_plain=is_plain, size=size
        )
        return self._helpers.submit(self._place, request, pieces)


class _Helper:
    """One process, which is not running before the first block, nor after it was lost."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._process: subprocess.Popen[bytes] | None = None
        self._words: BinaryIO | None = None  # what the process says on stderr
        self._is_ended = False

    def greet(self) -> None:
        """Have the process started, if it is not, and wait until it answers.

        Raises:
            HelperLostError: The process has ended, or cannot be started.
        """
        self._ask(self._process or self._start(), None)

    def frame(self, request: Request, pieces: Pieces) -> Framed:
        """Have a block framed and kept in this helper's file of the body.

        Raises:
            OSError: It cannot be written.
            HelperLostError: The process has ended, or cannot be started.
        """
        path = part_path(Path(request.path), self._number)
        request = msgspec.structs.replace(request, path=str(path), part=self._number)
        answer = self._ask(self._process or self._start(), request, pieces)
        if isinstance(answer, Refusal):
            raise OSError(answer.number, answer.reason)
        return answer.framed

    def kill(self) -> None:
        """End the process, also while it is at work; no other one is left running."""
        self._is_ended = True
        process = self._process  # which its thread may forget meanwhile
        if process is not None:
            process.kill()

    def clean_up(self) -> None:
        """Wait for the killed process, when nobody talks to it any more."""
        if self._process is not None:
            self._process.communicate()
            self._process = None
        if self._words is not None:
            self._words.close()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            if self._words is None:
                self._words = cast("BinaryIO", tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 - it stays
            self._process = subprocess.Popen(  # noqa: S603 - the tap's own program
                [sys.executable, "-I", "-c", _program()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
            )
        except OSError as error:
            raise HelperNotStartedError(
                f"a helper process cannot be started ({error.strerror or error}); "
                "set workers to 1 to do without"
            ) from error
        if self._is_ended:
            self._process.kill()
        return self._process

    def _ask(
        self, process: subprocess.Popen[bytes], request: Request | None, pieces: Pieces = ()
    ) -> Answer | Refusal:
        output, answers = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
        limit = threading.Timer(_LONGEST_ANSWER, process.kill)
        limit.daemon = True
        limit.start()
        try:
            send(output, request, pieces)
            length = int.from_bytes(answers.read(LENGTH_BYTES), "big")
            return cast("Answer | Refusal", _answers.decode(answers.read(length)))
        except (OSError, msgspec.DecodeError) as error:
            raise self._lost(process) from error
        finally:
            limit.cancel()

    def _lost(self, process: subprocess.Popen[bytes]) -> HelperLostError:
        self._process = None
        process.kill()
        process.communicate()
        return HelperLostError(
            f"a helper process has ended unexpectedly (exit code {process.returncode}"
            f"{self._last_words()}); if that happens again, set workers to 1 to do without"
        )

    def _last_words(self) -> str:
        """Return what ended the process, as far as it said so, without customer data."""
        if self._words is None:
            return ""
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - _TAIL))
        lines = self._words.read().decode(errors="replace").split("\n")
        self._words.truncate(0)
        self._words.seek(0)
        said = [line for line in lines if _ERROR.match(line)]
        if not said:
            return ""
        kind = said[-1].partition(":")[0]
        return f", {said[-1].strip() if kind in _TELLING else kind}"


def _program() -> str:
    own = Path(__file__).resolve().parents[2]
    here = Path.cwd()
    paths = [path for path in sys.path if path and Path(path).resolve() != here]
    digits = getattr(sys, "get_int_max_str_digits", int)()
    return _PROGRAM.format(paths=[*paths, str(own)], digits=digits)

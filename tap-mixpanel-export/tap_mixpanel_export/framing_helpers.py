"""Processes that share the work on large windows, so that it takes more than one core.

The tap sends them blocks of a body as they come, and they write the records to files of their own.
Each is driven by a thread, which only waits. A helper that dies makes the attempt at its window
fail, and another one is started.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec
from typing_extensions import Self

from tap_mixpanel_export.errors import HelperLostError
from tap_mixpanel_export.framing_helper import LENGTH_BYTES, Answer, Refusal, Request, send
from tap_mixpanel_export.record_spool import part_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tap_mixpanel_export.framing import Framed, Framing

    Pieces = Sequence[bytes | memoryview]

# Isolated from the working directory and the environment, it looks last where this process looks.
_PROGRAM = """
import sys
sys.path += [path for path in {paths!r} if path not in sys.path]
getattr(sys, "set_int_max_str_digits", id)({digits!r})
from tap_mixpanel_export.framing_helper import main
main()
"""

_answers = msgspec.msgpack.Decoder(Answer | Refusal)


class FramingHelpers:
    """Some processes, each started when it is first needed; use as a context manager."""

    def __init__(self, count: int) -> None:
        """Start nothing yet.

        Args:
            count: How many.
        """
        self._count = count
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
        self._threads.shutdown(wait=False, cancel_futures=True)
        for helper in self._all:
            helper.kill()
        self._threads.shutdown(wait=True)
        for helper in self._all:
            helper.clean_up()

    def of_body(self, framing: Framing, path: Path) -> BodyOfHelpers:
        """Have them ready for a body.

        Args:
            framing: What is asked for.
            path: The first of its files.
        """
        return BodyOfHelpers(self, framing, path, most_pending=self._count + 1)

    def submit(self, request: Request, pieces: Pieces) -> Future[Framed]:
        """Have a block framed; ``request.path`` is the body's first file."""
        return self._threads.submit(self._frame, request, pieces)

    def _frame(self, request: Request, pieces: Pieces) -> Framed:
        helper = self._free.get()
        try:
            return helper.frame(request, pieces)
        finally:
            self._free.put(helper)


class BodyOfHelpers:
    """One body's side of the helpers.

    Attributes:
        most_pending: Blocks that keep all of them at work.
    """

    def __init__(
        self, helpers: FramingHelpers, framing: Framing, path: Path, *, most_pending: int
    ) -> None:
        self._helpers = helpers
        self._framing = framing
        self._path = path
        self.most_pending = most_pending

    def frame(self, pieces: Pieces, *, samples: bool, is_plain: bool) -> Future[Framed]:
        """Have a block framed and kept; the result comes with the errors of ``_Helper.frame``."""
        size = sum(map(len, pieces))
        request = Request(
            self._framing, str(self._path), 0, samples=samples, is_plain=is_plain, size=size
        )
        return self._helpers.submit(request, pieces)


class _Helper:
    """One process, which is not running before the first block, nor after it was lost."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ended = False

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
        if self._process is not None:
            self._process.kill()

    def clean_up(self) -> None:
        """Wait for the killed process, when nobody talks to it any more."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the tap's own program
                [sys.executable, "-I", "-c", _program()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise HelperLostError(
                f"a helper process cannot be started ({error.strerror or error}); "
                "set workers to 1 to do without"
            ) from error
        if self._is_ended:
            self._process.kill()
        return self._process

    def _ask(
        self, process: subprocess.Popen[bytes], request: Request, pieces: Pieces
    ) -> Answer | Refusal:
        output, answers = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
        try:
            send(output, request, pieces)
            length = int.from_bytes(answers.read(LENGTH_BYTES), "big")
            return cast("Answer | Refusal", _answers.decode(answers.read(length)))
        except (OSError, msgspec.DecodeError) as error:
            raise self._lost(process) from error

    def _lost(self, process: subprocess.Popen[bytes]) -> HelperLostError:
        self._process = None
        process.kill()
        process.communicate()
        return HelperLostError(
            f"a helper process has ended unexpectedly (exit code {process.returncode}); if that "
            "happens again, set workers to 1 to do without"
        )


def _program() -> str:
    own = Path(__file__).resolve().parents[1]
    here = Path.cwd()
    paths = [path for path in sys.path if path and Path(path).resolve() != here]
    digits = getattr(sys, "get_int_max_str_digits", int)()
    return _PROGRAM.format(paths=[*paths, str(own)], digits=digits)

"""The tap's command on a clock that several processes share, and that waiting moves at once.

Time stands still while a request is on its way: a jump of an hour in between would have it arrive
in another hour than the one it was counted in, which no real network does.
"""

from __future__ import annotations

import fcntl
import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tap_mixpanel_export import export_run
from tap_mixpanel_export.request_ledger import Lease, Refusal, RequestLedger
from tap_mixpanel_export.tap import TapMixpanelExport

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

_REAL_PAUSE = 0.002


class SharedClock:
    """Seconds in a file, and how many requests are between the ledger and the server."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def start(self, now: float) -> None:
        self._path.write_text(json.dumps({"now": now, "on_their_way": 0}))

    def now(self) -> float:
        with self._content() as content:
            return float(content["now"])

    def wait(self, seconds: float, ended: threading.Event) -> None:
        until = self.now() + seconds
        while not self._moved(until) and not ended.is_set():
            time.sleep(_REAL_PAUSE)

    def sets_out(self) -> None:
        """A request is about to be counted and sent."""
        with self._content() as content:
            content["on_their_way"] += 1

    def arrives(self) -> None:
        """It has reached the server, or was not to be sent."""
        with self._content() as content:
            content["on_their_way"] -= 1

    def _moved(self, until: float) -> bool:
        with self._content() as content:
            if content["now"] < until and not content["on_their_way"]:
                content["now"] = until
            return bool(content["now"] >= until)

    @contextmanager
    def _content(self) -> Iterator[dict[str, Any]]:
        with self._path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = file.read()
            content = json.loads(before)
            yield content
            after = json.dumps(content)
            if after != before:
                file.seek(0)
                file.truncate()
                file.write(after)
                file.flush()


class WatchedLedger(RequestLedger):
    """Tells the shared clock of requests before they are counted."""

    def try_begin(self) -> Lease | Refusal:
        clock = TapOnSharedClock.clock
        clock.sets_out()
        answer = super().try_begin()
        if isinstance(answer, Refusal):
            clock.arrives()
        return answer


class TapOnSharedClock(TapMixpanelExport):
    clock: ClassVar[SharedClock]


if __name__ == "__main__":
    TapOnSharedClock.clock = SharedClock(Path(sys.argv.pop(1)))
    vars(export_run)["RequestLedger"] = WatchedLedger
    TapOnSharedClock.cli()

"""The request budget of a project, kept on disk for every run on this machine.

Mixpanel allows a project 60 export requests in a sliding hour and 3 in a second:
https://developer.mixpanel.com/reference/rate-limits
Runs that share ``state_dir`` share the ledger, so none of them has to learn the limits from 429s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from tap_mixpanel_export.spool import storage_errors

if TYPE_CHECKING:
    import logging
    from pathlib import Path

    from tap_mixpanel_export.clock import Clock

REQUESTS_PER_SECOND = 3

_HOUR = 3600.0
# Requests reach the server at uneven delays, up to the time-out of a connection; the margins keep
# them apart there too.
_HOUR_MARGIN = 35.0
_SECOND = 1.0
_SECOND_MARGIN = 0.25
_APART = 0.1  # as a rule they then arrive in their order
_PLACE_POLL = 0.25
_ROUNDING = 1e-4  # of a clock's readings; far less than the margins


@dataclass(frozen=True)
class BudgetLimits:
    """What a project's runs on this machine may do together.

    Attributes:
        per_hour: Requests that begin in a sliding hour.
        at_once: Requests under way.
    """

    per_hour: int
    at_once: int


@dataclass(frozen=True)
class Refusal:
    """Why no request may begin now, and for how many seconds at least.

    Attributes:
        is_brief: Whether it is over within two seconds.
    """

    seconds: float
    reason: str
    is_brief: bool = False


@dataclass(frozen=True)
class Lease:
    """A request that may begin; release it when its answer is over.

    Attributes:
        requests_left: How many more may begin in the sliding hour.
    """

    requests_left: int
    place: FileLock

    def release(self) -> None:
        """Give its place among the requests under way to another."""
        self.place.release()


class RequestLedger:
    """Counts the requests of all threads and processes that share ``state_dir``."""

    def __init__(
        self,
        state_dir: Path,
        owner: str,
        limits: BudgetLimits,
        *,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Open the ledger of a project.

        Args:
            state_dir: Where it is kept.
            owner: What tells this project's budget from another's; only a digest is written.
            limits: The limits.
            clock: The wall clock that all processes of a machine share.
            logger: Gets a warning if the ledger is damaged.

        Raises:
            StorageError: The directory cannot be written to.
        """
        digest = blake2b(owner.encode(), digest_size=8).hexdigest()
        self._folder = state_dir / "requests" / digest
        self._path = self._folder / "begun.json"
        self._limits = limits
        self._clock = clock
        self._logger = logger
        with storage_errors(state_dir):
            self._folder.mkdir(parents=True, exist_ok=True)

    def try_begin(self) -> Lease | Refusal:
        """Count a request in if every limit allows it.

        Raises:
            StorageError: The ledger cannot be written.
        """
        with storage_errors(self._folder), FileLock(self._folder / "ledger.lock"):
            begun = self._read()
            refusal = self._refusal(begun)
            if refusal is not None:
                return refusal
            place = self._free_place()
            if place is None:
                reason = f"{self._limits.at_once} requests of other runs are under way"
                return Refusal(_PLACE_POLL, f"{reason} (max_concurrent_requests)")
            try:
                self._write([*begun, self._clock.now()])
            except BaseException:
                place.release()
                raise
            return Lease(self._limits.per_hour - len(begun) - 1, place)

    def requests_left(self) -> int:
        """Return how many more requests may begin in the sliding hour.

        Raises:
            StorageError: The ledger cannot be read.
        """
        with storage_errors(self._folder), FileLock(self._folder / "ledger.lock"):
            return max(0, self._limits.per_hour - len(self._read()))

    def _refusal(self, begun: list[float]) -> Refusal | None:
        now, per_hour = self._clock.now(), self._limits.per_hour
        hour = _until_free(begun, per_hour, _HOUR + _HOUR_MARGIN, now)
        if hour > 0:
            reason = f"all {per_hour} requests of this hour are used up (max_requests_per_hour)"
            return Refusal(hour, reason)
        second = _until_free(begun, REQUESTS_PER_SECOND, _SECOND + _SECOND_MARGIN, now)
        spacing = max(second, _until_free(begun, 1, _APART, now))
        if spacing > 0:
            reason = f"Mixpanel allows {REQUESTS_PER_SECOND} requests a second"
            return Refusal(spacing, reason, is_brief=True)
        return None

    def _free_place(self) -> FileLock | None:
        """Take one of the places of requests under way; a dead process holds none."""
        for number in range(self._limits.at_once):
            lock = FileLock(self._folder / f"place-{number}.lock", thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            return lock
        return None

    def _read(self) -> list[float]:
        """When the requests of the last hour began, oldest first."""
        try:
            written = [float(moment) for moment in json.loads(self._path.read_bytes())]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            self._logger.warning("the request ledger %s is damaged; it begins anew", self._path)
            return []
        now = self._clock.now()
        # A clock that was set back must not make the tap wait for longer than an hour.
        begun = sorted(min(moment, now) for moment in written)
        if begun != written:
            self._write(begun)
        return [moment for moment in begun if now - moment < _HOUR + _HOUR_MARGIN]

    def _write(self, begun: list[float]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(begun), encoding="utf-8")
        fresh.replace(self._path)


def _until_free(begun: list[float], count: int, period: float, now: float) -> float:
    """Return the seconds until fewer than ``count`` requests began within ``period``."""
    if len(begun) < count:
        return 0.0
    seconds = period - (now - begun[-count])
    return seconds if seconds > _ROUNDING else 0.0

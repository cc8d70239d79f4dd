"""The life cycle of batches: from COMPLETE through the promotion's statuses to the end.

Statuses: AdobeDocs/experience-platform.en `help/ingestion/batch-ingestion/troubleshooting.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.errors import problem
from emulators.aep.model import ACCEPTED
from emulators.aep.promotion_jobs import PromotionJobs
from emulators.aep.rows import remove_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emulators.aep.config import Limits, Promotion
    from emulators.aep.lake import Lake
    from emulators.aep.model import Batch, JsonObject
    from emulators.faults import Fault

PROMOTION_FAULTS = ("slow", "retrying", "stalled", "failed")
"""Kinds of faults that hit a batch when it is completed.

`slow` adds `staging` for `steps` (default 5) more steps, `retrying` that status for `steps`
(default 2), `stalled` ends the batch there, `failed` fails it whole with the error `code` and
`description`.
"""

_REFUSES_COMPLETE = frozenset({"aborted", "abandoned", "inactive", "deleted"})


class Lifecycle:
    """Moves batches along; every method is safe to call from several threads."""

    def __init__(
        self, lake: Lake, promotion: Promotion, limits: Limits, now: Callable[[], float]
    ) -> None:
        self._lake = lake
        self._promotion = promotion
        self._now = now
        self._spelling = {
            "success": promotion.success_status,
            "failed": promotion.failure_status,
        }
        self._jobs = PromotionJobs(lake, limits, now)

    def resume(self) -> None:
        """Take up the validations that an earlier process did not finish."""
        for batch in self._lake.batches.values():
            if batch.state == ACCEPTED and batch.outcome is None and batch.forced is None:
                self._jobs.start(batch)

    def stop(self) -> None:
        """End running validations; with the state on disk another process can resume them."""
        self._jobs.stop()

    def wait(self) -> None:
        """Return when no validation runs in the background."""
        self._jobs.wait()

    def complete(self, batch: Batch, faults: Iterable[Fault]) -> None:
        """The client's COMPLETE; repeating it is fine.

        Raises:
            ApiError: 400 when the batch was aborted or abandoned, or a large file is unfinished.
        """
        with self._lake.lock:
            status = self._advance(batch)
            if status in _REFUSES_COMPLETE:
                raise _bad_state(batch, status, "completed")
            if batch.state != "loading":
                return
            if any(file.parts is not None for file in batch.files.values()):
                raise problem(400, "Bad Request", "a large file of the batch is not completed")
            batch.state = ACCEPTED
            batch.accepted = self._now()
            batch.started = self._milliseconds()
            batch.file_count = len(batch.files)
            batch.steps = list(self._promotion.statuses)
            for fault in faults:
                _apply(fault, batch)
            self._touch(batch)
        if batch.forced is not None:
            return
        if batch.input_bytes <= self._promotion.inline_bytes:
            self._jobs.run(batch)
        else:
            self._jobs.start(batch)

    def abort(self, batch: Batch) -> None:
        """The client's ABORT.

        Raises:
            ApiError: 400 once the batch is completed.
        """
        self._end_loading(batch, "aborted", [])

    def fail(self, batch: Batch) -> None:
        """The client's FAIL.

        Raises:
            ApiError: 400 once the batch is completed.
        """
        reason = {"code": "200", "description": "The batch was failed by the client.", "rows": []}
        self._end_loading(batch, "failed", [reason])

    def revert(self, batch: Batch) -> None:
        """The client's REVERT of a promoted batch.

        Raises:
            ApiError: 400 unless the batch is promoted.
        """
        with self._lake.lock:
            status = self._advance(batch)
            if status == "inactive":
                return
            if status != "success":
                raise _bad_state(batch, status, "reverted")
            self._take_out(batch, "inactive")

    def force(self, batch: Batch, status: str) -> None:
        """Put a batch in any status, as retention or Adobe's operators do; its rows go."""
        with self._lake.lock:
            self._advance(batch)
            batch.forced = batch.forced or {"status": status, "errors": []}
            self._take_out(batch, status)

    def status(self, batch: Batch, *, poll: bool = False) -> str:
        """The status that Catalog shows now; `poll` counts it as seen by the client."""
        with self._lake.lock:
            is_walking = batch.state == ACCEPTED
            shown = self._advance(batch)
            if poll and is_walking:
                batch.polls += 1
                self._lake.save_batch(batch)
            return self._spelling.get(shown, shown)

    def errors(self, batch: Batch) -> list[JsonObject]:
        """The errors of a batch that has ended."""
        if batch.state == ACCEPTED:
            return []
        if batch.forced is not None:
            errors: list[JsonObject] = batch.forced["errors"]
            return errors
        return batch.outcome.errors if batch.outcome else []

    def settle(self) -> None:
        """Walk every completed and validated batch to its end at once."""
        with self._lake.lock:
            for batch in list(self._lake.batches.values()):
                if batch.state == ACCEPTED:
                    batch.steps = []
                    self._advance(batch)

    def _advance(self, batch: Batch) -> str:
        """Walk a batch as far as polls and clock allow; the status it has there."""
        if batch.state == "loading" and self._is_abandoned(batch):
            self._finish(batch, "abandoned", [])
        if batch.state != ACCEPTED:
            return batch.state
        step = self._step(batch)
        return batch.steps[step] if step < len(batch.steps) else self._end(batch)

    def _step(self, batch: Batch) -> int:
        polls, seconds = self._promotion.polls_per_status, self._promotion.seconds_per_status
        by_polls = batch.polls // polls if polls else 0
        lasted = self._now() - (batch.accepted or 0.0)
        return max(by_polls, int(lasted / seconds) if seconds else 0)

    def _end(self, batch: Batch) -> str:
        if batch.forced is not None:
            self._finish(batch, batch.forced["status"], batch.forced["errors"])
        elif batch.outcome is None:
            return "processing"
        else:
            self._finish(batch, batch.outcome.status, batch.outcome.errors)
        return batch.state

    def _finish(self, batch: Batch, status: str, errors: list[JsonObject]) -> None:
        batch.state = status
        batch.completed = self._milliseconds()
        if batch.outcome is None:
            batch.forced = {"status": status, "errors": errors}
        self._lake.drop_files(batch)
        if status == "success":
            for batch_id in batch.predecessors:
                self._take_out(self._lake.batches[batch_id], "inactive")
        self._touch(batch)

    def _take_out(self, batch: Batch, status: str) -> None:
        batch.state = status
        batch.completed = batch.completed or self._milliseconds()
        remove_rows(self._lake.batch_folder(batch.id))
        self._touch(batch)

    def _end_loading(self, batch: Batch, status: str, errors: list[JsonObject]) -> None:
        with self._lake.lock:
            shown = self._advance(batch)
            if shown == status:
                return
            if batch.state != "loading":
                raise _bad_state(batch, shown, status)
            self._finish(batch, status, errors)

    def _is_abandoned(self, batch: Batch) -> bool:
        return self._now() - batch.created / 1000 > self._promotion.abandon_seconds

    def _touch(self, batch: Batch) -> None:
        batch.updated = self._milliseconds()
        batch.revision += 1
        self._lake.save_batch(batch)

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)


def _apply(fault: Fault, batch: Batch) -> None:
    if fault.kind == "slow":
        batch.steps += ["staging"] * int(fault.args.get("steps", 5))
    elif fault.kind == "retrying":
        batch.steps += ["retrying"] * int(fault.args.get("steps", 2))
    elif fault.kind == "stalled":
        batch.forced = {"status": "stalled", "errors": []}
    else:
        error = {
            "code": fault.args.get("code", "CONNECTOR-2001-500"),
            "description": fault.args.get("description", "The batch failed on demand."),
            "rows": [],
        }
        batch.forced = {"status": "failed", "errors": [error]}


def _bad_state(batch: Batch, status: str, wanted: str) -> Exception:
    return problem(
        400, "Bad Request", f"Batch {batch.id} is in status {status} and cannot be {wanted}."
    )

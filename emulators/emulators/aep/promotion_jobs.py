"""Validating the rows of accepted batches: at once, or in the background one after the other."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from emulators.aep.promotion import PromotionStoppedError, promote
from emulators.aep.row_validator import RowValidator
from emulators.aep.schema_cache import SchemaCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.aep.config import Limits
    from emulators.aep.lake import Lake
    from emulators.aep.model import Batch

logger = logging.getLogger("emulators.aep")


class PromotionJobs:
    """Runs validations and keeps their outcomes with the batches."""

    def __init__(self, lake: Lake, limits: Limits, now: Callable[[], float]) -> None:
        self._lake = lake
        self._limits = limits
        self._now = now
        self._schemas = SchemaCache(lake, limits, now)
        self._stopping = threading.Event()
        self._one_job = threading.Lock()
        self._jobs: list[threading.Thread] = []

    def start(self, batch: Batch) -> None:
        """Validate a batch in the background, after those started before."""
        name = f"promote-{batch.id}"
        job = threading.Thread(target=self._queue, args=(batch,), name=name, daemon=True)
        self._jobs = [*(job for job in self._jobs if job.is_alive()), job]
        job.start()

    def run(self, batch: Batch) -> None:
        """Validate a batch now."""
        dataset = self._lake.datasets[batch.dataset_id]
        validator = RowValidator(self._schemas.schema(dataset.schema_id), self._now())
        folder = self._lake.batch_folder(batch.id)
        try:
            outcome = promote(batch, folder, validator, self._limits, self._stopping)
        except PromotionStoppedError:
            return
        with self._lake.lock:
            batch.outcome = outcome
            self._lake.drop_files(batch)
            self._lake.save_batch(batch)
        logger.info("batch %s: %s, %s", batch.id, outcome.status, outcome.metrics)

    def stop(self) -> None:
        """End running validations early, without an outcome."""
        self._stopping.set()

    def wait(self) -> None:
        """Return when no validation runs in the background."""
        for job in self._jobs:
            job.join()

    def _queue(self, batch: Batch) -> None:
        with self._one_job:
            self.run(batch)

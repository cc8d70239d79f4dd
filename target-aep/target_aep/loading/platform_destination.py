"""`destination=platform`: batches into datasets of Experience Platform."""

from __future__ import annotations

import logging
import shutil
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from target_aep.api.batch_ingestion import commit_of, recent_batches
from target_aep.api.partial_ingestion import PartialIngestion
from target_aep.api.sandbox import find_dataset_id, read_dataset
from target_aep.errors import TargetError
from target_aep.loading.batch_commit import BatchCommit
from target_aep.loading.dead_letters import stream_file_name
from target_aep.loading.destination import Binding
from target_aep.loading.known_commits import KnownCommits
from target_aep.loading.work_folder import WorkFolder, temporary_folder

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_aep.api.client import PlatformClient
    from target_aep.api.sandbox import Dataset
    from target_aep.loading.batch_commit import LoadOptions
    from target_aep.loading.destination import Commit, Loaded
    from target_aep.loading.file_format import FileFormat

logger = logging.getLogger("target-aep")

_PAGES = 10
"""Pages of 100 batches in which a commit of an earlier run is looked for."""


@dataclass(frozen=True)
class DatasetChoice:
    """The settings that say where a stream goes: an id, a name, or an id per stream."""

    dataset_id: str | None = None
    dataset_name: str | None = None
    datasets: Mapping[str, str] | None = None


class PlatformDestination:
    """Loads the batches of all streams through one client and one pool of uploads."""

    def __init__(
        self,
        client: PlatformClient,
        choice: DatasetChoice,
        options: LoadOptions,
        *,
        needs_tenant: bool,
        file_format: FileFormat,
    ) -> None:
        """Choose the temporary folder; nothing is requested yet.

        Args:
            client: The platform.
            choice: Where streams go.
            options: How.
            needs_tenant: Whether the mapping has paths under the tenant.
            file_format: What the files of batches are.
        """
        self._client = client
        self._choice = choice
        self._options = options
        self._needs_tenant = needs_tenant
        self._format = file_format
        self._known: dict[str, Dataset] = {}
        self._of_stream: dict[str, Dataset] = {}
        self._committed: dict[str, KnownCommits] = {}
        self._under_way: list[BatchCommit] = []
        self._partial = PartialIngestion()
        self._pool = ThreadPoolExecutor(options.max_concurrent_uploads, "upload")
        self._work = WorkFolder(temporary_folder(), "target-aep-")

    def bind(self, stream: str) -> Binding:
        """Look up the stream's dataset and its schema, once each.

        Raises:
            TargetError: The settings name no dataset for the stream, or one that is not there.
        """
        dataset_id = self._dataset_id(stream)
        if dataset_id not in self._known:
            self._known[dataset_id] = read_dataset(
                self._client, dataset_id, needs_tenant=self._needs_tenant
            )
        dataset = self._of_stream[stream] = self._known[dataset_id]
        logger.info("Stream '%s' goes to the dataset %s (%s)", stream, dataset.name, dataset.id)
        return Binding(dataset.schema, dataset.tenant, dataset.id)

    def spool_folder(self, stream: str) -> Path:
        """A folder in the system's temporary directory (TMPDIR chooses the disk)."""
        return self._work.subfolder(stream_file_name(stream))

    def committed(self, stream: str) -> KnownCommits:
        """The commits of earlier runs in the stream's dataset, asked for once.

        Raises:
            PlatformError: They can't be listed.
        """
        dataset_id = self._of_stream[stream].id
        if dataset_id not in self._committed:
            batches = recent_batches(self._client, dataset_id, _PAGES)
            # Those that failed too: a commit has to come to the same STATE for its rows that were
            # set aside, and for a stalled batch, which may come in yet, to be replaced.
            commits = filter(None, map(commit_of, batches))
            self._committed[dataset_id] = KnownCommits(commits)
        return self._committed[dataset_id]

    def load(self, stream: str, commit: Commit) -> Loaded | None:
        """Bring a commit into the stream's dataset, unless it is there.

        Raises:
            OtherRecordsError: A batch of the commit's name holds others.
            RowsRefusedError: The batch failed as a whole because of the rows in it, or can't be
                made of them.
            BatchFailedError: It can't be brought in, or how it ended can't be learned.
            PlatformError: A call was refused.
        """
        dataset = self._of_stream[stream]
        made: list[Path] = []

        def make_folder() -> Path:
            made.append(self._work.subfolder(self._format.name))
            return made[-1]

        loading = BatchCommit(
            self._client,
            dataset.id,
            commit,
            self._options,
            partial=self._partial,
            pool=self._pool,
            folder=self._work.subfolder("diagnostics"),
            file_format=self._format.name,
            make_files=lambda: self._format.made_of(commit.files, dataset.schema, make_folder),
        )
        self._under_way.append(loading)
        try:
            loaded = loading.load()
        finally:
            for folder in made:
                shutil.rmtree(folder, ignore_errors=True)
        self._under_way.remove(loading)
        return loaded

    def abandon(self) -> None:
        """Give up batches that are open."""
        for commit in list(self._under_way):
            commit.abort()

    def stop(self) -> None:
        """End waits between tries; what is repeated in other threads ends with an error."""
        self._client.rules.stopped.set()

    def remove_files(self) -> None:
        """Delete the temporary folder."""
        self._work.remove()

    def close(self) -> None:
        """Drop uploads that have not begun, and delete the temporary folder."""
        self.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.remove_files()

    def _dataset_id(self, stream: str) -> str:
        choice = self._choice
        of_stream = (choice.datasets or {}).get(stream)
        if of_stream:
            return of_stream
        if choice.dataset_id:
            return choice.dataset_id
        if choice.dataset_name:
            return find_dataset_id(self._client, choice.dataset_name)
        raise TargetError(
            f"datasets: no dataset for the stream {stream!r}; add it, or set dataset_id for all "
            "streams that are not listed"
        )

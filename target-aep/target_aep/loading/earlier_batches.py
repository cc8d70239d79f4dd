"""Batches that earlier runs have left of a commit, taken over instead of loading its rows again.

One that is promoted is done, one on its way is waited for, one that is open is given up, one that
ended without its rows is left alone.
"""

from __future__ import annotations

import logging
import typing as t
from itertools import count

from target_aep.api.batch_ingestion import abort_batch, commit_of, find_batch
from target_aep.api.promotion import OPEN, PROMOTED, STALLED, await_promotion, is_over
from target_aep.errors import PlatformError
from target_aep.loading.destination import OtherRecordsError

if t.TYPE_CHECKING:
    from target_aep.api.client import PlatformClient
    from target_aep.loading.batch_commit import LoadOptions
    from target_aep.loading.destination import Commit

logger = logging.getLogger("target-aep")

Document = dict[str, t.Any]

_LOOKS_WHILE_OPEN = 10
"""Catalog may show a batch as open for some time after it was completed."""


class EarlierBatches:
    """Finds and takes over batches for one commit.

    Attributes:
        stalled: Batches with rows of the commit that may come in yet: a new one must replace them.
    """

    def __init__(self, client: PlatformClient, commit: Commit, options: LoadOptions) -> None:
        """Bind the commit; nothing is requested yet."""
        self._client = client
        self._key = commit.key
        self._around = list(dict.fromkeys(key.digest for key in commit.around))
        self._keys = {key.digest: key for key in commit.around}
        self._options = options
        self.stalled: list[str] = []

    def find(self, attempt: int) -> Document | None:
        """The commit's own batch of this number."""
        return find_batch(self._client, self._key.external_id(attempt))

    def is_in(self, document: Document) -> bool:
        """Whether a batch counts as loaded."""
        status = document.get("status")
        is_accepted = self._options.wait_for == "accepted" and not is_over(status)
        return status in PROMOTED or is_accepted

    def is_wider(self, document: Document) -> bool:
        """Whether a batch goes on to a later STATE than the commit."""
        commit = commit_of(document)
        return commit is not None and commit.passes_through(self._key)

    def is_same(self, document: Document) -> bool:
        """Whether a batch is known to be made for just the records of the commit."""
        commit = commit_of(document)
        return (
            commit is not None
            and commit.digest == self._key.digest
            and commit.records is not None
            and commit.records == self._key.records
        )

    def wider(self) -> Document | None:
        """The batch of a longer commit that is in, with the rows of this one among its own.

        A run that made it, and was killed before its STATE, may be repeated by one that ends
        sooner: at a STATE that the longer commit passes.
        """
        while self._around:
            key = self._keys[self._around.pop()]
            for attempt in count(1):
                found = find_batch(self._client, key.external_id(attempt))
                if found is None:
                    break
                if not self.is_wider(found):
                    continue
                document = {**found, **self._settled(found)}
                if self.is_in(document):
                    return document
        return None

    def take_over(self, found: Document) -> Document:
        """What a batch of the commit's name has ended as.

        Raises:
            OtherRecordsError: It is in, with other records.
        """
        document = {**found, **self._settled(found)}
        commit = commit_of(document)
        is_other = commit is not None and not commit.ends_with(self._key.records)
        if self.is_in(document) and is_other and not self.is_wider(document):
            raise OtherRecordsError
        return document

    def _settled(self, found: Document) -> Document:
        """A batch that is open no more, nor on its way."""
        batch_id, document = found["id"], found
        if found.get("status") == OPEN:
            document = self._given_up(batch_id)
        status = document.get("status")
        if status is not None and not is_over(status) and not self.is_in(document):
            logger.info("Batch %s is %s; it may hold these records", batch_id, status)
            document = await_promotion(
                self._client, batch_id, self._options.batch_timeout_seconds, self._options.polling
            )
        if document.get("status") in STALLED:
            self.stalled.append(batch_id)
        return document

    def _given_up(self, batch_id: str) -> Document:
        """Abort an open batch, unless it turns out that it was completed."""
        try:
            self._client.rules.retry(
                lambda: abort_batch(self._client, batch_id), f"aborting batch {batch_id}"
            )
        except PlatformError as error:
            logger.info("Batch %s can't be given up (%s): it seems to be complete", batch_id, error)
            return await_promotion(
                self._client,
                batch_id,
                self._options.batch_timeout_seconds,
                self._options.polling,
                looks_while_open=_LOOKS_WHILE_OPEN,
            )
        return {"id": batch_id, "status": "aborted"}

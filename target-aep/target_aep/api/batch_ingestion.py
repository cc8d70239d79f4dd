"""The Batch Ingestion API: a batch is created, gets files, and is completed.

Every call here is safe to repeat when its answer is lost. Uploads replace and COMPLETE repeats by
the API's own word (help/ingestion/batch-ingestion/troubleshooting.md in
AdobeDocs/experience-platform.en); a batch whose creation went unanswered is found again by its
`externalId`, which is unique in the organisation.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from target_aep.api.answers import odd_answer
from target_aep.api.client import CATALOG, IMPORT, Body, ResponseLostError
from target_aep.api.retrying import RetriableError
from target_aep.errors import PlatformError
from target_aep.loading.commit_key import CommitKey, digest_of, read_passed

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from target_aep.api.client import PlatformClient

_OCTETS = "application/octet-stream"
_TAKEN = frozenset({400, 409})
_PAGE = 100
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,16}")
_RECORDS_TAG = "targetAepRecords"
_PASSES_TAG = "targetAepPasses"


@dataclass(frozen=True)
class NewBatch:
    """What a batch is created with.

    Attributes:
        dataset_id: Where it goes.
        commit: What it is made for. Its name goes into `externalId`, what it holds into tags, a
            map of names to lists of texts (static/swagger-specs/batch-ingestion.yaml in
            AdobeDocs/experience-platform-apis).
        attempt: Number of the batch among those of the commit.
        partial_percent: Share of bad rows up to which the good ones are still ingested.
        partial_name: The field for it: documents of different age spell it differently.
        replaces: Batches whose rows, if there are any, this one takes the place of.
        file_format: What its files are: `json` (lines) or `parquet`.
    """

    dataset_id: str
    commit: CommitKey
    attempt: int
    partial_percent: float
    partial_name: str
    replaces: tuple[str, ...] = ()
    file_format: str = "json"

    @property
    def external_id(self) -> str:
        """Its name of ours, unique in the organisation."""
        return self.commit.external_id(self.attempt)

    def document(self) -> dict[str, t.Any]:
        """The body of the request."""
        document: dict[str, t.Any] = {
            "datasetId": self.dataset_id,
            "externalId": self.external_id,
            "inputFormat": {"format": self.file_format},
            "enableErrorDiagnostics": True,
            self.partial_name: self.partial_percent,
        }
        tags = {
            _RECORDS_TAG: [] if self.commit.records is None else [f"{self.commit.records:x}"],
            _PASSES_TAG: list(map(str, self.commit.passes)),
        }
        if told := {name: texts for name, texts in tags.items() if texts}:
            document["tags"] = told
        if self.replaces:
            document["replay"] = {"predecessors": list(self.replaces), "reason": "replace"}
        return document


def create_batch(client: PlatformClient, new: NewBatch) -> dict[str, t.Any]:
    """Open a batch.

    Args:
        client: The platform.
        new: What it is created with.

    Returns:
        Its document, with `id`; also when an earlier try whose answer was lost has created it.

    Raises:
        NameTakenError: Another run has created a batch of this name.
        PlatformError: The platform refused, or could not be reached.
    """
    creation = _Creation(client, new)
    return client.rules.retry(creation.attempt, "creating a batch")


class NameTakenError(Exception):
    """A batch of this `externalId` is there, though it was not found before."""


class _Creation:
    """The creation of one batch, over all its tries."""

    def __init__(self, client: PlatformClient, new: NewBatch) -> None:
        self._client = client
        self._external_id = new.external_id
        self._may_exist = False
        self._body = Body("application/json", lambda: json.dumps(new.document()))

    def attempt(self) -> dict[str, t.Any]:
        """Create the batch, or find the one that an earlier try has created."""
        self._client.rules.pacing.batches.take(1, self._client.rules.stopped.wait)
        try:
            response = self._client.call_once("POST", f"{IMPORT}/batches", body=self._body)
            return _document_of(response)
        except ResponseLostError as error:
            return self._found(error)
        except PlatformError as error:
            if not _is_about_external_id(error):
                raise
            if not self._may_exist:
                raise NameTakenError from error
            return self._found(error)
        except ValueError as error:  # it was created, but the answer does not tell its id
            return self._found(error)

    def _found(self, error: Exception) -> dict[str, t.Any]:
        self._may_exist = True
        # Catalog may list a batch later than the Import API knows it: then another try helps.
        found = find_batch(self._client, self._external_id)
        if found is None:
            raise RetriableError(
                str(error), retry_after=getattr(error, "retry_after", None)
            ) from error
        return found


def _document_of(response: requests.Response) -> dict[str, t.Any]:
    document = response.json()
    identifier = document.get("id") if isinstance(document, dict) else None
    if not isinstance(identifier, str) or not identifier:
        raise ValueError("the answer does not tell the batch's id")
    return t.cast("dict[str, t.Any]", document)


def _is_about_external_id(error: PlatformError) -> bool:
    return error.status in _TAKEN and (
        error.status == 409 or "externalid" in str(error).lower()  # noqa: PLR2004 - Conflict
    )


def find_batch(client: PlatformClient, external_id: str) -> dict[str, t.Any] | None:
    """Ask Catalog for the batch of this name.

    Returns:
        Its document, with `id` and `status`, or None.

    Raises:
        PlatformError: The platform refused, or its answer makes no sense.
    """
    found = client.get_json(f"{CATALOG}/batches", params={"externalId": external_id, "limit": "1"})
    ours = (
        {**batch, "id": identifier}
        for identifier, batch in _listed(found).items()
        if isinstance(batch, dict) and batch.get("externalId") == external_id
    )
    return next(ours, None)


def recent_batches(
    client: PlatformClient, dataset_id: str, pages: int
) -> Iterator[dict[str, t.Any]]:
    """The batches of a dataset as Catalog lists them, newest first.

    Args:
        client: The platform.
        dataset_id: The dataset.
        pages: How many pages of 100 are read at the most.

    Raises:
        PlatformError: The platform refused, or its answer makes no sense.
    """
    for page in range(pages):
        listing = client.get_json(
            f"{CATALOG}/batches",
            params={
                "dataSet": dataset_id,
                "orderBy": "desc:created",
                "limit": str(_PAGE),
                "start": str(page * _PAGE),
            },
        )
        batches = _listed(listing)
        yield from (batch for batch in batches.values() if isinstance(batch, dict))
        if len(batches) < _PAGE:
            return


def _listed(answer: t.Any) -> dict[str, t.Any]:
    """A list of Catalog; anything else does not mean that there is no batch."""
    if not isinstance(answer, dict):
        raise odd_answer(f"GET {CATALOG}/batches", "batches by id")
    return answer


def commit_of(batch: t.Mapping[str, t.Any]) -> CommitKey | None:
    """The commit that a batch was made for, None if it is not one of ours."""
    digest = digest_of(batch.get("externalId"))
    if digest is None:
        return None
    records = [text for text in _tag(batch, _RECORDS_TAG) if _HEXADECIMAL.fullmatch(text)]
    passes = filter(None, map(read_passed, _tag(batch, _PASSES_TAG)))
    return CommitKey(digest, int(records[0], 16) if records else None, tuple(passes))


def _tag(batch: t.Mapping[str, t.Any], name: str) -> list[str]:
    tags = batch.get("tags")
    texts = tags.get(name) if isinstance(tags, dict) else None
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def upload_file(client: PlatformClient, batch_id: str, dataset_id: str, file: Path) -> None:
    """Upload one file of under 256 MB; repeated, it replaces itself."""
    path = (
        f"{IMPORT}/batches/{quote(batch_id, safe='')}/datasets/{quote(dataset_id, safe='')}"
        f"/files/{quote(file.name)}"
    )

    def open_file() -> t.BinaryIO:
        client.rules.pacing.upload.take(file.stat().st_size, client.rules.stopped.wait)
        return file.open("rb")

    body = Body(_OCTETS, open_file)
    client.call("PUT", path, body=body, timeout=client.rules.timeouts.upload)


def complete_batch(client: PlatformClient, batch_id: str) -> None:
    """Say that all files are there, which starts the promotion."""
    client.call(
        "POST",
        f"{IMPORT}/batches/{quote(batch_id, safe='')}",
        params={"action": "COMPLETE"},
    )


def abort_batch(client: PlatformClient, batch_id: str) -> None:
    """Give up a batch that is not complete, with one try: a run that ends does not wait.

    Raises:
        RetriableError: There was no usable answer.
        PlatformError: The platform refused.
    """
    client.call_once(
        "POST",
        f"{IMPORT}/batches/{quote(batch_id, safe='')}",
        params={"action": "ABORT"},
        timeout=client.rules.timeouts.farewell,
    )

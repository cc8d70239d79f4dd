"""The name of a commit: what makes a batch found again by a run that repeats it.

A batch commits the records of one stream up to one STATE. A run that was killed before it could
write that STATE is repeated from an older one, comes to the same STATE again, and so to the same
name.
"""

from __future__ import annotations

import re
import typing as t
import uuid
from dataclasses import dataclass
from hashlib import blake2b

from singer_sdk.singerlib.json import serialize_json

_PREFIX = "target-aep"
_EXTERNAL_ID = re.compile(rf"{_PREFIX}-([0-9a-f]{{32}})-\d+")
_DIGEST_BYTES = 16


@dataclass(frozen=True)
class CommitKey:
    """The name of a commit; equal for the same dataset, stream and STATE.

    Attributes:
        digest: 32 hexadecimal digits.
    """

    digest: str

    def external_id(self, attempt: int) -> str:
        """The `externalId` of a batch.

        Args:
            attempt: From 1; batches that failed or were given up keep their name for ever.
        """
        return f"{_PREFIX}-{self.digest}-{attempt}"


def commit_key(dataset: str, stream: str, state: t.Any) -> CommitKey:
    """The key of the records of a stream up to a STATE.

    Args:
        dataset: Where they go.
        stream: The stream.
        state: The STATE's value; None for a tap that sends none, whose commits have no name that
            another run could find.
    """
    if state is None:
        return CommitKey(uuid.uuid4().hex)
    content = serialize_json([dataset, stream, state], sort_keys=True).encode()
    return CommitKey(blake2b(content, digest_size=_DIGEST_BYTES).hexdigest())


def digest_of(external_id: object) -> str | None:
    """The digest in an `externalId`, None if it is not one of ours."""
    match = _EXTERNAL_ID.fullmatch(external_id) if isinstance(external_id, str) else None
    return match[1] if match else None

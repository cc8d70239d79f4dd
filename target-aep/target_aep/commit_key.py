"""The name of a commit: what makes a batch found again by a run that repeats it.

A batch commits the records of one stream up to one STATE. A run that was killed before it could
write that STATE is repeated from an older one, comes to the same STATE again, and so to the same
name. A stream that no STATE resumes is sent as a whole by every run: its commits are named by their
content.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from hashlib import blake2b

from singer_sdk.singerlib.json import serialize_json

if t.TYPE_CHECKING:
    from collections.abc import Iterable

MOST_PASSED: t.Final = 200
"""So many STATEs are kept of those that a commit passes."""

_PREFIX = "target-aep"
_EXTERNAL_ID = re.compile(rf"{_PREFIX}-([0-9a-f]{{32}})-\d+")
_DIGEST_BYTES = 16
_SHORT = 16


@dataclass(frozen=True)
class CommitKey:
    """The name of a commit; equal for the same dataset, stream and STATE.

    Attributes:
        digest: 32 hexadecimal digits.
        passes: `short` names of commits at STATEs before this one, which hold a part of its records
            each: the first ones, in order.
    """

    digest: str
    passes: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The first half of the digest, for lists of names."""
        return self.digest[:_SHORT]

    def external_id(self, attempt: int) -> str:
        """The `externalId` of a batch.

        Args:
            attempt: From 1; batches that failed or were given up keep their name for ever.
        """
        return f"{_PREFIX}-{self.digest}-{attempt}"


def commit_key(dataset: str, stream: str, state: t.Any, passes: Iterable[str] = ()) -> CommitKey:
    """The key of the records of a stream up to a STATE.

    Args:
        dataset: Where they go.
        stream: The stream.
        state: The STATE's value.
        passes: `CommitKey.passes`.
    """
    content = serialize_json([dataset, stream, state], sort_keys=True).encode()
    digest = blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
    return CommitKey(digest, tuple(name for name in passes if name != digest[:_SHORT]))


def content_key(dataset: str, stream: str, content: Iterable[bytes]) -> CommitKey:
    """The key of records that no STATE stands for.

    Args:
        dataset: Where they go.
        stream: The stream.
        content: All of them, in any pieces.
    """
    digest = blake2b(serialize_json([dataset, stream]).encode(), digest_size=_DIGEST_BYTES)
    for piece in content:
        digest.update(piece)
    return CommitKey(digest.hexdigest())


def digest_of(external_id: object) -> str | None:
    """The digest in an `externalId`, None if it is not one of ours."""
    match = _EXTERNAL_ID.fullmatch(external_id) if isinstance(external_id, str) else None
    return match[1] if match else None

"""The name of a commit: what makes a batch found again by a run that repeats it.

A batch commits the records of one stream up to one STATE. A run that was killed before it could
write that STATE is repeated from an older one, comes to the same STATE again, and so to the same
name. A stream that no STATE resumes is sent as a whole by every run: its commits are named by their
content.

Beside its name a commit tells which records it holds, as a sum, and which STATEs it has passed on
its way. So a run with other records under an old STATE is told from a repeated one, and a repeated
one that ends sooner finds that its records are in.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from hashlib import blake2b

from singer_sdk.singerlib.json import serialize_json

from target_aep.loading.record_sum import MODULUS

if t.TYPE_CHECKING:
    from collections.abc import Iterable

MOST_PASSED: t.Final = 500
"""A batch ends at so many STATEs: it has to tell all that it passes."""

_PREFIX = "target-aep"
_EXTERNAL_ID = re.compile(rf"{_PREFIX}-([0-9a-f]{{32}})-\d+")
_PASSED = re.compile(r"([0-9a-f]{16})-([0-9a-f]{1,16})")
_DIGEST_BYTES = 16
_SHORT = 16


class Passed(t.NamedTuple):
    """A STATE on the way of a commit.

    Attributes:
        short: `CommitKey.short` of the commit that would end there.
        records: The sum of the commit's records up to there.
    """

    short: str
    records: int

    def __str__(self) -> str:
        """As it stands in a list."""
        return f"{self.short}-{self.records:x}"


@dataclass(frozen=True)
class CommitKey:
    """The name of a commit, and what it holds.

    Attributes:
        digest: 32 hexadecimal digits, equal for the same dataset, stream and STATE.
        records: The sum of its records (`record_sum`), None if that is not known.
        passes: STATEs before its own, in order.
    """

    digest: str
    records: int | None = None
    passes: tuple[Passed, ...] = ()

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

    def ends_with(self, records: int | None) -> bool:
        """Whether its last records, from its beginning or a STATE on its way on, have this sum."""
        if records is None or self.records is None:
            return True
        return (self.records - records) % MODULUS in self._beginnings()

    def passes_through(self, other: CommitKey) -> bool:
        """Whether another commit lies within this one, at one of the STATEs on its way."""
        beginnings = self._beginnings()
        ends = (passed.records for passed in self.passes if passed.short == other.short)
        return any(
            other.records is None or (end - other.records) % MODULUS in beginnings for end in ends
        )

    def of_other_records(self) -> CommitKey:
        """The key for records that come under the STATE of others."""
        content = f"{self.digest}{self.records}".encode()
        digest = blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
        return CommitKey(digest, self.records, self.passes)

    def _beginnings(self) -> set[int]:
        return {0, *(passed.records for passed in self.passes)}


def commit_key(
    dataset: str,
    stream: str,
    state: t.Any,
    records: int | None = None,
    passes: Iterable[Passed] = (),
) -> CommitKey:
    """The key of the records of a stream up to a STATE.

    Args:
        dataset: Where they go.
        stream: The stream.
        state: What the STATE says of the stream.
        records: `CommitKey.records`.
        passes: STATEs since their beginning; the commit's own may be among them.
    """
    content = serialize_json([dataset, stream, state], sort_keys=True).encode()
    digest = blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
    itself = Passed(digest[:_SHORT], records or 0)
    return CommitKey(digest, records, tuple(passed for passed in passes if passed != itself))


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


def read_passed(text: object) -> Passed | None:
    """A STATE in a list, None if it is not one of ours."""
    match = _PASSED.fullmatch(text) if isinstance(text, str) else None
    return Passed(match[1], int(match[2], 16)) if match else None

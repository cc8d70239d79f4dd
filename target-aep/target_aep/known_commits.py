"""The commits of earlier runs, as their batches tell of them."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from target_aep.commit_key import CommitKey

if t.TYPE_CHECKING:
    from collections.abc import Iterable


class KnownCommits:
    """Commits that earlier runs have begun, however they ended."""

    def __init__(self, commits: Iterable[CommitKey] = ()) -> None:
        """Take them; a commit may come several times, for its attempts."""
        self._digests: set[str] = set()
        self._around: defaultdict[str, set[str]] = defaultdict(set)
        for commit in commits:
            self._digests.add(commit.digest)
            for short in commit.passes:
                self._around[short].add(commit.digest)

    def __contains__(self, key: CommitKey) -> bool:
        return key.digest in self._digests

    def around(self, key: CommitKey) -> tuple[CommitKey, ...]:
        """The commits that pass the STATE of this one: what is in of them may hold its records."""
        return tuple(map(CommitKey, sorted(self._around.get(key.short, ()))))

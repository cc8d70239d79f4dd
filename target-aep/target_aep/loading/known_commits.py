"""The commits of earlier runs, as their batches tell of them."""

from __future__ import annotations

import typing as t
from collections import defaultdict

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from target_aep.loading.commit_key import CommitKey


class KnownCommits:
    """Commits that earlier runs have begun, however they ended."""

    def __init__(self, commits: Iterable[CommitKey] = ()) -> None:
        """Take them; a commit may come several times, for its attempts."""
        self._by_digest: defaultdict[str, list[CommitKey]] = defaultdict(list)
        self._by_passed: defaultdict[str, list[CommitKey]] = defaultdict(list)
        for commit in commits:
            self._by_digest[commit.digest].append(commit)
            for short in {passed.short for passed in commit.passes}:
                self._by_passed[short].append(commit)

    def __contains__(self, key: CommitKey) -> bool:
        """Whether there is a commit of this name that holds these records."""
        of_name = self._by_digest.get(key.digest, ())
        return any(commit.ends_with(key.records) for commit in of_name)

    def around(self, key: CommitKey) -> tuple[CommitKey, ...]:
        """Commits on whose way this one lies: what is in of them may hold its records."""
        passing = self._by_passed.get(key.short, ())
        return tuple(commit for commit in passing if commit.passes_through(key))

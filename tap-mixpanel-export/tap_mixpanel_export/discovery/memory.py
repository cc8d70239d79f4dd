"""What was found out about a project's properties, kept under ``state_dir``.

It is a cache, so that Mixpanel is asked once a day, and a memory: a column keeps its name, and
as a rule its type, whatever is found later. Delete the file to begin anew.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tap_mixpanel_export.spool import storage_errors

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

    from tap_mixpanel_export.settings import Settings

LONGEST_AGE = 86_400.0
"""Seconds after which Mixpanel is asked again at the latest."""

_VERSION = 1


@dataclass(frozen=True)
class KnownProperty:
    """A property that was found.

    Attributes:
        column: The name of its column.
        kind: JSON schema type of its column, None as long as only nulls were seen.
        description: Lexicon's, or None.
    """

    column: str
    kind: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Findings:
    """All that is known of a project's properties.

    Attributes:
        properties: By raw name.
        good_until: When Mixpanel is to be asked again (epoch seconds).
    """

    properties: Mapping[str, KnownProperty] = field(default_factory=dict)
    good_until: float = 0.0

    def is_fresh(self, now: float) -> bool:
        """Whether Mixpanel need not be asked again."""
        # A clock that was set back must not make old findings last.
        return 0 < self.good_until - now <= LONGEST_AGE


class Memory:
    """The findings about one project, host and selection of events."""

    def __init__(self, settings: Settings, logger: logging.Logger) -> None:
        """Open the memory; only a digest of what it belongs to is written."""
        owner = f"{settings.budget_owner} {settings.app_url} {settings.selection}"
        digest = blake2b(owner.encode(), digest_size=8).hexdigest()
        self._folder = settings.state_dir / "discovery"
        self._path = self._folder / f"{digest}.json"
        self._logger = logger

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs from reading and writing it meanwhile.

        Raises:
            StorageError: It cannot be written.
        """
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._path.with_suffix(".lock"))
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Findings:
        """Return what is kept, nothing if there is none or it cannot be read."""
        try:
            return _findings(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return Findings()
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self._logger.warning(
                "%s, which keeps the names of columns, is damaged; they are made anew", self._path
            )
            return Findings()

    def write(self, findings: Findings) -> None:
        """Keep these.

        Raises:
            StorageError: They cannot be written.
        """
        fresh = self._path.with_suffix(".new")
        with storage_errors(self._folder):
            fresh.write_text(json.dumps({"version": _VERSION, **asdict(findings)}))
            fresh.replace(self._path)


def _findings(content: Mapping[str, Any]) -> Findings:
    if content["version"] != _VERSION:
        raise ValueError(content["version"])
    properties = {raw: KnownProperty(**known) for raw, known in content["properties"].items()}
    return Findings(properties, float(content["good_until"]))

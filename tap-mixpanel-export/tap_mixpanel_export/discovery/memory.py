"""What was found out about a project's properties, kept under ``state_dir``.

It is a cache, so that Mixpanel is asked once a day, and a memory: a column keeps its name, and
as a rule its type, whatever is found later. Names and types are a project's, whatever part of its
events is exported and by which hosts. Delete the file to begin anew.
"""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from tap_mixpanel_export.credentials import API_SECRET
from tap_mixpanel_export.discovery.property_types import ALL_KINDS
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.spool import storage_errors

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tap_mixpanel_export.settings import Settings

LONGEST_AGE = 86_400.0
"""Seconds after which Mixpanel is asked again at the latest."""

_VERSION = 2
_TEXT_OR_NONE = (str, type(None))


@dataclass(frozen=True)
class KnownProperty:
    """A property that was found.

    Attributes:
        column: The name of its column.
        kind: JSON schema type of its column, None as long as only nulls were seen.
        description: Lexicon's, or None.
        is_defined: Whether the type is Lexicon's.
    """

    column: str
    kind: str | None = None
    description: str | None = None
    is_defined: bool = False


@dataclass(frozen=True)
class Findings:
    """All that is known of a project's properties.

    Attributes:
        properties: By raw name.
        good_until: When Mixpanel is to be asked again (epoch seconds), by what was asked.
    """

    properties: Mapping[str, KnownProperty] = field(default_factory=dict)
    good_until: Mapping[str, float] = field(default_factory=dict)

    def is_fresh(self, question: str, now: float) -> bool:
        """Whether Mixpanel need not be asked again."""
        # A clock that was set back must not make old findings last.
        return 0 < self.good_until.get(question, 0.0) - now <= LONGEST_AGE

    def with_answer(
        self, properties: Mapping[str, KnownProperty], question: str, *, now: float, age: float
    ) -> Findings:
        """Return these with an answer of Mixpanel, which is asked again after ``age`` seconds."""
        lasting = {each: end for each, end in self.good_until.items() if end > now}
        return Findings(properties, {**lasting, question: now + age})


class Memory:
    """The findings about one project.

    Attributes:
        question: A digest of the hosts, ``events`` and ``where`` of these settings.
    """

    def __init__(self, settings: Settings, logger: logging.Logger) -> None:
        """Open the memory; only digests of what it belongs to are written."""
        self.question = _digest(f"{settings.api_url} {settings.app_url} {settings.selection}")
        self._folder = settings.state_dir / "discovery"
        self._path = self._folder / f"{_digest(_project(settings))}.json"
        self._logger = logger

    @contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Keep other runs from reading and writing it meanwhile.

        Args:
            patience: Seconds to wait for another run that reads and writes it.

        Raises:
            StorageError: It cannot be written, or another run has kept it for too long.
        """
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._path.with_suffix(".lock"))
            try:
                lock.acquire(timeout=patience)
            except Timeout as error:
                raise StorageError(
                    f"{lock.lock_file}: another run has looked for the project's properties for "
                    f"more than {patience:.0f} s; end it, or run again later"
                ) from error
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Findings:
        """Return what is kept, nothing if there is none; what makes no sense is put aside.

        Raises:
            StorageError: It cannot be read, or a newer version of the tap has written it.
        """
        try:
            with storage_errors(self._folder):
                text = self._path.read_bytes() if self._path.exists() else None
            return Findings() if text is None else _findings(json.loads(text), self._path)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._put_aside()
            return Findings()

    def _put_aside(self) -> None:
        aside = self._path.with_suffix(".damaged")
        with storage_errors(self._folder):
            self._path.replace(aside)
        self._logger.warning(
            "%s, which keeps the names of columns, is damaged: they are made anew, and the old "
            "file is kept as %s",
            self._path,
            aside.name,
        )

    def write(self, findings: Findings) -> None:
        """Keep these.

        Raises:
            StorageError: They cannot be written.
        """
        fresh = self._path.with_suffix(".new")
        with storage_errors(self._folder):
            fresh.write_text(json.dumps({"version": _VERSION, **asdict(findings)}))
            fresh.replace(self._path)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _project(settings: Settings) -> str:
    """What tells the project from others; it may hold a secret."""
    credentials = settings.credentials
    known_by = credentials.authorization if credentials.kind == API_SECRET else credentials.kind
    return f"{settings.project_id or known_by}"


def _findings(content: Mapping[str, Any], path: Path) -> Findings:
    version = content["version"]
    if isinstance(version, int) and version > _VERSION:
        raise StorageError(
            f"{path}: was written by a newer version of the tap (its format is {version}, this one "
            f"knows {_VERSION}); update the tap, or name another state_dir"
        )
    if version != _VERSION:
        raise ValueError(version)
    properties = {raw: _known_property(known) for raw, known in content["properties"].items()}
    if len({known.column for known in properties.values()}) < len(properties):
        raise ValueError("two properties have the same column")
    return Findings(
        properties, {each: _instant(end) for each, end in content["good_until"].items()}
    )


def _known_property(content: Mapping[str, Any]) -> KnownProperty:
    known = KnownProperty(**content)
    is_sound = (
        isinstance(known.column, str)
        and known.column != ""
        and (known.kind is None or known.kind in ALL_KINDS)
        and isinstance(known.description, _TEXT_OR_NONE)
        and isinstance(known.is_defined, bool)
    )
    if not is_sound:
        raise ValueError(known)
    return known


def _instant(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("good_until")
    return float(value)

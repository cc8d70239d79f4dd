"""What Mixpanel failed to tell, remembered for some minutes so that no run pays for it again.

A failure belongs to the credentials, the hosts and the selection of events: whoever corrects one
of these is not held up by it.
"""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING

from tap_mixpanel_export.spool import storage_errors

if TYPE_CHECKING:
    from tap_mixpanel_export.settings import Settings

FAILURE_AGE = 600.0
"""Seconds that a failure is remembered."""


class Failures:
    """The last failure of these settings; use it under the memory's lock."""

    def __init__(self, settings: Settings) -> None:
        """Open it; of the credentials only a digest is written."""
        owner = f"{settings.budget_owner} {settings.app_url} {settings.selection}"
        self._credentials = _digest(settings.credentials.authorization)
        self._folder = settings.state_dir / "discovery"
        self._path = self._folder / f"{_digest(owner)}.failed"

    def recent(self, now: float) -> str | None:
        """Return why there was no answer and when Mixpanel is asked again, if that is to come.

        Args:
            now: Seconds since the epoch.
        """
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            content = json.loads(self._path.read_bytes())
            reason, until = str(content["reason"]), float(content["until"])
            is_ours = content["credentials"] == self._credentials
            if is_ours and 0 < until - now <= FAILURE_AGE:
                again = datetime.fromtimestamp(until, timezone.utc).strftime("%H:%M:%S UTC")
                return f"{reason} (asked before; Mixpanel is asked again after {again})"
        return None

    def remember(self, reason: str, now: float) -> None:
        """Keep a failure.

        Raises:
            StorageError: It cannot be written.
        """
        until = now + FAILURE_AGE
        content = {"credentials": self._credentials, "reason": reason, "until": until}
        with storage_errors(self._folder):
            self._path.write_text(json.dumps(content))

    def forget(self) -> None:
        """Remove what is kept: Mixpanel has answered.

        Raises:
            StorageError: It cannot be removed.
        """
        with storage_errors(self._folder):
            self._path.unlink(missing_ok=True)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()

"""What all calls of a run have in common, to IMS and to the platform alike."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from target_aep.api.pacing import Pacing
from target_aep.api.redaction import Redactor
from target_aep.api.retrying import RetryPolicy

if t.TYPE_CHECKING:
    from collections.abc import Callable

    import requests

_T = t.TypeVar("_T")

Seconds = tuple[float, float]
"""How long to wait for a connection, and then for the next bytes of the answer."""


@dataclass(frozen=True)
class Timeouts:
    """When a call counts as unanswered: an ordinary one, an upload, and the last one of a run."""

    call: Seconds = (30, 90)
    upload: Seconds = (30, 300)
    farewell: Seconds = (5, 10)


@dataclass(frozen=True)
class CallRules:
    """How calls are repeated, timed, quoted and paced, and the sign that the run is ending."""

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    timeouts: Timeouts = field(default_factory=Timeouts)
    redact: Redactor = field(default_factory=Redactor)
    stopped: threading.Event = field(default_factory=threading.Event)
    pacing: Pacing = field(default_factory=Pacing)

    def retry(self, call: Callable[[], _T], what: str) -> _T:
        """Repeat a call while that may help and the run goes on.

        Raises:
            PlatformError: The last try failed too, or the run ended.
        """
        return self.policy.run(call, what, self.stopped)


class Bearer:
    """The access token, or no authorization at all.

    A call without an auth object would get the user's `~/.netrc` instead (requests,
    docs/user/authentication.rst).
    """

    def __init__(self, token: str | None = None) -> None:
        """Send this token, or nothing."""
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

"""Calls to Experience Platform: headers, token renewal, retries, and refusals put into words."""

from __future__ import annotations

import threading
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from target_aep.errors import PlatformError
from target_aep.retrying import RetriableError, RetryPolicy, retry_after

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from target_aep.ims import TokenSource

IMPORT: t.Final = "/data/foundation/import"
CATALOG: t.Final = "/data/foundation/catalog"
EXPORT: t.Final = "/data/foundation/export"
SCHEMA_REGISTRY: t.Final = "/data/foundation/schemaregistry"

_TIMEOUT = (30, 300)
_LONGEST_QUOTE = 500

_GATEWAY_HINTS: t.Final[dict[str, str]] = {
    # help/landing/troubleshooting.md in AdobeDocs/experience-platform.en
    "403000": "the API key is missing: check client_id",
    "403003": "the API key is not valid: check client_id, and that the API is added to its project",
    "400003": "the organisation is missing: check org_id",
    "403025": "no access: give the credential a product profile and a role for the sandbox",
    "403027": "the organisation does not fit the credential: check org_id and its product profile",
    "403010": "the access token is missing",
    "401013": "the access token is not valid: check client_id, client_secret and ims_url",
}
_STATUS_HINTS: t.Final[dict[int, str]] = {
    401: "check client_id, client_secret and scopes",
    403: "check sandbox_name, and that the credential has a product profile and a role for it",
    404: "check platform_url and the ids in the settings",
}


class ResponseLostError(Exception):
    """No usable answer came back: the call may have taken effect, or not."""


@dataclass(frozen=True)
class Body:
    """A request body that can be sent again: `open` gives it anew for each try."""

    content_type: str
    open: Callable[[], t.Any]


class PlatformClient:
    """Sends requests for one organisation and sandbox; safe across threads."""

    def __init__(
        self,
        platform_url: str,
        tokens: TokenSource,
        *,
        client_id: str,
        org_id: str,
        sandbox_name: str,
        policy: RetryPolicy,
    ) -> None:
        """Keep the connection's settings; nothing is requested yet.

        Args:
            platform_url: The gateway, e.g. https://platform.adobe.io.
            tokens: Where access tokens come from.
            client_id: Sent as `x-api-key`.
            org_id: Sent as `x-gw-ims-org-id`.
            sandbox_name: Sent as `x-sandbox-name`.
            policy: How calls are retried.
        """
        self._base = platform_url.rstrip("/")
        self._tokens = tokens
        self._headers = {
            "x-api-key": client_id,
            "x-gw-ims-org-id": org_id,
            "x-sandbox-name": sandbox_name,
        }
        self.policy = policy
        self._local = threading.local()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Make no more tries: what is still under way in other threads ends with an error."""
        self._stopped.set()

    def get_json(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> t.Any:
        """GET a JSON document, with retries.

        Raises:
            PlatformError: The platform refused, gave no JSON, or could not be reached.
        """
        response = self.call("GET", path, params=params, headers={"Accept": accept})
        try:
            return response.json()
        except ValueError as error:
            raise PlatformError(
                f"GET {path} answered {response.status_code} without JSON: check platform_url",
                status=response.status_code,
            ) from error

    @contextmanager
    def stream(self, path: str, *, params: Mapping[str, str]) -> Iterator[Iterator[bytes]]:
        """GET a file line by line (the connecting is retried, the reading is not)."""
        response = self.call("GET", path, params=params, stream=True)
        with response:
            yield response.iter_lines(chunk_size=1 << 16)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Send a call that is safe to repeat, until it is answered.

        Retried: transport errors, 429 and 5xx (a 500 may also mean too many calls at once,
        help/landing/troubleshooting.md in AdobeDocs/experience-platform.en).

        Raises:
            PlatformError: The platform refused, or could not be reached in all tries.
        """

        def attempt() -> requests.Response:
            try:
                return self.call_once(
                    method, path, params=params, headers=headers, body=body, stream=stream
                )
            except ResponseLostError as error:
                raise RetriableError(str(error)) from error

        return self.policy.run(attempt, f"{method} {path}")

    def call_once(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Send a call once; only an expired token is renewed and the call repeated.

        Raises:
            RetriableError: The platform was too busy to do anything (429).
            ResponseLostError: The call may have taken effect (transport error, 5xx).
            PlatformError: The platform refused.
        """
        if self._stopped.is_set():
            raise PlatformError(f"{method} {path} was not sent: the run is ending")
        token = self._tokens.token()
        response = self._send(method, path, token, params, headers, body, stream)
        if response.status_code == requests.codes.unauthorized:
            # Once: a second refusal is not about the token's age.
            self._tokens.discard(token)
            token = self._tokens.token()
            response = self._send(method, path, token, params, headers, body, stream)
        return _checked(response, f"{method} {path}", token)

    def _send(
        self,
        method: str,
        path: str,
        token: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: Body | None,
        stream: bool,
    ) -> requests.Response:
        sent_headers = {**self._headers, "Authorization": f"Bearer {token}", **(headers or {})}
        data = None
        if body:
            sent_headers["Content-Type"] = body.content_type
            data = body.open()
        try:
            return self._session().request(
                method,
                self._base + path,
                params=params,
                headers=sent_headers,
                data=data,
                timeout=_TIMEOUT,
                allow_redirects=False,
                stream=stream,
            )
        except requests.RequestException as error:
            raise ResponseLostError(f"no answer ({type(error).__name__})") from error
        finally:
            if data is not None and hasattr(data, "close"):
                data.close()

    def _session(self) -> requests.Session:
        """A session of this thread: requests does not promise that one may be shared."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        return t.cast("requests.Session", self._local.session)


def _checked(response: requests.Response, what: str, token: str) -> requests.Response:
    status = response.status_code
    if status < requests.codes.multiple_choices:
        return response
    said = _words_of(response).replace(token, "***")
    if status == requests.codes.too_many_requests:
        raise RetriableError(f"{status} {said}", retry_after=retry_after(response))
    if status >= requests.codes.server_error:
        wish = retry_after(response)
        if wish is not None:
            raise RetriableError(f"{status} {said}", retry_after=wish)
        raise ResponseLostError(f"{status} {said}")
    raise PlatformError(f"{what} was refused: {status} {said}{_hint(status, said)}", status=status)


def _words_of(response: requests.Response) -> str:
    """What the service says in any of its error shapes, cut to a readable length."""
    try:
        answer = response.json()
    except ValueError:
        return response.text[:_LONGEST_QUOTE].strip()
    if not isinstance(answer, dict):
        return response.text[:_LONGEST_QUOTE]
    report = answer.get("report")
    parts = [
        answer.get("error_code"),
        answer.get("message") or answer.get("errorMessage") or answer.get("title"),
        answer.get("detail"),
        report.get("message") if isinstance(report, dict) else None,
    ]
    said = " ".join(str(part) for part in parts if part)
    return said[:_LONGEST_QUOTE] or response.text[:_LONGEST_QUOTE]


def _hint(status: int, said: str) -> str:
    for code, hint in _GATEWAY_HINTS.items():
        if code in said:
            return f" ({hint})"
    return f" ({_STATUS_HINTS[status]})" if status in _STATUS_HINTS else ""

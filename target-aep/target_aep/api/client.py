"""Calls to Experience Platform: headers, token renewal, retries."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass

import requests

from target_aep.api.calls import Bearer
from target_aep.api.refusals import about, hint_for, words_of
from target_aep.api.retrying import RetriableError, retry_after
from target_aep.errors import DiskError, PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from target_aep.api.calls import CallRules, Seconds
    from target_aep.api.ims import TokenSource

IMPORT: t.Final = "/data/foundation/import"
CATALOG: t.Final = "/data/foundation/catalog"
EXPORT: t.Final = "/data/foundation/export"
SCHEMA_REGISTRY: t.Final = "/data/foundation/schemaregistry"

_CHUNK = 1 << 16


class ResponseLostError(RetriableError):
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
        rules: CallRules,
        *,
        client_id: str,
        org_id: str,
        sandbox_name: str,
    ) -> None:
        """Keep the connection's settings; nothing is requested yet.

        Args:
            platform_url: The gateway, e.g. https://platform.adobe.io.
            tokens: Where access tokens come from.
            rules: How calls are retried, timed and quoted.
            client_id: Sent as `x-api-key`.
            org_id: Sent as `x-gw-ims-org-id`.
            sandbox_name: Sent as `x-sandbox-name`.
        """
        self._base = platform_url.rstrip("/")
        self._tokens = tokens
        self._headers = {
            "x-api-key": client_id,
            "x-gw-ims-org-id": org_id,
            "x-sandbox-name": sandbox_name,
        }
        self.rules = rules
        self._local = threading.local()

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
        return self.rules.retry(
            lambda: self.get_json_once(path, params=params, accept=accept), f"GET {path}"
        )

    def get_json_once(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> t.Any:
        """GET a JSON document with a single try.

        Raises:
            RetriableError: There was no usable answer.
            PlatformError: The platform refused, or gave no JSON.
        """
        response = self.call_once("GET", path, params=params, headers={"Accept": accept})
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise PlatformError(
                f"GET {path} answered {response.status_code} without JSON: check platform_url",
                status=response.status_code,
            ) from error

    def download(self, path: str, file: Path, *, params: Mapping[str, str]) -> None:
        """GET a document into a file, with retries; a try that breaks off leaves nothing behind.

        Raises:
            PlatformError: The platform refused, or the document could not be had whole.
            DiskError: The file can't be written.
        """

        def attempt() -> None:
            with self.call_once("GET", path, params=params, stream=True) as response:
                _save(response, file)

        self.rules.retry(attempt, f"GET {path}")

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        timeout: Seconds | None = None,
    ) -> requests.Response:
        """Send a call that is safe to repeat, until it is answered.

        Retried: transport errors, 429 and 5xx (a 500 may also mean too many calls at once,
        help/landing/troubleshooting.md in AdobeDocs/experience-platform.en).

        Raises:
            PlatformError: The platform refused, or could not be reached in all tries.
        """
        return self.rules.retry(
            lambda: self.call_once(method, path, params=params, body=body, timeout=timeout),
            f"{method} {path}",
        )

    def call_once(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        stream: bool = False,
        timeout: Seconds | None = None,
    ) -> requests.Response:
        """Send a call once; only an expired token is renewed and the call repeated.

        Raises:
            ResponseLostError: The call may have taken effect (transport error, 5xx).
            RetriableError: The platform was too busy to do anything (429).
            PlatformError: The platform refused.
        """

        def send(token: str) -> requests.Response:
            return self._send(method, path, token, params, headers or {}, body, stream, timeout)

        token = self._tokens.token()
        response = send(token)
        if response.status_code == requests.codes.unauthorized:
            # Once: a second refusal is not about the token's age.
            response.close()
            self._tokens.discard(token)
            response = send(self._tokens.token())
        return self._checked(response, f"{method} {path}")

    def _send(
        self,
        method: str,
        path: str,
        token: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        body: Body | None,
        stream: bool,
        timeout: Seconds | None,
    ) -> requests.Response:
        sent_headers = {**self._headers, **headers}
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
                auth=Bearer(token),
                timeout=timeout or self.rules.timeouts.call,
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

    def _checked(self, response: requests.Response, what: str) -> requests.Response:
        status = response.status_code
        if status < requests.codes.multiple_choices:
            return response
        said = self._quote(response)
        if status == requests.codes.too_many_requests:
            raise RetriableError(f"{status} {said}".strip(), retry_after=retry_after(response))
        if status >= requests.codes.server_error:
            raise ResponseLostError(f"{status} {said}".strip(), retry_after=retry_after(response))
        raise PlatformError(
            f"{what} was refused: {status} {said}{hint_for(status, said, what)}",
            status=status,
            about=about(status, said),
        )

    def _quote(self, response: requests.Response) -> str:
        try:
            return self.rules.redact.quote(words_of(response))
        except requests.RequestException:  # the body of a streamed answer broke off
            return "(the answer broke off)"


def _save(response: requests.Response, file: Path) -> None:
    try:
        with file.open("wb") as out:
            for chunk in response.iter_content(_CHUNK):
                out.write(chunk)
    except requests.RequestException as error:
        file.unlink(missing_ok=True)
        raise ResponseLostError(f"the answer broke off ({type(error).__name__})") from error
    except OSError as error:
        raise DiskError(str(file), error) from error

"""Creating things of a sandbox once: answers get lost, lists lag, others may be faster."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from http import HTTPStatus

from target_aep.api.client import Body, ResponseLostError
from target_aep.api.retrying import RetriableError
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from target_aep.api.client import PlatformClient

_T = t.TypeVar("_T")

_CONFLICT = HTTPStatus.CONFLICT
_REFUSALS = (HTTPStatus.BAD_REQUEST, _CONFLICT)
_LOOKS = 3


def json_body(document: t.Any, content_type: str = "application/json") -> Body:
    """A request body of JSON."""
    return Body(content_type, lambda: json.dumps(document))


@dataclass(frozen=True)
class Made(t.Generic[_T]):
    """What there is after a creation; `is_new` is false where it may be another's."""

    thing: _T
    is_new: bool


def create_once(
    client: PlatformClient,
    path: str,
    document: t.Any,
    *,
    read: Callable[[requests.Response], _T | None],
    find: Callable[[], _T | None],
    what: str,
    has_unique_name: bool = True,
) -> Made[_T]:
    """POST a document; before it is repeated, look for what an earlier try may have made.

    A thing that is there already by the words of the service is taken as it is.

    Args:
        client: The platform.
        path: Where it is posted.
        document: What is posted.
        read: What the answer tells of the new thing; None if it does not tell enough.
        find: Looks for the thing; None if it is not there.
        what: What is made, for messages.
        has_unique_name: Whether the service refuses a second one of the name. Where it does not,
            there are several looks, with waits between them, before a second POST: lists lag.

    Returns:
        The thing, made now, by an earlier try, or by someone else.

    Raises:
        PlatformError: The platform refused, or could not be reached in all tries.
    """
    creation = _Creation(client, path, document, read, find, 0 if has_unique_name else _LOOKS)
    return client.rules.retry(creation.attempt, what)


@dataclass
class _Creation(t.Generic[_T]):
    """One thing on its way to be; `looks_left` are looks before the next POST."""

    client: PlatformClient
    path: str
    document: t.Any
    read: Callable[[requests.Response], _T | None]
    find: Callable[[], _T | None]
    looks_left: int
    may_exist: bool = False
    refused: PlatformError | None = field(default=None)
    looks_after_refusal: int = _LOOKS

    def attempt(self) -> Made[_T]:
        """Look if an earlier try may have made it, else POST."""
        if self.refused is not None:
            return self._look_again_after(self.refused)
        if self.may_exist:
            found = self.find()
            if found is not None:
                return Made(found, is_new=False)
            if self.looks_left:
                self.looks_left -= 1
                raise RetriableError("the answer was lost, and it is not listed yet")
        return self._post()

    def _post(self) -> Made[_T]:
        try:
            response = self.client.call_once("POST", self.path, body=json_body(self.document))
        except ResponseLostError as error:
            return self._found_after(error)
        except PlatformError as error:
            return self._found_after_refusal(error)
        made = _read(response, self.read)
        if made is None:
            return self._found_after(ValueError("the answer is not readable"))
        return Made(made, is_new=True)

    def _found_after(self, error: Exception) -> Made[_T]:
        self.may_exist = True
        found = self.find()
        if found is None:
            wish = getattr(error, "retry_after", None)
            raise RetriableError(str(error), retry_after=wish) from error
        return Made(found, is_new=False)

    def _found_after_refusal(self, error: PlatformError) -> Made[_T]:
        """Refused, perhaps because an earlier try, or someone else, has made it."""
        if error.status not in _REFUSALS:
            raise error
        found = self.find()
        if found is not None:
            return Made(found, is_new=False)
        if not _says_it_exists(error):
            raise error
        self.refused = error
        raise RetriableError(f"{error}; it is not listed yet") from error

    def _look_again_after(self, refused: PlatformError) -> Made[_T]:
        found = self.find()
        if found is not None:
            return Made(found, is_new=False)
        self.looks_after_refusal -= 1
        if self.looks_after_refusal <= 0:
            raise refused
        raise RetriableError(f"{refused}; it is not listed yet") from refused


def _says_it_exists(error: PlatformError) -> bool:
    words = str(error).lower()
    return error.status == _CONFLICT or "unique" in words or "exist" in words


def _read(response: requests.Response, read: Callable[[requests.Response], _T | None]) -> _T | None:
    try:
        return read(response)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None

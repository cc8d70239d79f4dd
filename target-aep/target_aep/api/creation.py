"""Creating things of a sandbox once, also when the answer to the request is lost."""

from __future__ import annotations

import json
import typing as t

from target_aep.api.client import Body, ResponseLostError
from target_aep.api.retrying import RetriableError
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from target_aep.api.client import PlatformClient

_T = t.TypeVar("_T")


def json_body(document: t.Any, content_type: str = "application/json") -> Body:
    """A request body of JSON."""
    return Body(content_type, lambda: json.dumps(document))


def create_once(
    client: PlatformClient,
    path: str,
    document: t.Any,
    *,
    read: Callable[[requests.Response], _T | None],
    find: Callable[[], _T | None],
    what: str,
) -> _T:
    """POST a document; after a lost answer, look for what it may have made before repeating it.

    Args:
        client: The platform.
        path: Where it is posted.
        document: What is posted.
        read: What the answer tells of the new thing; None if it does not tell enough.
        find: Looks for the thing; None if it is not there.
        what: What is made, for messages.

    Returns:
        The thing, made now or by an earlier try.

    Raises:
        PlatformError: The platform refused, or could not be reached in all tries.
    """
    may_exist = False

    def found_after(error: Exception) -> _T:
        nonlocal may_exist
        may_exist = True
        found = find()
        if found is None:
            wish = getattr(error, "retry_after", None)
            raise RetriableError(str(error), retry_after=wish) from error
        return found

    def attempt() -> _T:
        try:
            response = client.call_once("POST", path, body=json_body(document))
        except ResponseLostError as error:
            return found_after(error)
        except PlatformError:
            # Refused, perhaps because the try whose answer was lost has made it after all.
            found = find() if may_exist else None
            if found is None:
                raise
            return found
        made = _read(response, read)
        return found_after(ValueError("the answer is not readable")) if made is None else made

    return client.rules.retry(attempt, what)


def _read(response: requests.Response, read: Callable[[requests.Response], _T | None]) -> _T | None:
    try:
        return read(response)
    except (ValueError, KeyError, TypeError, IndexError):
        return None

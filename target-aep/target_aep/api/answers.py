"""Answers of another form than the documents tell: errors that name the call.

A proxy, or a service in trouble, may answer 200 with anything, which never means "nothing there".
"""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from target_aep.errors import PlatformError

Document = dict[str, t.Any]


def odd_answer(call: str, wanted: str) -> PlatformError:
    """The error for an answer of another form.

    Args:
        call: Method and path.
        wanted: What the documents tell.
    """
    return PlatformError(
        f"{call} answered without {wanted}: check platform_url, or try again later",
        status=HTTPStatus.OK,
    )


def objects_by_id(answer: object, call: str) -> dict[str, Document]:
    """Catalog's form of lists and of single documents: an object with a document for each id.

    Args:
        answer: What came.
        call: Method and path.

    Raises:
        PlatformError: It is of another form.
    """
    if not isinstance(answer, dict) or not all(isinstance(one, dict) for one in answer.values()):
        raise odd_answer(call, "an object with a document for each id")
    return answer

"""Refusals in the forms the export endpoint and the app host are known to use.

Texts come from public clients and issues: airbytehq/airbyte (source-mixpanel, issues 3698 and
9410), singer-io/tap-mixpanel, treasure-data/embulk-input-mixpanel. Where no text is public, the
words are ours and only status and form follow the sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from emulators.faults import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

UNAUTHENTICATED = "Unable to authenticate request"
TO_DATE_IN_FUTURE = "to_date cannot be later than today"
NO_EXPORT_IN_PLAN = (
    "Your plan does not support raw data export. Visit mixpanel.com/pricing to upgrade."
)
TOO_MANY_AT_ONCE = "too many export requests in progress for this project"


class Refused(Exception):  # noqa: N818 - the service's decision, not a fault of the program
    """The request is answered with this status and text.

    Attributes:
        status: HTTP status.
        text: The service's words.
        as_json: Whether they come as `{"request": …, "error": …}` or bare.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        text: str,
        *,
        as_json: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.as_json = as_json
        self.headers = headers or {}

    def response(self, request: Request) -> Response:
        """The HTTP answer."""
        if self.as_json:
            answer = json_response(
                {"request": request.full_path.rstrip("?"), "error": self.text}, self.status
            )
        else:
            answer = Response(self.text, status=self.status, content_type="text/plain")
        answer.headers.update(self.headers)
        return answer


class RefusedByApp(Refused):
    """A refusal of the app host, `{"error": …, "status": "error"}`.

    The form is that of mixpanel/docs `openapi/lexicon-schemas.openapi.yaml`.
    """

    def response(self, request: Request) -> Response:  # noqa: ARG002 - the base's signature
        """The HTTP answer."""
        answer = json_response({"error": self.text, "status": "error"}, self.status)
        answer.headers.update(self.headers)
        return answer

"""Data Prep's language endpoints (`/languages/el`), as far as they can be without the language.

Source: AdobeDocs/experience-platform.en `help/data-prep/api/functions.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from emulators.aep import params
from emulators.aep.conversion import PREFIX
from emulators.aep.errors import problem
from emulators.faults import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from emulators.aep.gateway import Caller

# What the guide's shortened samples show of the language.
_FUNCTIONS = [
    {"category": "Date / Time", "function": "date", "returnType": "java.time.ZonedDateTime",
     "syntax": "ZonedDateTime date(String, String, ZonedDateTime)", "params": [], "since": 1},
    {"category": "Hierarchies - Arrays", "function": "first", "returnType": "java.lang.Object",
     "syntax": "T first(T...)", "since": 1,
     "params": [{"name": "values", "type": "object", "dataType": "[Ljava.lang.Object;",
                 "position": 1}]},
]  # fmt: skip
_OPERATORS = [
    {"operatorSymbol": "+", "methodName": "add", "numberOfOperands": 2, "example": "1 + 2"},
    {"operatorSymbol": "/", "methodName": "divide", "numberOfOperands": 2, "example": "1 / 2"},
    {"operatorSymbol": "~", "methodName": "complement", "numberOfOperands": 1, "example": "~44"},
    {"operatorSymbol": "-", "methodName": "negate", "numberOfOperands": 1, "example": "-12"},
    {"operatorSymbol": "!", "methodName": "not", "numberOfOperands": 1, "example": "!cond1"},
]


class ExpressionLanguageApi:
    """The endpoints; each method answers one."""

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        language = f"{PREFIX}/languages/el"
        return [
            Rule(f"{language}/validate", methods=["POST"], endpoint=self.validate),
            Rule(f"{language}/functions", methods=["GET"], endpoint=self.functions),
            Rule(f"{language}/operators", methods=["GET"], endpoint=self.operators),
        ]

    def validate(self, request: Request, caller: Caller) -> Response:
        """`POST /languages/el/validate`: all that the emulator knows is that brackets close."""
        del caller
        expression = params.json_body(request).get("expression")
        if isinstance(expression, dict):  # as the OpenAPI file's sample nests it
            expression = expression.get("expression")
        if not isinstance(expression, str) or not expression.strip():
            raise problem(400, "Bad Request", "expression is mandatory.")
        is_closed = expression.count("(") == expression.count(")")
        status, error = ("succeeded", "none") if is_closed else ("failed", "unbalanced brackets")
        return json_response({"validationStatus": status, "error": error})

    def functions(self, request: Request, caller: Caller) -> Response:
        """`GET /languages/el/functions`: some of them."""
        del request, caller
        return json_response(_FUNCTIONS)

    def operators(self, request: Request, caller: Caller) -> Response:
        """`GET /languages/el/operators`: some of them."""
        del request, caller
        return json_response(_OPERATORS)

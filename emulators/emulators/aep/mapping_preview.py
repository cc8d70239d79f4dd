"""What the preview of mapping sets answers: what a test has put there, else copied attributes.

The emulator does not have Data Prep's language, so that nothing is compared with itself. Its own
answers copy what ATTRIBUTE and STATIC mappings name by plain paths, and make numbers text for text
fields (the sample of AdobeDocs/experience-platform.en `help/data-prep/api/mapping-set.md` shows
that); an expression is an error of its field, in the form of `TransformErrorInfo` of
`data-prep.yaml` in AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from emulators.aep.errors import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulators.aep.mapping_sets import Operation
    from emulators.aep.model import JsonObject

FORMS = ("array", "object", "wrapped")
"""A list of answers (the guide), one object (the OpenAPI file), within `previewDataOutput`."""


class PreviewAnswers:
    """Answers put there for the next records, and the form that all are given in."""

    def __init__(self) -> None:
        self._answers: deque[JsonObject] = deque()
        self._form = "array"

    def put(self, answers: Sequence[JsonObject], form: str = "array") -> None:
        """Answer the next records with these.

        Args:
            answers: Objects with `data` and `errors`, one for each record.
            form: One of `FORMS`.

        Raises:
            ApiError: 400 for another form.
        """
        if form not in FORMS:
            raise problem(400, "Bad Request", f"form must be one of {', '.join(FORMS)}")
        self._answers.extend(answers)
        self._form = form

    def clear(self) -> None:
        """Forget them."""
        self._answers.clear()
        self._form = "array"

    def answer(
        self, records: Sequence[JsonObject], mappings: Sequence[Operation], schema: JsonObject
    ) -> object:
        """The answer for some records.

        Args:
            records: What is to be mapped.
            mappings: How.
            schema: The schema that they go to; empty if it is not known.
        """
        answers = [
            self._answers.popleft() if self._answers else _copied(record, mappings, schema)
            for record in records
        ]
        if self._form == "object" and len(answers) == 1:
            return answers[0]
        return {"previewDataOutput": answers} if self._form == "wrapped" else answers


def field_of(schema: JsonObject, destination: str) -> JsonObject | None:
    """The field of a flattened schema at a destination, None if it has none."""
    field = schema
    for name in destination.replace("[", ".[").split("."):
        if name.startswith("["):
            below = field.get("items")
        else:
            below = field.get("properties", {}).get(name, field.get("additionalProperties"))
        if not isinstance(below, dict):
            return None
        field = below
    return field


def _copied(record: JsonObject, mappings: Sequence[Operation], schema: JsonObject) -> JsonObject:
    data: JsonObject = {}
    errors = []
    for mapping in mappings:
        if mapping.source_type == "EXPRESSION":
            errors.append(
                {
                    "destination": mapping.destination,
                    "source": mapping.source,
                    "sourceType": mapping.source_type,
                    "columnName": None,
                    "exception": "the emulator does not evaluate expressions",
                }
            )
            continue
        value = _read(record, mapping)
        if value is not None:
            field = field_of(schema, mapping.destination) or {}
            _put(data, mapping.destination, _as_field(value, field))
    return {"data": data, "errors": errors or None}


def _read(record: JsonObject, mapping: Operation) -> Any:
    if mapping.source_type == "STATIC":
        return mapping.source
    if mapping.source in record:
        return record[mapping.source]
    value: Any = record
    for name in mapping.source.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _as_field(value: Any, field: JsonObject) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number and field.get("type") == "string" else value


def _put(data: JsonObject, destination: str, value: Any) -> None:
    *above, last = destination.split(".")
    for name in above:
        data = data.setdefault(name, {})
    data[last] = value

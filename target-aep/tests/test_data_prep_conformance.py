"""The examples of Adobe's documentation, evaluated.

`data_prep_examples.json` holds the calls and results that help/data-prep/functions.md and its
neighbours in AdobeDocs/experience-platform.en document. `{"$date": …}` stands for a field that
is a date. An example whose documented result can't be right says why; what is then asserted is
the `reading`, which is this project's own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from target_aep.data_prep.automatic_dates import parse_automatically
from target_aep.data_prep.compiling import compile_expression
from target_aep.data_prep.failures import EvaluationError, ExpressionError
from target_aep.data_prep.functions import FUNCTIONS
from target_aep.data_prep.zoned_date_time import ZonedDateTime


def _date(value):
    return parse_automatically(value["$date"]) if "$date" in value else value


_TEXT = (Path(__file__).parent / "data_prep_examples.json").read_text("utf-8")
EXAMPLES = json.loads(_TEXT, object_hook=_date)
ASSERTED = [example for example in EXAMPLES if "why_not_asserted" not in example]
READ = [example for example in EXAMPLES if "reading" in example]
OTHERS = [
    example for example in EXAMPLES if "why_not_asserted" in example and "reading" not in example
]


def _by_function(examples):
    seen: Counter[str] = Counter()
    parameters = []
    for example in examples:
        seen[example["function"]] += 1
        name = f"{example['function']}-{seen[example['function']]}"
        parameters.append(pytest.param(example, id=name))
    return parameters


def _evaluate(example):
    return compile_expression(example["expression"])(example.get("input", {}))


@pytest.mark.parametrize("example", _by_function(ASSERTED))
def test_a_documented_example_gives_what_adobe_documents(example):
    value, documented = _evaluate(example), example["documented"]
    if isinstance(value, ZonedDateTime):
        assert documented.replace("+00:00", "Z") in (value.text, value.zoned_text)
    else:
        assert value == documented
        assert type(value) is type(documented)


@pytest.mark.parametrize("example", _by_function(READ))
def test_a_documented_example_that_is_wrong_gives_what_was_meant(example):
    reading = example["reading"]
    if isinstance(reading, dict) and "$error" in reading:
        with pytest.raises(EvaluationError, match=reading["$error"]):
            _evaluate(example)
        return
    value = _evaluate(example)
    expected = parse_automatically(reading) if isinstance(value, ZonedDateTime) else reading
    assert value == expected


SHAPES = {
    "now": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
    "timestamp": r"\d{13}",
    "current_timestamp": r"\d{13}",
    "current_date": r"\d\d-[A-Z][a-z]{2}-\d{4}",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "guid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "concat": r"SMITHJOHN\d{4}-.*",
}


@pytest.mark.parametrize("example", _by_function(OTHERS))
def test_an_example_that_changes_from_call_to_call_has_its_shape(example):
    if example["function"] == "fpid_to_ecid":
        with pytest.raises(ExpressionError, match="has not published"):
            _evaluate(example)
        return
    assert re.fullmatch(SHAPES[example["function"]], str(_evaluate(example)))


def test_every_example_is_asserted_or_says_why_not():
    assert [len(ASSERTED), len(READ), len(OTHERS)] == [68, 19, 9]
    assert all(example["why_not_asserted"] for example in (*READ, *OTHERS))


def test_there_is_every_function_that_adobe_documents():
    assert len(FUNCTIONS) == 107 + 1  # arrays_to_object is what the page's table calls one of them

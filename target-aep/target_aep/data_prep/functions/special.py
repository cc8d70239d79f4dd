"""Special operations: help/data-prep/functions.md, "Special operations"."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category

if t.TYPE_CHECKING:
    from target_aep.data_prep.evaluation import Evaluation

CATEGORY = Category("Special operations")

_REFUSAL = (
    "Adobe has not published how it derives an ECID from a first-party device id, "
    "so fpid_to_ecid can only be computed by Adobe"
)


@CATEGORY.define("uuid() -> text", "guid", needs_evaluation=True)
def uuid(evaluation: Evaluation) -> str:
    """A new UUID at each call."""
    return str(evaluation.new_uuid())


@CATEGORY.define("fpid_to_ecid(STRING: text) -> text", refusal=_REFUSAL)
def fpid_to_ecid(_fpid: str) -> t.NoReturn:
    """Refused wherever it is used."""
    raise EvaluationError(_REFUSAL)

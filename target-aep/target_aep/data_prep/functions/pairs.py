"""Arguments that are names and values in turn."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_text import text_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.data_prep.function import Value


def pairs_of(function: str, inputs: Sequence[Value]) -> Iterator[tuple[str, Value]]:
    """The pairs, their names as text.

    Raises:
        EvaluationError: A name is null or has no value.
    """
    if len(inputs) % 2:
        raise EvaluationError(f"{function}: the last name has no value")
    for name, value in zip(inputs[::2], inputs[1::2], strict=True):
        if name is None:
            raise EvaluationError(f"{function}: a name is null")
        yield text_of(name), value

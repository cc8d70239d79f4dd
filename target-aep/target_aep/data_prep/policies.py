"""What Adobe doesn't document, and a user may decide otherwise."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Policies:
    """How expressions take null where Adobe's engine flags are unpublished.

    Attributes:
        null_in_arithmetic: `error` leaves the field empty and warns, as a strict JEXL engine
            does; `zero` counts null as 0, and as empty text where texts are joined, as a lenient
            one does. Comparisons take null in either case.
        method_on_null: `null` gives null for `value.name(…)` where the value is null; `error`
            leaves the field empty too, and warns.
    """

    null_in_arithmetic: t.Literal["error", "zero"] = "error"
    method_on_null: t.Literal["null", "error"] = "null"

"""How large an expression, and what it computes, may be.

The 4,096 characters are Data Prep's own limit of a calculated field (help/data-prep/home.md in
AdobeDocs/experience-platform.en); the others keep a record from taking all time or memory.
"""

from __future__ import annotations

import typing as t

EXPRESSION_CHARACTERS: t.Final = 4096
"""The longest expression."""

NESTING: t.Final = 64
"""The most levels of an expression within each other; a + b + c are two."""

NUMBER_DIGITS: t.Final = 400
"""The most digits of a number, in an expression or in text that is read as one."""

NUMBER_EXPONENT: t.Final = 400
"""The largest power of ten of a number, up or down; a double ends at 308."""

INTEGER_BITS: t.Final = 4096
"""The longest integer that arithmetic gives."""

LAMBDA_CALLS: t.Final = 100_000
"""The most calls of lambdas in one evaluation."""

MADE_ELEMENTS: t.Final = 1024 * 1024
"""The most elements of all lists and objects that one evaluation makes, and of any one of them."""

MADE_CHARACTERS: t.Final = 16 * 1024 * 1024
"""The most characters of all texts that one evaluation makes."""

SECONDS: t.Final = 5
"""The longest that the calls of lambdas in one evaluation may take."""

UNWATCHED_NODES: t.Final = 32
"""The most fields and calls of an expression without lambdas that is not counted."""

"""The search for a schema's pattern in texts, within a bound of time.

Whoever may change a schema could otherwise hold up a run with a pattern that backtracks for ever.
"""

from __future__ import annotations

import typing as t

from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 0.2


def pattern_search(pattern: str) -> Callable[[str], bool]:
    """Compile a pattern into a function that tells whether it is found in a text.

    Args:
        pattern: One that Python can read.

    Returns:
        The function; it raises UnconvertibleError where the search takes too long.
    """
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and few schemas have any

    compiled = regex.compile(pattern)

    def is_found(text: str) -> bool:
        try:
            return compiled.search(text, timeout=_SECONDS) is not None
        except TimeoutError:
            raise UnconvertibleError(
                f"the schema's pattern {pattern} takes too long on this text"
            ) from None

    return is_found

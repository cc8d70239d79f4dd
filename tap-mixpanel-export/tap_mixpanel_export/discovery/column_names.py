"""Mixpanel property names as column names.

The rule follows Mixpanel's own schematised pipelines (``$`` becomes ``mp_``, lower case; see
https://docs.mixpanel.com/docs/data-pipelines/old-pipelines/schematized-export-pipeline), within
what warehouses and XDM fields have in common: letters, digits and underscores, a letter first,
63 characters, unique ignoring case.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

LONGEST_NAME = 63
"""PostgreSQL's limit, the lowest of the common ones."""

_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")
_FIRST_DIGEST = 8
_LONGEST_DIGEST = 32  # no two properties were ever seen to share that much


def column_names(
    properties: Iterable[str], *, known: Mapping[str, str], reserved: Collection[str]
) -> dict[str, str]:
    """Name the columns of properties, whatever the order in which these were seen.

    A property whose own name is a valid one keeps it. Others that share their plain name, with it
    or with each other, get a suffix made of their own names alone. A name given before stays.

    Args:
        properties: Raw names of all properties.
        known: Names given before, by raw name; they stay as they are.
        reserved: Names that no property may have, in lower case.

    Returns:
        The column's name for each property, known ones included.
    """
    new = {*properties} - known.keys()
    used = {*reserved, *known.values()}
    used |= (own := {raw for raw in new - used if _plain(raw) == raw and _fits(raw)})
    digests = {raw: 0 if _fits(_plain(raw)) else _FIRST_DIGEST for raw in new - own}
    while True:
        names = {raw: _name(raw, digest) for raw, digest in digests.items()}
        counts = Counter(names.values())
        clashing = [raw for raw, name in names.items() if name in used or counts[name] > 1]
        if not clashing:
            return {**known, **{raw: raw for raw in own}, **names}
        for raw in clashing:
            digests[raw] = digests[raw] * 2 or _FIRST_DIGEST


def possible_names(raw: str) -> Iterator[str]:
    """Yield every name that the column of a property may have, alone or among others."""
    if _fits(_plain(raw)):
        yield _plain(raw)
    digest = _FIRST_DIGEST
    while digest <= _LONGEST_DIGEST:
        yield _name(raw, digest)
        digest *= 2


def _name(raw: str, digest_length: int) -> str:
    plain = _plain(raw) or "property"
    if not digest_length:
        return plain
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:digest_length]
    return f"{plain[: max(LONGEST_NAME - 1 - len(digest), 1)].rstrip('_')}_{digest}"


def _plain(raw: str) -> str:
    """The valid name closest to a property's, of any length; different names may meet in it."""
    name = _NOT_ALLOWED.sub("_", raw.removeprefix("$").lower()).strip("_")
    if raw.startswith("$") and name:
        return f"mp_{name}"
    return f"n_{name}" if name[:1].isdigit() else name


def _fits(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME

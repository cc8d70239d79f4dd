"""What is wrong with a row, and Adobe's codes for it.

Documented codes: `INGEST-1401-400` and `INGEST-1555-400` (AdobeDocs/experience-platform.en
`help/ingestion/quality/error-diagnostics.md`). Adobe lists no codes for the other violations; the
`DCVS` ones used here are known only from a community thread (experienceleaguecommunities.adobe.com,
td-p/707786), so clients should show them and not act on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CORRUPT = "INGEST-1401-400"
MISSING = "INGEST-1555-400"
EMPTY = "DCVS-1101-400"
MISMATCH = "DCVS-1104-400"
CONSTRAINT = "DCVS-1105-400"
ENUM = "DCVS-1106-400"

DESCRIPTIONS = {
    CORRUPT: "The row has corrupted data and cannot be read or parsed.",
    MISSING: "A required field is either missing or has a value of null.",
    EMPTY: "A field has a null or empty value.",
    MISMATCH: "A field is not in the schema or has another type there.",
    CONSTRAINT: "A value breaks a format, pattern, length or range of the schema.",
    ENUM: "A value is not among those the schema allows.",
}


@dataclass(frozen=True)
class Violation:
    """One thing wrong with a row: `path` is dotted, `keyword` names the broken schema keyword."""

    code: str
    path: str
    keyword: str
    message: str


@dataclass
class Findings:
    """Collected while one row is checked; `coerced` tells that a value was converted."""

    violations: list[Violation] = field(default_factory=list)
    coerced: bool = False

    def mismatch(self, path: str, wanted: str, value: object) -> None:
        """Note a value of another type than `wanted`, or a null."""
        if value is None:
            self.add(EMPTY, path, "type", "null is not accepted; leave the field out")
        else:
            self.add(MISMATCH, path, "type", f"expected {wanted}, found {_type_name(value)}")

    def add(self, code: str, path: str, keyword: str, message: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(code, path, keyword, f"{path or 'row'}: {message}"))


def _type_name(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")

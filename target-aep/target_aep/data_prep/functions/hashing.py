"""Hashes: help/data-prep/functions.md, "Hashing functions".

All print as lower-case hexadecimal. The charset is UTF-8 unless given, and a character that it
does not have becomes `?`, as in Java, whose UTF-16 is big-endian behind a byte order mark.
"""

from __future__ import annotations

import codecs
import hashlib
import typing as t
import zlib

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category

if t.TYPE_CHECKING:
    from collections.abc import Callable

CATEGORY = Category("Hashing")

_CHARSETS = {"UTF8": "utf-8", "ISO88591": "latin-1", "USASCII": "ascii"}


@CATEGORY.define("sha1(INPUT: text, CHARSET: text?) -> text")
def sha1(text: str, charset: str | None = None) -> str:
    """SHA-1 of the text in the charset."""
    return hashlib.sha1(_encoded(text, charset), usedforsecurity=False).hexdigest()


@CATEGORY.define("sha256(INPUT: text, CHARSET: text?) -> text")
def sha256(text: str, charset: str | None = None) -> str:
    """SHA-256 of the text in the charset."""
    return hashlib.sha256(_encoded(text, charset)).hexdigest()


@CATEGORY.define("sha512(INPUT: text, CHARSET: text?) -> text")
def sha512(text: str, charset: str | None = None) -> str:
    """SHA-512 of the text in the charset."""
    return hashlib.sha512(_encoded(text, charset)).hexdigest()


@CATEGORY.define("md5(INPUT: text, CHARSET: text?) -> text")
def md5(text: str, charset: str | None = None) -> str:
    """MD5 of the text in the charset."""
    return hashlib.md5(_encoded(text, charset), usedforsecurity=False).hexdigest()


@CATEGORY.define("crc32(INPUT: text, CHARSET: text?) -> text")
def crc32(text: str, charset: str | None = None) -> str:
    """CRC-32 of the text in the charset, the least significant byte first, as Guava prints it."""
    return zlib.crc32(_encoded(text, charset)).to_bytes(4, "little").hex()


@CATEGORY.define(
    "hash(ALGORITHM: text, INPUT: text, CHARSET: text?) -> text",
    caveat="hash is documented for destinations only, without an example of what it gives",
)
def hash_with(algorithm: str, text: str, charset: str | None = None) -> str:
    """The hash whose name is given: md5, sha1, sha256, sha512 or crc32.

    It stands only in help/destinations/ui/data-transformations-calculated-fields.md.
    """
    compute = _ALGORITHMS.get(algorithm.lower().replace("-", ""))
    if compute is None:
        raise EvaluationError(f"hash: ALGORITHM is none of {', '.join(_ALGORITHMS)}")
    return compute(text, charset)


def _encoded(text: str, charset: str | None) -> bytes:
    if not charset:
        return text.encode("utf-8", "replace")
    name = charset.upper().replace("-", "").replace("_", "")
    if name == "UTF16":
        return codecs.BOM_UTF16_BE + text.encode("utf-16-be", "replace")
    if name not in _CHARSETS:
        raise EvaluationError("CHARSET is none of UTF-8, UTF-16, ISO-8859-1, US-ASCII")
    return text.encode(_CHARSETS[name], "replace")


_ALGORITHMS: dict[str, Callable[[str, str | None], str]] = {
    "md5": md5,
    "sha1": sha1,
    "sha256": sha256,
    "sha512": sha512,
    "crc32": crc32,
}

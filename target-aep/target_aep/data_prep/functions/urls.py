"""URL functions: help/data-prep/functions.md, "URL functions".

A URL is what RFC 3986 says, split as `java.net.URI` splits it; of any other text protocol, host,
port, path and query are null. Parts come as they are spelled: `get_url_decoded` decodes them.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.java_text import bounded

CATEGORY = Category("URL")

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    r"(?://(?:[^/?#@]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#:@\[\]]*)(?::(?P<port>\d{0,5}))?(?=[/?#]|$))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:\#(?P<anchor>.*))?",
    re.DOTALL | re.ASCII,
)
_NOT_IN_URL = re.compile(r'[\x00-\x20\x7f"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})')
_BAD_SEQUENCE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LARGEST_PORT = 65535

_PORTS = {
    "ftp": 21,
    "ssh": 22,
    "sftp": 22,
    "scp": 22,
    "telnet": 23,
    "smtp": 25,
    "gopher": 70,
    "http": 80,
    "ws": 80,
    "nntp": 119,
    "imap": 143,
    "ldap": 389,
    "https": 443,
    "wss": 443,
    "rtsp": 554,
    "ldaps": 636,
    "ftps": 990,
    "imaps": 993,
}


def _split(url: str) -> re.Match[str] | None:
    match = None if _NOT_IN_URL.search(url) else _URL.fullmatch(url)
    return None if match and int(match["port"] or 0) > _LARGEST_PORT else match


@CATEGORY.define("get_url_protocol(URL: text) -> text")
def get_url_protocol(url: str) -> str | None:
    """The scheme."""
    parts = _split(url)
    return parts["scheme"] if parts else None


@CATEGORY.define("get_url_host(URL: text) -> text")
def get_url_host(url: str) -> str | None:
    """The host, without user and port."""
    parts = _split(url)
    return (parts["host"] or None) if parts else None


@CATEGORY.define("get_url_port(URL: text) -> integer")
def get_url_port(url: str) -> int | None:
    """The port, or the one that the scheme is known for; null where there is none."""
    parts = _split(url)
    if not parts or not parts["host"]:
        return None
    return int(parts["port"]) if parts["port"] else _PORTS.get(parts["scheme"].lower())


@CATEGORY.define("get_url_path(URL: text, FULL_PATH: boolean?) -> text")
def get_url_path(url: str, full: bool | None = None) -> str | None:
    """The path; of one that is not to be full, what follows its last slash."""
    parts = _split(url)
    if not parts:
        return None
    path: str = parts["path"]
    return path.rpartition("/")[2] if full is False else path


@CATEGORY.define("get_url_query_str(URL: text, ANCHOR: text) -> object")
def get_url_query_str(url: str, anchor: str) -> dict[str, str] | None:
    """The parameters of the query by name; of a name that comes twice the last one.

    The anchor is kept as part of the last one (`retain`), dropped (`remove`), or has the name
    `_anchor_` (`append`).
    """
    if anchor not in ("retain", "remove", "append"):
        raise EvaluationError("get_url_query_str: ANCHOR is none of retain, remove, append")
    parts = _split(url)
    if not parts:
        return None
    query, fragment = parts["query"], parts["anchor"]
    if anchor == "retain" and query and fragment is not None:
        query = f"{query}#{fragment}"
    pairs = [pair.partition("=") for pair in (query or "").split("&") if pair]
    values = {name: value for name, _, value in pairs}
    if anchor == "append" and fragment is not None:
        values["_anchor_"] = fragment
    return values


@CATEGORY.define("get_url_encoded(URL: text) -> text")
def get_url_encoded(url: str) -> str:
    """Percent-encode all but letters and digits of ASCII, `-`, `_` and `.`, as UTF-8."""
    return bounded(quote(url, safe="", errors="replace").replace("~", "%7E"))


@CATEGORY.define("get_url_decoded(URL: text) -> text")
def get_url_decoded(url: str) -> str:
    """Decode percent sequences as UTF-8, and `+` as a space, as `java.net.URLDecoder` does."""
    if _BAD_SEQUENCE.search(url):
        raise EvaluationError("get_url_decoded: % is not followed by two hexadecimal digits")
    plain = url.replace("+", " ").encode("utf-8", "replace")
    return unquote_to_bytes(plain).decode("utf-8", "replace")

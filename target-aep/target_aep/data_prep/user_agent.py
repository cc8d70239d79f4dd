"""User agents, read by `ua-parser` and named as Yauaa names them, which Adobe uses.

Yauaa (github.com/nielsbasjes/yauaa) calls what it does not know `Unknown`, a version `??`. What it
calls `Windows NT` it calls `Windows` before a version.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from functools import lru_cache

import ua_parser

_UNKNOWN, _UNKNOWN_VERSION = "Unknown", "??"
_LONGEST = 2048

_AGENTS = {
    "Mobile Safari": "Safari",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome Webview",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
    "Opera Mini": "Opera Mini",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "Samsung Internet": "SamsungBrowser",
    "Yandex Browser": "Yandex Browser",
    "UC Browser": "UCBrowser",
    "HeadlessChrome": "HeadlessChrome",
}
_SYSTEMS = {"Mac OS X": "Mac OS", "Windows": "Windows NT", "iPadOS": "iOS"}
_WINDOWS_VERSIONS = {"10": "10.0", "11": "11.0"}

_PHONE_SYSTEMS = frozenset({"iOS", "Android", "Windows Phone", "BlackBerry OS", "KaiOS", "Symbian"})
_DESKTOP_SYSTEMS = frozenset(
    {"Windows NT", "Mac OS", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD"}
)
_ROBOT = re.compile(
    r"bot\b|crawl|spider|slurp|[+]https?://|^(?:curl|wget|python|java|go)\b", re.IGNORECASE
)
_CLASSES: t.Final = (
    (re.compile(r"Xbox|PlayStation [345]|Nintendo (?:Wii|Switch)", re.IGNORECASE), "Game Console"),
    (
        re.compile(r"Vita|PlayStation Portable|Nintendo 3?DS"),
        "Handheld Game Console",
    ),
    (re.compile(r"OculusBrowser|Quest", re.IGNORECASE), "Virtual Reality"),
    (re.compile(r"Kindle/|\bKobo\b|eReader", re.IGNORECASE), "eReader"),
    (re.compile(r"Apple ?TV|AFT[A-Z]|Roku|CrKey|set-top", re.IGNORECASE), "Set-top box"),
    (re.compile(r"smart-?tv|\bTV\b|GoogleTV|HbbTV|NetCast|Web0S|BRAVIA", re.IGNORECASE), "TV"),
    (re.compile(r"Watch", re.IGNORECASE), "Watch"),
    (re.compile(r"iPad|Tablet|Silk/|Nexus (?:7|9|10)\b|\bKF[A-Z]{2,4}\b", re.IGNORECASE), "Tablet"),
    (re.compile(r"iPhone|iPod|Windows Phone|Mobile", re.IGNORECASE), "Phone"),
)


@dataclass(frozen=True)
class UserAgent:
    """What a user agent says of itself, in Yauaa's names.

    Attributes:
        os_name: The operating system.
        os_label: What stands for it before its version.
        os_version: The version of it.
        agent_name: The browser.
        agent_version: The version of that.
        device_class: Desktop, Phone, Tablet and so on.
    """

    os_name: str
    os_label: str
    os_version: str
    agent_name: str
    agent_version: str
    device_class: str


@lru_cache(maxsize=4096)
def read_user_agent(text: str) -> UserAgent:
    """Read a user agent; of a very long one only the beginning."""
    result = ua_parser.parse(text[:_LONGEST])
    os_name, os_version = _system(result.os)
    agent = result.user_agent
    return UserAgent(
        os_name=os_name,
        os_label=os_name.removesuffix(" NT"),
        os_version=os_version,
        agent_name=_AGENTS.get(agent.family, agent.family) if agent else _UNKNOWN,
        agent_version=_version(agent),
        device_class=_device_class(text[:_LONGEST], os_name),
    )


def _system(system: ua_parser.OS | None) -> tuple[str, str]:
    if system is None:
        return _UNKNOWN, _UNKNOWN_VERSION
    name, version = _SYSTEMS.get(system.family, system.family), _version(system)
    return name, _WINDOWS_VERSIONS.get(version, version) if system.family == "Windows" else version


def _version(part: ua_parser.OS | ua_parser.UserAgent | None) -> str:
    if part is None:
        return _UNKNOWN_VERSION
    numbers = (part.major, part.minor, part.patch, part.patch_minor)
    return ".".join(number for number in numbers if number) or _UNKNOWN_VERSION


def _device_class(text: str, system: str) -> str:
    if _ROBOT.search(text):
        return "Robot Mobile" if "Mobile" in text else "Robot"
    for pattern, name in _CLASSES:
        if pattern.search(text):
            return name
    if system == "Android":  # without "Mobile" it is no phone
        return "Tablet"
    if system in _DESKTOP_SYSTEMS:
        return "Desktop"
    return "Phone" if system in _PHONE_SYSTEMS else _UNKNOWN

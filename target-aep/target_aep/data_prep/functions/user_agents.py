"""User agent functions: help/data-prep/functions.md, "User agent functions"."""

from __future__ import annotations

import typing as t

from target_aep.data_prep.functions.definition import Category

if t.TYPE_CHECKING:
    from target_aep.data_prep.user_agent import UserAgent

CATEGORY = Category("User agent")

_CAVEAT = (
    "{} is computed by ua-parser where Adobe uses Yauaa: common browsers and systems get the same "
    "names, rare ones and device classes may differ"
)


@CATEGORY.define("ua_os_name(USER_AGENT: text) -> text", caveat=_CAVEAT.format("ua_os_name"))
def ua_os_name(text: str) -> str:
    """The name of the operating system."""
    return _read(text).os_name


@CATEGORY.define(
    "ua_os_version_major(USER_AGENT: text) -> text",
    caveat=_CAVEAT.format("ua_os_version_major"),
)
def ua_os_version_major(text: str) -> str:
    """The name of the operating system and the first number of its version."""
    agent = _read(text)
    return f"{agent.os_label} {_major(agent.os_version)}"


@CATEGORY.define("ua_os_version(USER_AGENT: text) -> text", caveat=_CAVEAT.format("ua_os_version"))
def ua_os_version(text: str) -> str:
    """The version of the operating system."""
    return _read(text).os_version


@CATEGORY.define(
    "ua_os_name_version(USER_AGENT: text) -> text", caveat=_CAVEAT.format("ua_os_name_version")
)
def ua_os_name_version(text: str) -> str:
    """The name and version of the operating system."""
    agent = _read(text)
    return f"{agent.os_label} {agent.os_version}"


@CATEGORY.define(
    "ua_agent_version(USER_AGENT: text) -> text", caveat=_CAVEAT.format("ua_agent_version")
)
def ua_agent_version(text: str) -> str:
    """The version of the browser."""
    return _read(text).agent_version


@CATEGORY.define(
    "ua_agent_version_major(USER_AGENT: text) -> text",
    caveat=_CAVEAT.format("ua_agent_version_major"),
)
def ua_agent_version_major(text: str) -> str:
    """The name of the browser and the first number of its version."""
    agent = _read(text)
    return f"{agent.agent_name} {_major(agent.agent_version)}"


@CATEGORY.define("ua_agent_name(USER_AGENT: text) -> text", caveat=_CAVEAT.format("ua_agent_name"))
def ua_agent_name(text: str) -> str:
    """The name of the browser."""
    return _read(text).agent_name


@CATEGORY.define(
    "ua_device_class(USER_AGENT: text) -> text", caveat=_CAVEAT.format("ua_device_class")
)
def ua_device_class(text: str) -> str:
    """The class of the device, as Yauaa calls it: Desktop, Phone, Tablet and so on."""
    return _read(text).device_class


def _major(version: str) -> str:
    return version.partition(".")[0]


def _read(text: str) -> UserAgent:
    # ua-parser brings thousands of regular expressions along.
    from target_aep.data_prep.user_agent import read_user_agent  # noqa: PLC0415

    return read_user_agent(text)

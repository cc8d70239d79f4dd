"""What can be wrong with ``stream_maps``, each as one line.

The SDK passes over names that are not there, and an expression that fails on an event ends a run
with a traceback, and with values of the event in it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.exceptions import MappingError
from singer_sdk.mapper import MAPPER_SOURCE_OPTION, NULL_STRING, CustomStreamMap

from tap_mixpanel_export.bookmark_json import STREAM
from tap_mixpanel_export.errors import SettingsError, StreamMapError

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection, Iterator

    from singer_sdk.mapper import PluginMapper

_OF_THE_SDK = "__"  # what the SDK's own options begin with


def one_line(text: object) -> str:
    """Return a text without its line breaks."""
    return " ".join(str(text).split())


def unknown_streams(maps: Mapping[str, Any]) -> list[str]:
    """Return a line for each stream map that would map nothing."""
    sources = (
        each.get(MAPPER_SOURCE_OPTION, name) if isinstance(each, Mapping) else name
        for name, each in maps.items()
        if not name.startswith(_OF_THE_SDK)
    )
    return [
        f"stream_maps: no stream is called {source!r}; this tap's only stream is {STREAM}"
        for source in sources
        if not fnmatch.fnmatch(STREAM, str(source))
    ]


def unknown_columns(maps: Mapping[str, Any], columns: Collection[str]) -> list[str]:
    """Return a line for each name that is to be taken out and is no column.

    Args:
        maps: The setting ``stream_maps``.
        columns: The stream's columns.
    """
    return [
        f"stream_maps.{stream}: there is no column {name!r} to take out; "
        "exclude_properties takes properties out"
        for stream, each in maps.items()
        if isinstance(each, Mapping)
        for name, value in each.items()
        if (value is None or value == NULL_STRING)
        and not name.startswith(_OF_THE_SDK)
        and name not in columns
    ]


@contextmanager
def setting_up() -> Iterator[None]:
    """Have the SDK read the setting.

    Raises:
        SettingsError: It cannot, for a reason that it has no error of its own for.
        MappingError: It cannot, and says why.
    """
    try:
        yield
    except MappingError:
        raise
    except Exception as error:  # noqa: BLE001 - the SDK looks at little of it before
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise SettingsError(f"stream_maps: cannot be set up ({reason})") from None


def tell_failures(mapper: PluginMapper) -> None:
    """Let each expression that fails on an event end the run with one line."""
    for stream_map in (each for maps in mapper.stream_maps.values() for each in maps):
        if isinstance(stream_map, CustomStreamMap):
            told = _ToldEvaluator(stream_map.expr_evaluator)
            stream_map.expr_evaluator = cast("Any", told)


class _ToldEvaluator:
    """Stands for an evaluator of the SDK, as far as ``CustomStreamMap._eval`` uses one."""

    def __init__(self, evaluator: Any) -> None:
        self._evaluator = evaluator
        self.names: dict[str, Any] = {}

    def eval(self, expr: str, previously_parsed: ast.AST | None = None) -> Any:
        """Evaluate an expression on the event that ``names`` holds.

        Raises:
            StreamMapError: It failed.
        """
        self._evaluator.names = self.names
        try:
            return self._evaluator.eval(expr, previously_parsed=previously_parsed)
        except Exception as error:  # noqa: BLE001 - an expression may do anything
            # Of the error its class only: its text may hold values of the event.
            raise StreamMapError(
                f"stream_maps: the expression {one_line(expr)} failed on the event with event_id "
                f"{self.names['record'].get('event_id')}: {type(error).__name__}; mend it so that "
                "it holds for every event"
            ) from None

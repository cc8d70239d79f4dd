"""The SDK's stream maps, whose mistakes are told in one line and without values of records."""

from __future__ import annotations

import typing as t

from singer_sdk.exceptions import MapExpressionError, MappingError, StreamMapConfigError
from singer_sdk.mapper import CustomStreamMap, PluginMapper
from typing_extensions import override

if t.TYPE_CHECKING:
    import ast
    from collections.abc import Sequence


class ToldMapper(PluginMapper):
    """A mapper of the SDK that says which setting is at fault."""

    @override
    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, t.Any], key_properties: Sequence[str] | None
    ) -> None:
        """Register a stream.

        Raises:
            StreamMapConfigError: The setting can't be used with the stream.
        """
        try:
            super().register_raw_stream_schema(stream_name, schema, key_properties)
        except MappingError as error:
            raise StreamMapConfigError(f"stream_maps: {error}") from error
        except Exception as error:  # the SDK looks at little of it before
            raise StreamMapConfigError(
                f"stream_maps: can't be used for the stream {stream_name!r} "
                f"({type(error).__name__}: {error})"
            ) from error
        for stream_map in self.stream_maps[stream_name]:
            if isinstance(stream_map, CustomStreamMap):
                evaluator: t.Any = stream_map.expr_evaluator
                if not isinstance(evaluator, _ToldEvaluator):
                    stream_map.expr_evaluator = t.cast("t.Any", _ToldEvaluator(evaluator))


class _ToldEvaluator:
    """Stands for an evaluator of the SDK, as far as `CustomStreamMap._eval` uses one."""

    def __init__(self, evaluator: t.Any) -> None:
        self._evaluator = evaluator
        self.names: dict[str, t.Any] = {}

    def eval(self, expr: str, previously_parsed: ast.AST | None = None) -> t.Any:
        """Evaluate an expression on the record that `names` holds.

        Raises:
            MapExpressionError: It failed.
        """
        self._evaluator.names = self.names
        try:
            return self._evaluator.eval(expr, previously_parsed=previously_parsed)
        except Exception as error:  # noqa: BLE001 - an expression may do anything
            # Of the error its class only: its text may hold values of the record.
            raise MapExpressionError(
                f"stream_maps: the expression {expr} failed on the record: "
                f"{type(error).__name__}; mend it so that it holds for every record"
            ) from None

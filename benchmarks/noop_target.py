"""`python -m benchmarks.noop_target`: the SDK's target as it comes, with a sink that does nothing.

It is what any target made with the SDK costs before it has done a thing.
"""

from __future__ import annotations

from typing import Any, ClassVar

from singer_sdk import Target
from singer_sdk.sinks import BatchSink


class NoopSink(BatchSink):
    """Collects batches of 10,000 records and forgets them."""

    max_size = 10_000

    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing."""


class NoopTarget(Target):
    """Reads, validates, forgets."""

    name = "target-noop"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    default_sink_class = NoopSink


if __name__ == "__main__":
    NoopTarget.cli()

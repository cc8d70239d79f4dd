"""Charts of a report: memory over time, and the cost of an event against how many there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.growth import Growth

_SIZE = (8, 4.5)
_FORMATS = ("png", "svg")


def draw_charts(growths: Sequence[Growth], folder: Path) -> list[Path]:
    """Draw both charts as PNG and SVG.

    Args:
        growths: Contestants at several sizes.
        folder: Where they go; made if it is not there.

    Returns:
        The files.
    """
    # Imported here: it takes longer than a small measurement, and a lot of memory.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    return [
        *_save(_memory_over_time(growths), folder / "memory-over-time"),
        *_save(_cost_against_size(growths), folder / "cost-against-size"),
    ]


def _memory_over_time(growths: Sequence[Growth]) -> Any:
    """A line for each contestant, of its run with the most events."""
    figure, axes = _figure()
    for growth in growths:
        if not growth.results:
            continue
        result = growth.results[-1]
        usage = result.runs[-1].usage
        axes.plot(usage.times, usage.memory, label=f"{growth.name}, {result.events:,} events")
    axes.set(xlabel="seconds", ylabel="memory of all processes, MiB", title="Memory over time")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


def _cost_against_size(growths: Sequence[Growth]) -> Any:
    """CPU of a million events at each size, with start-up and without."""
    figure, axes = _figure()
    for growth in growths:
        sizes = [result.events for result in growth.results]
        costs = [math.nan if result.cost is None else result.cost for result in growth.results]
        (line,) = axes.plot(sizes, costs, marker="o", label=growth.name)
        whole = [result.whole_cost for result in growth.results]
        axes.plot(sizes, whole, color=line.get_color(), linestyle=":", marker=".")
    axes.set(
        xlabel="events",
        ylabel="CPU seconds per million events",
        title="Cost of an event (dotted: start-up included)",
        xscale="log",
    )
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - see draw_charts

    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _save(figure: Any, path: Path) -> list[Path]:
    files = [path.with_suffix(f".{form}") for form in _FORMATS]
    for file in files:
        figure.savefig(file)
    return files

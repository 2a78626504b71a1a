"""Speed against wrong words, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import tools
from tests.benchmarks.speed import Point

#: Ours stand out; the others are told by their labels.
OURS, OTHERS = "#c2410c", "#475569"

#: Where a label may stand, in points above its own.
PLACES = (5, -13, 19, -27, 33)


def draw(points: Sequence[Point], to: Path) -> None:
    """Write the picture in the format that the file's name asks for."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    mine = {tools.OURS, tools.OURS_FULL, tools.PRODUCT}
    for point in points:
        colour = OURS if point.tool in mine else OTHERS
        axes.scatter(point.speed, point.wer, color=colour, zorder=3)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.15 * max(point.wer for point in points))
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="x", which="both", labelsize=8)
    axes.set_xlabel("seconds of speech transcribed in a second (further right is faster)")
    axes.set_ylabel("wrong words, % (lower is better)")
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _label(axes, points, mine)
    figure.savefig(to, dpi=150)
    plt.close(figure)


def _label(axes: Any, points: Sequence[Point], mine: set[str]) -> None:
    """Each point's tool beside it, where no other label is."""
    figure = axes.figure
    figure.draw_without_rendering()
    taken: list[Any] = []
    for point in sorted(points, key=lambda one: one.speed):
        for below in PLACES:
            label = axes.annotate(
                point.tool,
                (point.speed, point.wer),
                xytext=(6, below),
                textcoords="offset points",
                color=OURS if point.tool in mine else OTHERS,
                fontsize=9,
            )
            box = label.get_window_extent(figure.canvas.get_renderer())
            if not any(box.overlaps(other) for other in taken) or below == PLACES[-1]:
                taken.append(box)
                break
            label.remove()

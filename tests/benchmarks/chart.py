"""Speed against wrong words, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import tools
from tests.benchmarks.speed import Point

#: Ours stand out; the others are told by their labels.
OURS, OTHERS = "#c2410c", "#475569"


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
        axes.annotate(
            point.tool,
            (point.speed, point.wer),
            xytext=(6, 5),
            textcoords="offset points",
            color=colour,
            fontsize=9,
        )
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="x", which="both", labelsize=8)
    axes.set_xlabel("seconds of speech transcribed in a second (further right is faster)")
    axes.set_ylabel("wrong words, % (lower is better)")
    axes.grid(alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(to, dpi=150)
    plt.close(figure)

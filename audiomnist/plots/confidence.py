"""Figures of how sure a model is: when it should answer, and whether it is calibrated.

Owns the figures of what `evaluation.rejection` derives; their look is from `style`.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from audiomnist.plots.style import FONT_SIZE, Style, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patheffects import AbstractPathEffect

_HEIGHT = 3.8  # inches
_LINE_HEIGHT = 0.2  # inches, of a legend above the axes
# A model that answers fewer digits than this is of little use, and what it would do
# there takes the room of what matters.
_LEAST_COVERAGE = 50.0  # percent
_LABEL_ROOM = 5.0  # percent, for the number at the left of a mark
_BAND_ALPHA = 0.18


def plot_coverage(curve: "pd.DataFrame", threshold: float, *, style: Style) -> "Figure":
    """Draw what thresholds cost: right and false answers against the coverage.

    Parameters
    ----------
    curve
        Of `rejection.coverage_curve`. Without other words, only right answers are
        drawn. Thresholds at which fewer than half of the digits are answered are left
        out if the marked one is far from there.
    threshold
        The model's own. It is marked at the row that has it, or the next higher one;
        not at all if there is none.
    style
        Colours.
    """
    from matplotlib.ticker import MaxNLocator

    percent = 100 * curve.drop(columns="threshold")
    lines = {
        name: line
        for name, line in {
            "accuracy": ("right, of the digits answered", style.accent, "-"),
            "false_answers": ("other words answered", style.second, "--"),
        }.items()
        if percent[name].notna().any()
    }
    figure, axes = new_figure(style, height=_HEIGHT)
    for name, (label, colour, dashes) in lines.items():
        x, y = percent["coverage"], percent[name]
        low, high = percent[f"{name}_low"], percent[f"{name}_high"]
        axes.fill_between(x, low, high, color=colour, alpha=_BAND_ALPHA, linewidth=0)
        axes.plot(x, y, dashes, color=colour, linewidth=2, label=label)
    marked = percent[curve["threshold"] >= threshold].head(1)
    is_far = marked["coverage"].min() > _LEAST_COVERAGE + _LABEL_ROOM
    left = _LEAST_COVERAGE if is_far else 0.0
    for row in marked.to_dict("records"):
        axes.axvline(
            row["coverage"],
            color=style.foreground,
            linewidth=1.2,
            linestyle=":",
            label=f"this model, which answers if at least {100 * threshold:.0f} % sure",
        )
        for name, (_, colour, _) in lines.items():
            if not math.isnan(row[name]):
                # The curves come from the upper and the lower left: beside them.
                dy = -13 if name == "accuracy" else 5
                dx = -7 if row["coverage"] > left + _LABEL_ROOM else 7
                _mark(axes, row["coverage"], row[name], (dx, dy), colour, style)
    # Right answers alone are all near the top: then the lower part may be left out.
    lowest = percent["accuracy_low"][percent["coverage"] >= left].min()
    lowest = lowest if list(lines) == ["accuracy"] else 0.0
    bottom = max(0.0, 10 * math.floor((lowest - 2) / 10))
    axes.set_xlim(left, 100 + (100 - left) / 60)
    axes.set_ylim(bottom, 100 + (100 - bottom) / 30)
    axes.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))
    axes.set_xlabel("digits answered (%)")
    axes.set_ylabel("share (%), with 95 % interval")
    _name_lines(figure, axes, style)
    return figure


def _mark(
    axes: "Axes",
    x: float,
    y: float,
    offset: tuple[int, int],
    colour: str,
    style: Style,
) -> None:
    """Mark a point with its percentage, by an offset in points."""
    axes.plot(x, y, "o", color=colour, markersize=7)
    axes.annotate(
        f"{y:.1f}\N{NO-BREAK SPACE}%",
        (x, y),
        xytext=offset,
        textcoords="offset points",
        ha="right" if offset[0] < 0 else "left",
        color=style.foreground,
        fontsize=FONT_SIZE,
    )


def plot_reliability(table: "pd.DataFrame", ece: float, *, style: Style) -> "Figure":
    """Draw how often a model is right against how sure it is.

    Parameters
    ----------
    table
        Of `rejection.calibration`. Under each bin's interval stands how many clips it
        holds.
    ece
        The expected calibration error, in [0, 1]; NaN where there is none.
    style
        Colours.
    """
    figure, axes = new_figure(style, height=_HEIGHT)
    percent = 100 * table[["confidence", "accuracy", "low", "high"]]
    sure = percent["confidence"].to_numpy()
    axes.plot(
        (0, 100),
        (0, 100),
        "--",
        color=style.second,
        linewidth=1.5,
        label="right as often as it is sure",
    )
    low, high = percent["low"], percent["high"]
    axes.vlines(sure, low, high, color=style.muted, linewidth=3, zorder=2)
    axes.plot(
        sure,
        percent["accuracy"],
        "o",
        color=style.accent,
        markersize=6,
        zorder=3,
        label="this model, with 95 % interval and number of clips",
    )
    if not math.isnan(ece):
        axes.plot(
            [],
            [],
            " ",
            label=f"expected calibration error: {100 * ece:.1f}\N{NO-BREAK SPACE}%",
        )
    _count_clips(axes, sure, low.to_numpy(), table["n"].to_numpy(), style)
    _name_sides(axes, style)
    axes.set_xlim(0, 102)
    axes.set_ylim(-9, 103)
    axes.set_xticks(np.arange(0, 101, 20))
    axes.set_yticks(np.arange(0, 101, 20))
    axes.set_xlabel("how sure it is (%)")
    axes.set_ylabel("how often it is right (%)")
    _name_lines(figure, axes, style)
    return figure


def _count_clips(
    axes: "Axes", x: np.ndarray, low: np.ndarray, n: np.ndarray, style: Style
) -> None:
    """Write under each interval how many clips its bin holds, each (n_bins,)."""
    for place, bottom, count in zip(x, low, n, strict=True):
        axes.annotate(
            f"{count:,}",
            (place, bottom),
            xytext=(0, -4),
            textcoords="offset points",
            ha="center",
            va="top",
            color=style.foreground,
            fontsize=FONT_SIZE - 2,
            path_effects=[_halo(style)],
        )


def _name_sides(axes: "Axes", style: Style) -> None:
    """Say on which side of the diagonal a model is too sure."""
    for x, y, words in ((22, 95, "too unsure"), (98, 4, "too sure")):
        axes.text(
            x,
            y,
            words,
            ha="left" if x < y else "right",
            color=style.foreground,
            fontsize=FONT_SIZE - 1,
            fontstyle="italic",
            path_effects=[_halo(style)],
        )


def _halo(style: Style) -> "AbstractPathEffect":
    """A rim in the background's colour, so that text is legible on lines."""
    from matplotlib.patheffects import withStroke

    return withStroke(linewidth=2.5, foreground=style.background)


def _name_lines(figure: "Figure", axes: "Axes", style: Style) -> None:
    """Name the lines above the axes, where they hide nothing."""
    labels = axes.get_legend_handles_labels()[1]
    room = _LINE_HEIGHT * len(labels) + 0.12
    figure.subplots_adjust(top=1 - room / _HEIGHT)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        frameon=False,
        borderaxespad=0.2,
        labelspacing=0.25,
        fontsize=FONT_SIZE - 1,
        labelcolor=style.foreground,
    )

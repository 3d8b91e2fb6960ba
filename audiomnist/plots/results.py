"""Figures of answers: probabilities, a confusion matrix, accuracy by speaker.

Owns these pictures alone; their look is from `style`.
"""

from typing import TYPE_CHECKING

import numpy as np

from audiomnist.digits import N_DIGITS
from audiomnist.plots.style import FONT_SIZE, Style, new_figure
from audiomnist.plots.text import labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_NEARLY_ALL = 99.9  # percent

_MAX_SPEAKERS = 40

_BARS_HEIGHT = 2.3  # inches
_BELOW_TWO_LINES = 0.68  # inches under the axes: names of two lines, and the label
_LABEL_HEIGHT = 14.0  # percent, of the number above a bar

# Shares of mistakes up to this one are drawn on the same scale, so that a model with
# one mistake does not look like one with fifty.
_LEAST_MISTAKE_SCALE = 0.2


def plot_probabilities(
    values: np.ndarray, *, style: Style, threshold: float | None = None
) -> "Figure":
    """Draw the probabilities of the digits, and of none, the likeliest marked.

    Parameters
    ----------
    values
        Probabilities, in [0, 1], shape (10,); or (11,), the last that the word is not a
        digit.
    style
        Colours.
    threshold
        Draws the probability from which on the model answers with a digit.
    """
    percent = 100 * np.asarray(values, dtype=np.float64)
    figure, axes = new_figure(style, height=_BARS_HEIGHT, grid="y")
    if len(percent) > N_DIGITS:
        figure.subplots_adjust(bottom=_BELOW_TWO_LINES / _BARS_HEIGHT)
    best = int(percent[:N_DIGITS].argmax())
    is_sure = threshold is None or percent[best] >= 100 * threshold
    marked = {best: style.accent if is_sure else style.second}
    if percent.argmax() == N_DIGITS:
        marked = {N_DIGITS: style.second}
    colours = [marked.get(i, style.muted) for i in range(len(percent))]
    axes.bar(np.arange(len(percent)), percent, color=colours, width=0.72)
    line = 0.0
    if threshold is not None:
        line = 100 * threshold
        axes.plot(
            [-0.5, N_DIGITS - 0.5], [line] * 2, "--", color=style.second, linewidth=1
        )
    for i in marked:
        height = percent[i]
        if i < N_DIGITS and line - _LABEL_HEIGHT < height < line:
            height = line  # the number would lie on the line
        axes.annotate(
            percent_text(percent[i] / 100),
            (i, height),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=style.foreground,
            fontsize=FONT_SIZE,
        )
    axes.set_ylim(0, 114)
    axes.set_yticks([0, 25, 50, 75, 100])
    names = [*map(str, range(N_DIGITS)), "not a\ndigit"]
    axes.set_xticks(np.arange(len(percent)), names[: len(percent)])
    is_bare = threshold is None
    axes.set_xlabel(
        "digit" if is_bare else "digit (dashed: the threshold, from which it answers)"
    )
    axes.set_ylabel("probability (%)")
    return figure


def percent_text(probability: float) -> str:
    """A probability in whole percent, in tenths close to none and all, never all."""
    value = 100 * probability
    if value >= _NEARLY_ALL:
        return f"> {_NEARLY_ALL:.1f}\N{NO-BREAK SPACE}%"
    digits = 0 if 1 <= value <= 99 else 1
    return f"{value:.{digits}f}\N{NO-BREAK SPACE}%"


def plot_confusion(matrix: np.ndarray, *, style: Style) -> "Figure":
    """Draw a confusion matrix of shape (10, 11): spoken by predicted digit.

    Numbers are clips. Right answers and mistakes have a colour each, by their share of
    the row; the column without an answer is there when something is in it.
    """
    import seaborn

    has_silence = matrix[:, 10].any()
    counts = matrix if has_silence else matrix[:, :10]
    share = counts / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    is_right = np.eye(*counts.shape) > 0
    numbers = np.where(counts > 0, counts.astype(str), "")
    figure, axes = new_figure(style, height=4.9, grid="")
    mistakes = float(share[~is_right].max())
    for colour, mask, vmax in (
        (style.accent, ~is_right, 1.0),
        (style.second, is_right, max(_LEAST_MISTAKE_SCALE, mistakes)),
    ):
        seaborn.heatmap(
            share,
            ax=axes,
            mask=mask,
            cmap=style.shades(colour),
            vmin=0,
            vmax=vmax,
            annot=numbers,
            fmt="",
            annot_kws={"fontsize": FONT_SIZE - 1},
            linewidths=1.5,
            linecolor=style.background,
            cbar=False,
            square=True,
            xticklabels=[*map(str, range(10)), *(["none"] if has_silence else [])],
            yticklabels=[str(digit) for digit in range(10)],
        )
    axes.tick_params(length=0, labelrotation=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("predicted digit")
    axes.set_ylabel("spoken digit")
    return figure


def plot_speaker_accuracy(table: "pd.DataFrame", *, style: Style) -> "Figure":
    """Draw the accuracy of each speaker with its interval, the lowest first.

    Parameters
    ----------
    table
        Of `Evaluation.per_speaker`. Of many speakers, those of lowest accuracy are
        drawn.
    style
        Colours.
    """
    rows = table.sort_values(["accuracy", "speaker"]).head(_MAX_SPEAKERS)
    height = 0.9 + 0.24 * max(2, len(rows))
    figure, axes = new_figure(style, height=height, grid="x", has_long_labels=True)
    accuracy = 100 * rows["accuracy"].to_numpy()
    place = np.arange(len(rows))
    axes.hlines(
        place,
        100 * rows["low"].to_numpy(),
        100 * rows["high"].to_numpy(),
        color=style.muted,
        linewidth=3,
    )
    axes.plot(accuracy, place, "o", color=style.accent, markersize=6)
    names = labels(list(rows["speaker"]))
    axes.set_yticks(place, names.texts, **names.options)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    lowest = float(100 * rows["low"].min()) if len(rows) else 0.0
    axes.set_xlim(max(0.0, min(lowest - 3, 90)), 100.5)
    axes.set_xlabel("accuracy (%), with 95 % interval")
    n_hidden = len(table) - len(rows)
    axes.set_ylabel(f"speaker (without the {n_hidden} best)" if n_hidden else "speaker")
    return figure

"""Results in, figures out: the pictures of the pages and of the README.

Owns how results look: an answer, a confusion matrix, speakers, a training. The look
itself and the pictures of sound are from `sound_plots`, those of a model's confidence
from `confidence_plots`. Where figures are shown is for the pages.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from audiomnist.confidence_plots import coverage, reliability
from audiomnist.recognition.calibration import is_none_of_these
from audiomnist.sound_plots import (
    FONT_SIZE,
    Style,
    feature_image,
    new_figure,
    spectrogram,
    waveform,
)
from audiomnist.training.history import EpochMetrics, best_epoch

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = [
    "LearningCurves",
    "Style",
    "confusion",
    "coverage",
    "feature_image",
    "learning_curves",
    "percent_text",
    "probabilities",
    "reliability",
    "speaker_accuracy",
    "spectrogram",
    "waveform",
]

_MAX_SPEAKERS = 40
_CURVE_HEIGHT = 280  # pixels
_NEARLY_ALL = 99.9  # percent
_LABEL_HEIGHT = 14.0  # percent, of the number above a bar
# Shares of mistakes up to this one are drawn on the same scale, so that a model with
# one mistake does not look like one with fifty.
_LEAST_MISTAKE_SCALE = 0.2


def probabilities(
    values: np.ndarray, *, style: Style, threshold: float | None = None
) -> "Figure":
    """Draw the probability of each digit, shape (10,), the likeliest marked.

    Parameters
    ----------
    values
        Probabilities, in [0, 1].
    style
        Colours.
    threshold
        Draws the probability from which on the model answers.
    """
    figure, axes = new_figure(style, height=2.3, grid="y")
    percent = 100 * np.asarray(values, dtype=np.float64)
    best = int(percent.argmax())
    is_sure = threshold is None or percent[best] >= 100 * threshold
    stands_out = is_sure or not is_none_of_these(values)
    colours = [style.muted] * len(percent)
    if stands_out:
        colours[best] = style.accent if is_sure else style.second
    axes.bar(np.arange(len(percent)), percent, color=colours, width=0.72)
    top = percent[best]
    if threshold is not None:
        line = 100 * threshold
        axes.axhline(line, color=style.second, linewidth=1, linestyle="--")
        if line - _LABEL_HEIGHT < top < line:
            top = line  # the number would lie on the line
    if stands_out:
        axes.annotate(
            percent_text(percent[best] / 100),
            (best, top),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=style.foreground,
            fontsize=FONT_SIZE,
        )
    axes.set_ylim(0, 114)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_xticks(np.arange(len(percent)))
    is_bare = threshold is None
    axes.set_xlabel("digit" if is_bare else "digit (dashed: from here on it answers)")
    axes.set_ylabel("probability (%)")
    return figure


def percent_text(probability: float) -> str:
    """A probability in whole percent, in tenths close to none and all, never all."""
    value = 100 * probability
    if value >= _NEARLY_ALL:
        return f"> {_NEARLY_ALL:.1f} %"
    return f"{value:.0f} %" if 1 <= value <= 99 else f"{value:.1f} %"


def confusion(matrix: np.ndarray, *, style: Style) -> "Figure":
    """Draw a confusion matrix of shape (10, 11): row said, column heard.

    Numbers are clips. Right answers and mistakes have a colour each, by their share of
    the row; the column without an answer is there when something is in it.
    """
    import seaborn

    has_silence = matrix[:, 10].any()
    counts = matrix if has_silence else matrix[:, :10]
    share = counts / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    is_right = np.eye(*counts.shape) > 0
    labels = np.where(counts > 0, counts.astype(str), "")
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
            annot=labels,
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
    axes.set_xlabel("digit heard")
    axes.set_ylabel("digit said")
    return figure


def speaker_accuracy(table: "pd.DataFrame", *, style: Style) -> "Figure":
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
    axes.set_yticks(place, list(rows["speaker"]))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    lowest = float(100 * rows["low"].min()) if len(rows) else 0.0
    axes.set_xlim(max(0.0, min(lowest - 3, 90)), 100.5)
    axes.set_xlabel("accuracy (%), with 95 % interval")
    n_hidden = len(table) - len(rows)
    axes.set_ylabel(f"speaker (without the {n_hidden} best)" if n_hidden else "speaker")
    return figure


class LearningCurves(NamedTuple):
    """Vega-Lite charts of one training, each as wide as the place where it is shown.

    They are written as they are drawn, by the browser: a page that follows a training
    makes them every second.
    """

    loss: dict[str, Any]
    accuracy: dict[str, Any]


def learning_curves(history: Sequence[EpochMetrics], *, style: Style) -> LearningCurves:
    """Chart loss and accuracy of training and validation over the epochs.

    The epoch of lowest validation loss, whose weights are kept, is marked as soon as
    there is another one.
    """
    return LearningCurves(
        _learning_curve(history, "loss", style),
        _learning_curve(history, "accuracy", style),
    )


def _learning_curve(
    history: Sequence[EpochMetrics], name: str, style: Style
) -> dict[str, Any]:
    """Chart one of the metrics in a history."""
    parts = {"training": name, "validation": f"val_{name}"}
    rows = [
        {"epoch": metrics.epoch, "part": part, name: getattr(metrics, field)}
        for metrics in history
        for part, field in parts.items()
    ]
    last = max((metrics.epoch for metrics in history), default=1)
    epoch = {
        "field": "epoch",
        "type": "quantitative",
        "axis": {"tickMinStep": 1, "format": "d", "grid": False},
        "scale": {"domain": [1, max(2, last)], "nice": False},
    }
    is_loss = name == "loss"
    value = {
        "field": name,
        "type": "quantitative",
        "axis": {"format": "~g" if is_loss else "~%", "tickCount": 5},
        "scale": {"zero": True} if is_loss else {"zero": False, "domainMax": 1},
    }
    part = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": list(parts), "range": [style.accent, style.second]},
        "legend": {"title": None, "orient": "top"},
    }
    tooltip = [
        {"field": "epoch", "type": "quantitative"},
        {"field": "part", "type": "nominal"},
        {"field": name, "type": "quantitative", "format": ".3f"},
    ]
    lines = {
        "data": {"values": rows},
        "mark": {"type": "line", "point": {"size": 28}, "strokeWidth": 2},
        "encoding": {"x": epoch, "y": value, "color": part, "tooltip": tooltip},
    }
    best = best_epoch(history).epoch if len(history) > 1 else None
    marked = {"values": [] if best is None else [{"epoch": best}]}
    rule = {
        "data": marked,
        "mark": {"type": "rule", "color": style.muted, "strokeDash": [4, 3]},
        "encoding": {"x": epoch},
    }
    # The label goes to the side where there is room for it, and where no curve is.
    is_early = best is None or best <= last / 2
    label = {
        "data": marked,
        "mark": {
            "type": "text",
            "align": "left" if is_early else "right",
            "dx": 5 if is_early else -5,
            "baseline": "top",
            "text": f"best: {best}" if is_loss else "",
            "color": style.foreground,
        },
        "encoding": {"x": epoch, "y": {"value": 2}},
    }
    return {
        "layer": [rule, lines, label],
        "height": _CURVE_HEIGHT,
        "width": "container",
    }

"""Learning curves, as charts that the browser draws.

Owns the curves of loss and accuracy over the epochs; their look is from `style`.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from audiomnist.digits import N_DIGITS
from audiomnist.plots.style import Style
from audiomnist.training.history import BatchLoss, EpochMetrics, best_epoch

_CURVE_HEIGHT = 280  # pixels

_LOSS_OF_CHANCE = round(math.log(N_DIGITS + 1), 1)
"""Of a network that knows nothing of ten digits and what is none."""


class LearningCurves(NamedTuple):
    """Vega-Lite charts of one training, each as wide as the place where it is shown.

    They are written as they are drawn, by the browser: a page that follows a training
    makes them every second.
    """

    loss: dict[str, Any]
    accuracy: dict[str, Any]


def plot_learning_curves(
    history: Sequence[EpochMetrics],
    n_epochs: int,
    batches: Sequence[BatchLoss] = (),
    *,
    style: Style,
) -> LearningCurves:
    """Chart loss and accuracy of training and validation over the epochs.

    Parameters
    ----------
    history
        The epochs so far.
    n_epochs
        How many there may be: the axis is as long from the beginning on.
    batches
        Losses of batches, drawn as a thin line behind the others.
    style
        The look.

    Returns
    -------
    LearningCurves
        Two charts, without curves where there is nothing yet.

    Notes
    -----
    The epoch of lowest validation loss, whose weights are kept, is marked as soon as
    there is another one.
    """
    return LearningCurves(
        _learning_curve(history, n_epochs, batches, "loss", style),
        _learning_curve(history, n_epochs, (), "accuracy", style),
    )


def _learning_curve(
    history: Sequence[EpochMetrics],
    n_epochs: int,
    batches: Sequence[BatchLoss],
    name: str,
    style: Style,
) -> dict[str, Any]:
    """Chart one of the metrics in a history."""
    last = max([n_epochs, *(metrics.epoch for metrics in history)])
    epoch = {
        "field": "epoch",
        "type": "quantitative",
        "axis": {"tickMinStep": 1, "format": "d", "grid": False},
        "scale": {"domain": [0, last], "nice": False},
    }
    lines = _lines(history, name, epoch, style)
    if name == "loss" and not history and not batches:
        lines["encoding"]["y"]["scale"] = {"domain": [0, _LOSS_OF_CHANCE]}
    best = best_epoch(history).epoch if len(history) > 1 else None
    text = "" if best is None or name != "loss" else f"best: {best}"
    # The label goes to the side where there is room for it, and where no curve is.
    is_early = best is None or best <= last / 2
    rule, label = _best_mark(best, text, epoch, style, is_early=is_early)
    return {
        "layer": [rule, _batch_line(batches, name, epoch, style), lines, label],
        "height": _CURVE_HEIGHT,
        "width": "container",
    }


def _batch_line(
    batches: Sequence[BatchLoss], name: str, epoch: dict[str, Any], style: Style
) -> dict[str, Any]:
    """The layer of the losses of batches, on the axis of the metric of this name."""
    rows = [{"epoch": each.epoch, "loss": each.loss} for each in batches]
    return {
        "data": {"values": rows},
        "mark": {
            "type": "line",
            "color": style.accent,
            "opacity": 0.45,
            "strokeWidth": 1,
        },
        "encoding": {
            "x": epoch,
            "y": {"field": "loss", "type": "quantitative", "title": name},
        },
    }


def _lines(
    history: Sequence[EpochMetrics], name: str, epoch: dict[str, Any], style: Style
) -> dict[str, Any]:
    """The layer of the curves of training and validation."""
    parts = {"training": name, "validation": f"val_{name}"}
    rows = [
        {"epoch": metrics.epoch, "part": part, name: getattr(metrics, field)}
        for metrics in history
        for part, field in parts.items()
    ]
    is_loss = name == "loss"
    value = {
        "field": name,
        "type": "quantitative",
        "title": name,
        "axis": {"format": "~g" if is_loss else "~%", "tickCount": 5},
        "scale": {"zero": True} if is_loss else {"domain": [0, 1]},
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
    return {
        "data": {"values": rows},
        "mark": {"type": "line", "point": {"size": 28}, "strokeWidth": 2},
        "encoding": {"x": epoch, "y": value, "color": part, "tooltip": tooltip},
    }


def _best_mark(
    best: int | None, text: str, epoch: dict[str, Any], style: Style, *, is_early: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The layers of a line at the best epoch and of its label."""
    marked = {"values": [] if best is None else [{"epoch": best}]}
    rule = {
        "data": marked,
        "mark": {"type": "rule", "color": style.muted, "strokeDash": [4, 3]},
        "encoding": {"x": epoch},
    }
    label = {
        "data": marked,
        "mark": {
            "type": "text",
            "align": "left" if is_early else "right",
            "dx": 5 if is_early else -5,
            "baseline": "top",
            "text": text,
            "color": style.foreground,
        },
        "encoding": {"x": epoch, "y": {"value": 2}},
    }
    return rule, label

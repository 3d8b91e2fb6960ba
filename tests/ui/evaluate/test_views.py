"""The pictures of the Evaluate page are drawn once, and anew for what changes them."""

import numpy as np
import pandas as pd
import pytest

from audiomnist.plots.style import Style
from audiomnist.ui import figures
from audiomnist.ui.evaluate.answering import draw_coverage, draw_reliability
from audiomnist.ui.evaluate.views import draw_confusion, draw_speakers

LIGHT, DARK = Style(), Style(dark=True)


def matrix(n_wrong: int) -> np.ndarray:
    counts = np.zeros((10, 11), int)
    counts[:, :10] = 9 * np.eye(10, dtype=int)
    counts[3, 4] = n_wrong
    return counts


def speakers(name: str, accuracy: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"speaker": [name], "n": 9, "accuracy": accuracy, "low": 0.1, "high": 0.95}
    )


def curve(accuracy: float) -> pd.DataFrame:
    shares = {"accuracy": accuracy, "accuracy_low": 0.5, "accuracy_high": 1.0}
    nothing = dict.fromkeys(
        ("false_answers", "false_answers_low", "false_answers_high"), np.nan
    )
    return pd.DataFrame(
        {"threshold": [0.0, 0.5], "coverage": [1.0, 0.9], **shares, **nothing}
    )


def bins(accuracy: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"confidence": [0.9], "accuracy": accuracy, "n": 9, "low": 0.5, "high": 1.0}
    )


@pytest.mark.parametrize(
    ("draw", "arguments", "changed"),
    [
        (draw_confusion, (matrix(1), LIGHT), [(matrix(2), LIGHT), (matrix(1), DARK)]),
        (
            draw_speakers,
            (speakers("anna", 0.8), LIGHT),
            [
                (speakers("anna", 0.7), LIGHT),
                (speakers("bert", 0.8), LIGHT),
                (speakers("anna", 0.8), DARK),
            ],
        ),
        (
            draw_coverage,
            (curve(0.8), 0.5, LIGHT),
            [
                (curve(0.7), 0.5, LIGHT),
                (curve(0.8), 0.0, LIGHT),
                (curve(0.8), 0.5, DARK),
            ],
        ),
        (
            draw_reliability,
            (bins(0.8), 0.1, LIGHT),
            [(bins(0.7), 0.1, LIGHT), (bins(0.8), 0.2, LIGHT), (bins(0.8), 0.1, DARK)],
        ),
    ],
)
def test_a_picture_is_drawn_once_for_all_that_it_depends_on(
    draw, arguments, changed, monkeypatch
):
    n_drawn = 0
    save = figures.draw

    def count(figure, alt):
        nonlocal n_drawn
        n_drawn += 1
        return save(figure, alt)

    monkeypatch.setattr(figures, "draw", count)
    first = draw(True, *arguments)
    before = n_drawn
    assert draw(True, *arguments) == first
    assert n_drawn == before
    for others in changed:
        assert draw(True, *others).png != first.png

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from results import PROBABILITIES, matrix_of, speaker_table

from audiomnist.plots.results import (
    percent_text,
    plot_confusion,
    plot_probabilities,
    plot_speaker_accuracy,
)
from audiomnist.plots.style import Style


def test_the_likeliest_digit_is_marked():
    axes = plot_probabilities(PROBABILITIES, style=Style()).axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx(100 * PROBABILITIES)
    accent = [
        to_rgb(bar.get_facecolor()) == to_rgb(Style().accent) for bar in axes.patches
    ]
    assert np.flatnonzero(accent).tolist() == [7]
    assert [text.get_text() for text in axes.texts] == ["80\N{NO-BREAK SPACE}%"]
    assert axes.get_xticks().tolist() == list(range(10))


def test_an_unsure_answer_looks_different():
    axes = plot_probabilities(PROBABILITIES, style=Style(), threshold=0.9).axes[0]
    assert to_rgb(axes.patches[7].get_facecolor()) == to_rgb(Style().second)
    assert axes.lines[0].get_ydata()[0] == 90


def test_no_digit_stands_out_where_there_is_probably_none():
    values = np.array([*10 * [0.02], 0.8])
    values[4] += 0.05
    axes = plot_probabilities(values, style=Style(), threshold=0.25).axes[0]
    bars = [to_rgb(bar.get_facecolor()) for bar in axes.patches]
    assert set(bars[:10]) == {to_rgb(Style().muted)}
    assert bars[10] == to_rgb(Style().second)
    assert [text.get_text() for text in axes.texts] == ["80\N{NO-BREAK SPACE}%"]
    names = [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()]
    assert names == [*map(str, range(10)), "not a digit"]


@pytest.mark.parametrize("n_outcomes", [10, 11])
def test_all_that_is_written_under_the_bars_is_inside_the_picture(n_outcomes):
    figure = plot_probabilities(np.full(n_outcomes, 0.09), style=Style(), threshold=0.2)
    figure.draw_without_rendering()
    assert figure.axes[0].xaxis.label.get_window_extent().y0 >= 0


def test_the_number_above_a_bar_is_not_on_the_line():
    values = np.full(10, 0.01)
    values[2], values[3] = 0.5, 0.42
    for threshold, height in ((0.55, 55), (0.9, 50), (0.3, 50)):
        axes = plot_probabilities(values, style=Style(), threshold=threshold).axes[0]
        assert axes.texts[0].xy == (2, pytest.approx(height))


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "0.0\N{NO-BREAK SPACE}%"),
        (0.004, "0.4\N{NO-BREAK SPACE}%"),
        (0.154, "15\N{NO-BREAK SPACE}%"),
        (0.994, "99.4\N{NO-BREAK SPACE}%"),
        (0.9989, "99.9\N{NO-BREAK SPACE}%"),
        (0.9995, "> 99.9\N{NO-BREAK SPACE}%"),
        (1.0, "> 99.9\N{NO-BREAK SPACE}%"),
    ],
)
def test_no_probability_is_shown_as_certainty(probability, text):
    assert percent_text(probability) == text


def test_confusion_shows_the_counts():
    axes = plot_confusion(matrix_of(), style=Style()).axes[0]
    written = sorted(text.get_text() for text in axes.texts if text.get_text())
    assert written == sorted(["20"] * 10 + ["4"])
    assert [text.get_text() for text in axes.get_yticklabels()] == list("0123456789")
    assert [text.get_text() for text in axes.get_xticklabels()] == list("0123456789")


def test_confusion_shows_the_clips_without_an_answer():
    axes = plot_confusion(matrix_of(no_answer=2), style=Style()).axes[0]
    assert axes.get_xticklabels()[-1].get_text() == "none"
    assert "2" in [text.get_text() for text in axes.texts]


def test_confusion_of_nothing():
    assert plot_confusion(np.zeros((10, 11), int), style=Style()).axes


def test_the_lowest_speakers_are_shown():
    axes = plot_speaker_accuracy(speaker_table(80), style=Style()).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == [f"voice{i}" for i in range(40)]
    assert "40 best" in axes.get_ylabel()
    few = plot_speaker_accuracy(speaker_table(3), style=Style()).axes[0]
    assert few.get_ylabel() == "speaker"

import numpy as np
import pytest
from results import bin_table, coverage_table, pixels_of

from audiomnist.plots.confidence import plot_coverage, plot_reliability
from audiomnist.plots.style import Style


def _legend(figure) -> str:
    return "\n".join(
        text.get_text() for text in figure.axes[0].get_legend().get_texts()
    )


def _points(axes) -> list[tuple[float, float]]:
    """What is marked with a dot."""
    return [
        point
        for line in axes.lines
        if line.get_marker() == "o"
        for point in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]


def test_coverage_marks_what_the_models_threshold_does():
    curve = coverage_table()
    row = curve.loc[8]
    figure = plot_coverage(curve, row["threshold"], style=Style())
    axes = figure.axes[0]
    right, false = _points(axes)
    assert right == pytest.approx((100 * row["coverage"], 100 * row["accuracy"]))
    assert false == pytest.approx((100 * row["coverage"], 100 * row["false_answers"]))
    written = [text.get_text() for text in axes.texts]
    assert written == [
        f"{100 * row['accuracy']:.1f}\N{NO-BREAK SPACE}%",
        f"{100 * row['false_answers']:.1f}\N{NO-BREAK SPACE}%",
    ]
    assert "digits answered" in axes.get_xlabel()
    assert "other words answered" in _legend(figure)
    assert f"at least {100 * row['threshold']:.0f} % sure" in _legend(figure)


def test_coverage_without_other_words_shows_right_answers_alone():
    figure = plot_coverage(coverage_table(has_other_words=False), 0.4, style=Style())
    assert "other words" not in _legend(figure)
    assert len(_points(figure.axes[0])) == 1
    low, high = figure.axes[0].get_ylim()
    assert 0 < low < 94 and high > 100


def test_coverage_shows_the_threshold_wherever_it_is():
    for threshold in coverage_table(least=0)["threshold"]:
        axes = plot_coverage(coverage_table(least=0), threshold, style=Style()).axes[0]
        low, high = axes.get_xlim()
        for x, y in _points(axes):
            assert low <= x <= high
            assert axes.get_ylim()[0] <= y <= axes.get_ylim()[1]


def test_a_threshold_beyond_the_curve_is_not_marked():
    figure = plot_coverage(coverage_table(), 0.99, style=Style())
    assert _points(figure.axes[0]) == []
    assert "this model" not in _legend(figure)


def test_a_threshold_that_nobody_reaches_has_no_accuracy_to_mark():
    curve = coverage_table(least=0)
    curve.loc[19, ["accuracy", "accuracy_low", "accuracy_high"]] = np.nan
    axes = plot_coverage(curve, 0.95, style=Style()).axes[0]
    assert _points(axes) == [(0, 0)]


def test_reliability_shows_each_bin_with_its_clips():
    figure = plot_reliability(bin_table(), 0.1234, style=Style())
    axes = figure.axes[0]
    assert np.allclose(_points(axes), [(25, 10), (55, 50), (95, 98)])
    written = {text.get_text() for text in axes.texts}
    assert {"7", "40", "1,234", "too sure", "too unsure"} <= written
    assert "expected calibration error: 12.3\N{NO-BREAK SPACE}%" in _legend(figure)
    (intervals,) = axes.collections
    assert intervals.get_segments()[1][:, 1] == pytest.approx([40, 60])


def test_reliability_of_nothing_names_no_error():
    figure = plot_reliability(bin_table().head(0), np.nan, style=Style())
    pixels_of(figure)
    assert "error" not in _legend(figure)

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from audiomnist.audio.signal import Audio
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import extract
from audiomnist.features.speech import Speech
from audiomnist.plots.confidence import plot_coverage, plot_reliability
from audiomnist.plots.learning import plot_learning_curves
from audiomnist.plots.results import (
    percent_text,
    plot_confusion,
    plot_probabilities,
    plot_speaker_accuracy,
)
from audiomnist.plots.sound import plot_features, plot_spectrogram, plot_waveform
from audiomnist.plots.style import Style
from audiomnist.training.history import EpochMetrics

PROBABILITIES = np.array([0.02] * 7 + [0.8, 0.03, 0.03])
BACKGROUNDS = {False: "#fbfaf6", True: "#10181d"}


def _matrix(no_answer: int = 0) -> np.ndarray:
    matrix = np.eye(10, 11, dtype=int) * 20
    matrix[3, 8] = 4
    matrix[6, 10] = no_answer
    return matrix


def _speakers(n: int) -> pd.DataFrame:
    accuracy = np.linspace(0.6, 1, n)
    return pd.DataFrame(
        {
            "speaker": [f"voice{i}" for i in range(n)],
            "n": 20,
            "accuracy": accuracy,
            "low": accuracy - 0.1,
            "high": np.minimum(1, accuracy + 0.05),
        }
    )


def _curve(has_others: bool = True, least: float = 0.2) -> pd.DataFrame:
    threshold = np.linspace(0, 0.95, 20)
    coverage = np.linspace(0.99, least, 20)
    accuracy = np.linspace(0.94, 1, 20)
    false_answers = np.linspace(0.9, 0, 20) if has_others else np.full(20, np.nan)
    return pd.DataFrame(
        {
            "threshold": threshold,
            "coverage": coverage,
            "accuracy": accuracy,
            "accuracy_low": accuracy - 0.02,
            "accuracy_high": np.minimum(1, accuracy + 0.01),
            "false_answers": false_answers,
            "false_answers_low": np.maximum(0, false_answers - 0.1),
            "false_answers_high": np.minimum(1, false_answers + 0.1),
        }
    )


def _bins() -> pd.DataFrame:
    accuracy = np.array([0.1, 0.5, 0.98])
    return pd.DataFrame(
        {
            "confidence": [0.25, 0.55, 0.95],
            "accuracy": accuracy,
            "n": [7, 40, 1234],
            "low": accuracy - 0.1,
            "high": np.minimum(1, accuracy + 0.1),
        }
    )


def _history(n_epochs: int) -> list[EpochMetrics]:
    return [
        EpochMetrics(i, 2 / i, 1 - 0.5 / i, 0.1 + abs(i - 3), 1 - 0.6 / i, 1.0, 1.0)
        for i in range(1, n_epochs + 1)
    ]


def _all_figures(spoken, style: Style):
    word = spoken(7, 0, 16000)
    log_mel = FeatureConfig()
    mfcc = FeatureConfig(kind="mfcc", fit="stretch", normalise="none")
    return {
        "waveform": plot_waveform(word, Speech(0.1, 0.3), style=style),
        "waveform of nothing": plot_waveform(
            Audio(np.zeros(0, np.float32), 8000), None, style=style
        ),
        "spectrogram": plot_spectrogram(word, style=style),
        "spectrogram of little": plot_spectrogram(
            Audio(np.zeros(5, np.float32), 8000), style=style
        ),
        "log-mel": plot_features(
            extract([word], log_mel)[0], log_mel, style=style, step=log_mel.spectrum.hop
        ),
        "mfcc": plot_features(
            extract([word], mfcc)[0], mfcc, style=style, step=mfcc.spectrum.hop
        ),
        "probabilities": plot_probabilities(PROBABILITIES, style=style, threshold=0.5),
        "confusion": plot_confusion(_matrix(), style=style),
        "speakers": plot_speaker_accuracy(_speakers(6), style=style),
        "coverage": plot_coverage(_curve(), 0.4, style=style),
        "coverage without other sounds": plot_coverage(
            _curve(has_others=False), 0.4, style=style
        ),
        "reliability": plot_reliability(_bins(), 0.1, style=style),
        "many speakers": plot_speaker_accuracy(_speakers(80), style=style),
    }


def _pixels(figure) -> np.ndarray:
    from matplotlib.image import imread

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=60)
    file.seek(0)
    return imread(file)


@pytest.mark.parametrize("dark", [False, True])
def test_figures_have_labels_and_no_background(spoken, dark):
    for name, figure in _all_figures(spoken, Style(dark)).items():
        axes = figure.axes[0]
        assert axes.get_xlabel(), name
        assert axes.get_ylabel(), name
        pixels = _pixels(figure)
        assert (pixels[..., 3] == 0).any(), name
        assert (pixels[..., 3] > 0.5).any(), name


@pytest.mark.parametrize("peak", [0.9, 0.05, 0.004])
def test_a_wave_of_any_level_has_room_for_its_numbers(peak):
    samples = np.float32(peak) * np.sin(np.arange(8000) / 5).astype(np.float32)
    figure = plot_waveform(Audio(samples, 8000), None, style=Style())
    figure.draw_without_rendering()
    label = figure.axes[0].yaxis.label.get_window_extent()
    assert label.x0 >= 0


def test_figures_do_not_gather_in_pyplot(spoken):
    import matplotlib.pyplot as plt

    for figure in _all_figures(spoken, Style()).values():
        _pixels(figure)
    assert plt.get_fignums() == []


def test_threads_may_draw_at_the_same_time():
    def draw(digit: int) -> np.ndarray:
        values = np.full(10, 0.02)
        values[digit] = 0.82
        return _pixels(plot_probabilities(values, style=Style()))

    alone = [draw(digit) for digit in range(10)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, range(10)))
    assert all(np.array_equal(*pair) for pair in zip(alone, together, strict=True))


def _luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2.2."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("dark", [False, True])
def test_colours_stand_out_from_the_background(dark):
    style = Style(dark)
    ground = _luminance(BACKGROUNDS[dark])
    for colour, least in (
        (style.foreground, 7.0),
        (style.accent, 3.0),
        (style.second, 3.0),
    ):
        light, dim = sorted((_luminance(colour), ground), reverse=True)
        assert (light + 0.05) / (dim + 0.05) >= least


@pytest.mark.parametrize("dark", [False, True])
def test_sound_colours_go_evenly_from_the_background(dark):
    colours = Style(dark).colours()(np.linspace(0, 1, 40))
    luminance = [_luminance(tuple(colour[:3])) for colour in colours]
    steps = np.diff(luminance)
    assert (steps > 0).all() if dark else (steps < 0).all()


def test_the_speech_is_marked_where_it_is(spoken):
    word = spoken(7)
    plain = plot_waveform(word, None, style=Style()).axes[0]
    marked = plot_waveform(word, Speech(0.1, 0.3), style=Style()).axes[0]
    assert len(plain.patches) == 0
    (span,) = marked.patches
    assert span.get_x() == pytest.approx(0.1)
    assert span.get_width() == pytest.approx(0.2)


def test_a_peak_in_a_long_recording_is_drawn():
    samples = np.zeros(480_000, np.float32)
    samples[123_456] = 0.9
    axes = plot_waveform(Audio(samples, 48000), None, style=Style()).axes[0]
    (area,) = axes.collections
    assert area.get_paths()[0].vertices[:, 1].max() == pytest.approx(0.9)


def test_a_tone_is_at_its_frequency():
    time = np.arange(16000) / 16000
    tone = Audio(np.sin(2 * np.pi * 2000 * time).astype(np.float32), 16000)
    axes = plot_spectrogram(tone, style=Style()).axes[0]
    level = axes.images[0].get_array()
    khz = np.linspace(0, 8, len(level))[int(level.mean(axis=1).argmax())]
    assert khz == pytest.approx(2, abs=0.05)
    assert level.max() == pytest.approx(0, abs=0.1)


def test_frequencies_stand_at_their_bands():
    config = FeatureConfig()
    figure = plot_features(
        np.random.rand(*config.shape), config, style=Style(), step=config.spectrum.hop
    )
    axes = figure.axes[0]
    places = axes.get_yticks()
    khz = [float(text.get_text()) for text in axes.get_yticklabels()]
    assert khz == sorted(khz)
    assert (np.diff(places) > 0).all()
    # The tone's band is the one that its label stands at.
    time = np.arange(8000) / 8000
    for place, value in zip(places, khz, strict=True):
        tone = np.sin(2 * np.pi * 1000 * value * time) * (time > 0.3) * (time < 0.7)
        plain = FeatureConfig(normalise="none")
        values = extract([Audio(tone.astype(np.float32), 8000)], plain)[0]
        assert values.mean(axis=1).argmax() == pytest.approx(place, abs=1)


def test_the_likeliest_digit_is_marked():
    axes = plot_probabilities(PROBABILITIES, style=Style()).axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx(100 * PROBABILITIES)
    accent = [
        to_rgb(bar.get_facecolor()) == to_rgb(Style().accent) for bar in axes.patches
    ]
    assert np.flatnonzero(accent).tolist() == [7]
    assert [text.get_text() for text in axes.texts] == ["80 %"]
    assert axes.get_xticks().tolist() == list(range(10))


def test_an_unsure_answer_looks_different():
    axes = plot_probabilities(PROBABILITIES, style=Style(), threshold=0.9).axes[0]
    assert to_rgb(axes.patches[7].get_facecolor()) == to_rgb(Style().second)
    assert axes.lines[0].get_ydata()[0] == 90


def test_no_digit_stands_out_where_there_is_probably_none():
    values = np.full(10, 0.09)
    values[4] = 0.19
    axes = plot_probabilities(values, style=Style(), threshold=0.25).axes[0]
    assert len({bar.get_facecolor() for bar in axes.patches}) == 1
    assert not axes.texts
    unsure = plot_probabilities(PROBABILITIES, style=Style(), threshold=0.9).axes[0]
    assert len({bar.get_facecolor() for bar in unsure.patches}) == 2


def test_the_number_above_a_bar_is_not_on_the_line():
    values = np.full(10, 0.01)
    values[2], values[3] = 0.5, 0.42
    for threshold, height in ((0.55, 55), (0.9, 50), (0.3, 50)):
        axes = plot_probabilities(values, style=Style(), threshold=threshold).axes[0]
        assert axes.texts[0].xy == (2, pytest.approx(height))


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "0.0 %"),
        (0.004, "0.4 %"),
        (0.154, "15 %"),
        (0.994, "99.4 %"),
        (0.9989, "99.9 %"),
        (0.9995, "> 99.9 %"),
        (1.0, "> 99.9 %"),
    ],
)
def test_no_probability_is_shown_as_certainty(probability, text):
    assert percent_text(probability) == text


def test_confusion_shows_the_counts():
    axes = plot_confusion(_matrix(), style=Style()).axes[0]
    written = sorted(text.get_text() for text in axes.texts if text.get_text())
    assert written == sorted(["20"] * 10 + ["4"])
    assert [text.get_text() for text in axes.get_yticklabels()] == list("0123456789")
    assert [text.get_text() for text in axes.get_xticklabels()] == list("0123456789")


def test_confusion_shows_the_clips_without_an_answer():
    axes = plot_confusion(_matrix(no_answer=2), style=Style()).axes[0]
    assert axes.get_xticklabels()[-1].get_text() == "none"
    assert "2" in [text.get_text() for text in axes.texts]


def test_confusion_of_nothing():
    assert plot_confusion(np.zeros((10, 11), int), style=Style()).axes


def test_the_lowest_speakers_are_shown():
    axes = plot_speaker_accuracy(_speakers(80), style=Style()).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == [f"voice{i}" for i in range(40)]
    assert "40 best" in axes.get_ylabel()
    few = plot_speaker_accuracy(_speakers(3), style=Style()).axes[0]
    assert few.get_ylabel() == "speaker"


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
    curve = _curve()
    row = curve.loc[8]
    figure = plot_coverage(curve, row["threshold"], style=Style())
    axes = figure.axes[0]
    right, false = _points(axes)
    assert right == pytest.approx((100 * row["coverage"], 100 * row["accuracy"]))
    assert false == pytest.approx((100 * row["coverage"], 100 * row["false_answers"]))
    written = [text.get_text() for text in axes.texts]
    assert written == [
        f"{100 * row['accuracy']:.1f} %",
        f"{100 * row['false_answers']:.1f} %",
    ]
    assert "digits answered" in axes.get_xlabel()
    assert "other sounds answered" in _legend(figure)
    assert f"at least {100 * row['threshold']:.0f} % sure" in _legend(figure)


def test_coverage_without_other_sounds_shows_right_answers_alone():
    figure = plot_coverage(_curve(has_others=False), 0.4, style=Style())
    assert "other sounds" not in _legend(figure)
    assert len(_points(figure.axes[0])) == 1
    low, high = figure.axes[0].get_ylim()
    assert 0 < low < 94 and high > 100


def test_coverage_shows_the_threshold_wherever_it_is():
    for threshold in _curve(least=0)["threshold"]:
        axes = plot_coverage(_curve(least=0), threshold, style=Style()).axes[0]
        low, high = axes.get_xlim()
        for x, y in _points(axes):
            assert low <= x <= high
            assert axes.get_ylim()[0] <= y <= axes.get_ylim()[1]


def test_a_threshold_beyond_the_curve_is_not_marked():
    figure = plot_coverage(_curve(), 0.99, style=Style())
    assert _points(figure.axes[0]) == []
    assert "this model" not in _legend(figure)


def test_a_threshold_that_nobody_reaches_has_no_accuracy_to_mark():
    curve = _curve(least=0)
    curve.loc[19, ["accuracy", "accuracy_low", "accuracy_high"]] = np.nan
    axes = plot_coverage(curve, 0.95, style=Style()).axes[0]
    assert _points(axes) == [(0, 0)]


def test_reliability_shows_each_bin_with_its_clips():
    figure = plot_reliability(_bins(), 0.1234, style=Style())
    axes = figure.axes[0]
    assert np.allclose(_points(axes), [(25, 10), (55, 50), (95, 98)])
    written = {text.get_text() for text in axes.texts}
    assert {"7", "40", "1,234", "too sure", "too unsure"} <= written
    assert "expected calibration error: 12.3 %" in _legend(figure)
    (intervals,) = axes.collections
    assert intervals.get_segments()[1][:, 1] == pytest.approx([40, 60])


def test_reliability_of_nothing_names_no_error():
    figure = plot_reliability(_bins().head(0), np.nan, style=Style())
    _pixels(figure)
    assert "error" not in _legend(figure)


@pytest.mark.parametrize("n_epochs", [0, 1, 2, 9])
def test_learning_curves_of_any_length(n_epochs):
    for name, chart in (
        plot_learning_curves(_history(n_epochs), style=Style())._asdict().items()
    ):
        rule, lines, _ = chart["layer"]
        assert len(lines["data"]["values"]) == 2 * n_epochs
        marked = [row["epoch"] for row in rule["data"]["values"]]
        assert marked == ([] if n_epochs < 2 else [min(3, n_epochs)])
        axis = lines["encoding"]["x"]
        assert axis["axis"]["tickMinStep"] == 1
        assert axis["scale"]["domain"] == [1, max(2, n_epochs)]
        assert lines["encoding"]["y"]["field"] == name

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from results import (
    PROBABILITIES,
    bin_table,
    coverage_table,
    matrix_of,
    pixels_of,
    speaker_table,
)

from audiomnist.audio.signal import Audio
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import extract
from audiomnist.features.speech import Speech
from audiomnist.plots.confidence import plot_coverage, plot_reliability
from audiomnist.plots.results import (
    plot_confusion,
    plot_probabilities,
    plot_speaker_accuracy,
)
from audiomnist.plots.sound import plot_features, plot_spectrogram, plot_waveform
from audiomnist.plots.style import Style

BACKGROUNDS = {False: "#fbfaf6", True: "#10181d"}


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
        "confusion": plot_confusion(matrix_of(), style=style),
        "speakers": plot_speaker_accuracy(speaker_table(6), style=style),
        "coverage": plot_coverage(coverage_table(), 0.4, style=style),
        "coverage without other words": plot_coverage(
            coverage_table(has_other_words=False), 0.4, style=style
        ),
        "reliability": plot_reliability(bin_table(), 0.1, style=style),
        "many speakers": plot_speaker_accuracy(speaker_table(80), style=style),
    }


@pytest.mark.parametrize("dark", [False, True])
def test_figures_have_labels_and_no_background(spoken, dark):
    for name, figure in _all_figures(spoken, Style(dark)).items():
        axes = figure.axes[0]
        assert axes.get_xlabel(), name
        assert axes.get_ylabel(), name
        pixels = pixels_of(figure)
        assert (pixels[..., 3] == 0).any(), name
        assert (pixels[..., 3] > 0.5).any(), name


def test_figures_do_not_gather_in_pyplot(spoken):
    import matplotlib.pyplot as plt

    for figure in _all_figures(spoken, Style()).values():
        pixels_of(figure)
    assert plt.get_fignums() == []


def test_threads_may_draw_at_the_same_time():
    def draw(digit: int) -> np.ndarray:
        values = np.full(10, 0.02)
        values[digit] = 0.82
        return pixels_of(plot_probabilities(values, style=Style()))

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

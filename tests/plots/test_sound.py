import numpy as np
import pytest

from audiomnist.audio.signal import Audio
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import extract
from audiomnist.features.speech import Speech
from audiomnist.plots.sound import plot_features, plot_spectrogram, plot_waveform
from audiomnist.plots.style import Style


@pytest.mark.parametrize("peak", [0.9, 0.05, 0.004])
def test_a_wave_of_any_level_has_room_for_its_numbers(peak):
    samples = np.float32(peak) * np.sin(np.arange(8000) / 5).astype(np.float32)
    figure = plot_waveform(Audio(samples, 8000), None, style=Style())
    figure.draw_without_rendering()
    label = figure.axes[0].yaxis.label.get_window_extent()
    assert label.x0 >= 0


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

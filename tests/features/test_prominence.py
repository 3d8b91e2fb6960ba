"""How far frames stand out: by the noise around them, and nowhere in silence."""

import numpy as np
import pytest

from audiomnist.audio.signal import Audio
from audiomnist.features.prominence import clip_numbers, excess_db, prominence_db
from audiomnist.features.spectra import SpectrumConfig, power_spectra
from audiomnist.features.speech import SpeechConfig

SPECTRUM = SpectrumConfig()


def excess_of(*audios: Audio) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Excess and hidden frames of recordings, and the bounds of their frames."""
    power, bounds = power_spectra(audios, SPECTRUM)
    return *excess_db(power, bounds, SpeechConfig(), SPECTRUM), bounds


def in_noise(spoken, level: float) -> Audio:
    """A word with half a second before and after it, in white noise."""
    noise = np.random.default_rng(0).normal(0, level, 8000)
    word = np.pad(spoken(3).samples, (2400, 2400))
    return Audio((word + noise[: len(word)]).astype(np.float32), 8000)


def test_a_band_below_its_reference_counts_as_none() -> None:
    level = np.array([[6.0, -6.0], [3.0, 1.0]])
    assert prominence_db(level, np.zeros(2)).tolist() == [3.0, 2.0]


def test_every_frame_has_the_number_of_its_clip() -> None:
    assert clip_numbers(np.array([0, 2, 2, 3])).tolist() == [0, 0, 2]


def test_a_word_stands_out_and_silence_beside_it_does_not(spoken) -> None:
    silence = Audio(np.zeros(8000, np.float32), 8000)
    excess, _, bounds = excess_of(in_noise(spoken, 1e-3), silence)
    word, nothing = np.split(excess, bounds[1:-1])
    frames = np.flatnonzero(word > 0) * SPECTRUM.hop
    assert 0.25 < frames.min() < 0.35 and 0.6 < frames.max() < 0.75
    assert not (nothing > 0).any()


@pytest.mark.parametrize(("level", "is_hidden"), [(1e-4, False), (0.15, True)])
def test_noise_hides_the_end_of_a_word(spoken, level: float, is_hidden: bool) -> None:
    _, (hidden,), _ = excess_of(in_noise(spoken, level))
    assert (hidden > 0) == is_hidden


def test_the_measure_of_a_clip_does_not_depend_on_the_others(spoken) -> None:
    one, other = in_noise(spoken, 1e-3), in_noise(spoken, 0.05)
    alone, _, _ = excess_of(one)
    together, _, bounds = excess_of(other, one)
    np.testing.assert_allclose(together[bounds[1] :], alone, atol=1e-3)

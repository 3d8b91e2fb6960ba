"""Synthetic negatives: mangled digits and noises."""

import numpy as np

from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import spectra
from audiomnist.features.rendering import render
from audiomnist.training.negatives import noises, scramble

FEATURES = FeatureConfig()


def test_mangled_digits_are_none_of_those_that_they_come_from(spoken):
    digits = spectra(
        [spoken(digit, who) for digit in range(10) for who in (0, 1)], FEATURES
    )
    said = np.repeat(np.arange(10), 2)
    mangled = scramble(digits, said, 60, np.random.default_rng(0))
    assert len(mangled) == 60 and mangled.is_speech.all()
    known, others = render(digits, FEATURES), render(mangled, FEATURES)
    distance = np.square(others[:, None] - known).mean(axis=(2, 3)).min(axis=1)
    # Some of the synthetic words are the same backwards.
    assert np.median(distance) > 0.1
    again = scramble(digits, said, 60, np.random.default_rng(0))
    np.testing.assert_array_equal(mangled.power, again.power)


def test_noises_are_sound_of_every_kind():
    audios = noises(60, np.random.default_rng(0))
    peaks = np.array([np.abs(audio.samples).max() for audio in audios])
    assert (peaks > 0.05).all() and (peaks <= 1).all()
    assert all(0.3 < audio.duration < 2 for audio in audios)
    tonality = [np.abs(np.fft.rfft(audio.samples)).max() for audio in audios]
    assert max(tonality) > 10 * min(tonality)

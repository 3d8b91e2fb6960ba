"""What a network learns from in an epoch: which clips, how often, with what else."""

from dataclasses import replace

import numpy as np
import pytest

from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import extract, spectra
from audiomnist.features.rendering import render
from audiomnist.training.config import AugmentationConfig
from audiomnist.training.data import TrainingData

FEATURES = FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16)


@pytest.fixture(scope="module")
def data():
    from conftest import speak

    digits = np.repeat(np.arange(10), 3)
    words = spectra(
        [speak(digit, who % 3) for who, digit in enumerate(digits)], FEATURES
    )
    kept = extract([speak(digit, 4) for digit in range(10)], FEATURES)
    negatives = spectra([speak(digit, 5) for digit in (1, 4, 8)], FEATURES)
    return TrainingData(
        words, digits, kept, np.arange(10), FEATURES, negatives=negatives
    )


def drawn(data, n_negatives=0, seed=0):
    return data.draw_epoch(n_negatives, None, np.random.default_rng(seed))


def count(features, known):
    """How often each known clip is among some features."""
    same = np.abs(features[:, None] - known[None]).max(axis=(2, 3)) < 1e-5
    return same.sum(axis=0)


def test_each_clip_is_drawn_once_where_all_are_equal(data):
    features, labels = drawn(data)
    known = render(data.train, FEATURES)
    assert (count(features, known) == 1).all()
    np.testing.assert_array_equal(labels, data.train_digits)


def test_clips_are_drawn_in_proportion_to_their_weights(data):
    weights = np.where(np.arange(30) < 6, 3.0, 0.5)  # together 30
    weighted = replace(data, weights=weights)
    known = render(data.train, FEATURES)
    total = sum(count(drawn(weighted, seed=seed)[0], known) for seed in range(100))
    np.testing.assert_allclose(total / 100, weights, atol=0.25)


def test_negatives_are_labelled_as_no_digit(data):
    features, labels = drawn(data, n_negatives=12)
    assert features.shape == (42, *FEATURES.shape)
    np.testing.assert_array_equal(labels[30:], np.full(12, N_DIGITS))


@pytest.mark.parametrize("weights", [None, np.ones(30)])
def test_many_clips_are_drawn_a_part_at_a_time(data, monkeypatch, weights):
    monkeypatch.setattr("audiomnist.training.data.CLIPS_AT_ONCE", 7)
    sizes = []

    def vary(self, clips, augmentation, rng):
        sizes.append(len(clips))
        return render(clips, FEATURES)

    monkeypatch.setattr(TrainingData, "_vary", vary)
    features, labels = drawn(replace(data, weights=weights), n_negatives=10)
    assert sizes == [7, 7, 7, 7, 2, 7, 3]
    known = render(data.train, FEATURES)
    assert (count(features[:30], known) == 1).all()
    for digit in range(10):
        its = known[data.train_digits == digit]
        assert count(features[:30][labels[:30] == digit], its).sum() == 3
    # Sorted as they are, the clips of the first part would be of three digits.
    assert len(set(labels[:7])) > 3
    assert (labels[30:] == N_DIGITS).all()


def test_negatives_are_drawn_in_proportion_to_their_weights(data):
    known = render(data.negatives, FEATURES)
    for weights, expected in ((None, (3, 3, 3)), (np.array([1, 1, 7.0]), (1, 1, 7))):
        features, _ = drawn(replace(data, negative_weights=weights), n_negatives=12)
        # A quarter of them are mangled digits.
        assert tuple(count(features[30:], known)) == expected


@pytest.mark.parametrize("name", ["weights", "negative_weights"])
@pytest.mark.parametrize("value", [np.ones(4), np.zeros(30), np.zeros(3)])
def test_weights_that_do_not_fit_are_refused(data, name, value):
    with pytest.raises(ModelError, match="expected one above 0 for each"):
        replace(data, **{name: value})


def test_mangled_digits_lie_in_as_much_noise_as_digits_do(spoken):
    features = FeatureConfig(normalise="none", n_frames=60, fit="window")
    sounds = [spoken(digit, speaker) for digit in range(10) for speaker in range(3)]
    words = spectra(sounds, features)
    data = TrainingData(
        words,
        np.repeat(np.arange(10), 3),
        render(words, features),
        np.repeat(np.arange(10), 3),
        features,
        negatives=words,
    )
    noisy = AugmentationConfig(
        slowest=0.8,
        fastest=1.25,
        noise_part=1,
        babble_part=0,
        noise_low_db=5,
        noise_high_db=5,
    )
    values, labels = data.draw_epoch(400, noisy, np.random.default_rng(0))
    is_silent = (values < np.log(features.floor) + 1e-3).all(axis=1)  # (n, n_frames)
    assert is_silent[labels < 10].sum() == 0
    assert is_silent[labels == 10].sum() == 0

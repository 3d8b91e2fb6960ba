"""Probabilities that mean what they say, and when not to answer."""

import numpy as np
import pytest

from audiomnist.recognition.calibration import (
    choose_threshold,
    fit_temperature,
    is_none_of_these,
    probabilities_of,
)

N_CLIPS = 20_000


@pytest.mark.parametrize("n_clips", [1, 49, 50, 1000])
@pytest.mark.parametrize("coverage", [0.5, 0.98, 1.0])
def test_the_threshold_lets_enough_clips_be_answered(n_clips, coverage):
    rng = np.random.default_rng(n_clips)
    probabilities = probabilities_of(rng.normal(0, 3, (n_clips, 10)))
    threshold = choose_threshold(probabilities, coverage)
    likeliest = probabilities.max(axis=1)
    assert np.mean(likeliest >= threshold) >= coverage
    assert np.mean(likeliest > threshold) < coverage


def test_large_logits_do_no_harm():
    probabilities = probabilities_of(np.array([[1000.0, 0.0], [-1000.0, -1000.0]]))
    np.testing.assert_allclose(probabilities, [[1, 0], [0.5, 0.5]])
    assert probabilities_of(np.zeros((0, 10))).shape == (0, 10)


def test_what_is_none_of_these_is_spread_evenly():
    silent = probabilities_of(np.full((1, 10), -50.0), knows_others=True)
    np.testing.assert_allclose(silent, 0.1)
    logits = np.random.default_rng(0).normal(0, 4, (100, 10))
    plain = probabilities_of(logits)
    knowing = probabilities_of(logits, knows_others=True)
    np.testing.assert_allclose(knowing.sum(axis=1), 1)
    assert (knowing.argmax(axis=1) == plain.argmax(axis=1)).all()
    assert (knowing.max(axis=1) < plain.max(axis=1)).all()


@pytest.mark.parametrize("knows_others", [False, True])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_of_honest_logits_is_found(temperature, knows_others):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (N_CLIPS, 10))
    honest = probabilities_of(logits, knows_others=knows_others)
    places = rng.random((N_CLIPS, 1)) < np.cumsum(honest, axis=1)
    digits = places.argmax(axis=1)
    found = fit_temperature(logits * temperature, digits, knows_others=knows_others)
    assert found == pytest.approx(temperature, rel=0.1)


def test_none_of_these_is_what_is_spread_evenly():
    logits = np.array([[5, *9 * [-4]], 10 * [-5]], np.float32)
    digit, other = probabilities_of(logits, knows_others=True)
    assert not is_none_of_these(digit)
    assert is_none_of_these(other)

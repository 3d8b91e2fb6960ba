"""Probabilities that mean what they say, and when not to answer."""

import numpy as np
import pytest

from audiomnist.errors import ModelError
from audiomnist.recognition.calibration import (
    COVERAGE,
    Calibration,
    choose_threshold,
)

PLAIN, REJECTING = Calibration(), Calibration(rejects_unknown=True)

N_CLIPS = 20_000


@pytest.mark.parametrize("n_clips", [1, 49, 50, 1000])
@pytest.mark.parametrize("coverage", [0.5, 0.98, 1.0])
def test_the_threshold_lets_enough_clips_be_answered(n_clips, coverage):
    rng = np.random.default_rng(n_clips)
    probabilities = PLAIN.probabilities(rng.normal(0, 3, (n_clips, 10)))
    threshold = choose_threshold(probabilities, coverage)
    likeliest = probabilities.max(axis=1)
    assert np.mean(likeliest >= threshold) >= coverage
    assert np.mean(likeliest > threshold) < coverage


def test_large_logits_do_no_harm():
    logits = np.full((2, 10), -1000.0)
    logits[0, 0] = 1000
    probabilities = PLAIN.probabilities(logits)
    np.testing.assert_allclose(probabilities, [[1, *9 * [0]], 10 * [0.1]])
    assert PLAIN.probabilities(np.zeros((0, 10))).shape == (0, 10)


def test_what_is_none_of_these_is_spread_evenly():
    silent = REJECTING.probabilities(np.full((1, 10), -50.0))
    np.testing.assert_allclose(silent, 0.1)
    logits = np.random.default_rng(0).normal(0, 4, (100, 10))
    plain = PLAIN.probabilities(logits)
    knowing = REJECTING.probabilities(logits)
    np.testing.assert_allclose(knowing.sum(axis=1), 1)
    assert (knowing.argmax(axis=1) == plain.argmax(axis=1)).all()
    assert (knowing.max(axis=1) < plain.max(axis=1)).all()


@pytest.mark.parametrize("honest", [PLAIN, REJECTING])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_of_honest_logits_is_found(temperature, honest):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (N_CLIPS, 10))
    places = rng.random((N_CLIPS, 1)) < np.cumsum(honest.probabilities(logits), axis=1)
    digits = places.argmax(axis=1)
    fitted = Calibration.fit(
        logits * temperature, digits, rejects_unknown=honest.rejects_unknown
    )
    assert fitted.temperature == pytest.approx(temperature, rel=0.1)
    assert fitted.rejects_unknown is honest.rejects_unknown
    assert fitted.coverage == COVERAGE
    answered = fitted.should_answer(
        fitted.probabilities(logits * temperature).max(axis=1)
    )
    assert np.mean(answered) == pytest.approx(COVERAGE, abs=1e-3)


def test_a_clip_counts_for_the_temperature_as_it_is_weighted():
    logits = np.zeros((2, 10))
    logits[:, 0] = 1
    digits = np.array([0, 1])  # the first is right, the second wrong
    certain, doubtful = (
        Calibration.fit(logits, digits, weights=np.array(weights)).temperature
        for weights in ([1, 0], [0, 1])
    )
    assert (certain, doubtful) == pytest.approx((0.2, 5))


def test_it_answers_from_the_threshold_on_and_never_to_silence():
    confidence = np.array([0.4, 0.5, 0.6, np.nan])
    answered = Calibration(threshold=0.5).should_answer(confidence)
    assert answered.tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0; expected above 0"),
        ({"temperature": np.nan}, "temperature is nan"),
        ({"threshold": 1.5}, "threshold is 1.5; expected 0 to 1"),
        ({"threshold": -0.1}, "threshold is -0.1"),
        ({"coverage": 0.0}, "coverage is 0.0; expected above 0, up to 1"),
    ],
)
def test_what_is_out_of_range_is_refused(values, message):
    with pytest.raises(ModelError, match=message):
        Calibration(**values)


def test_digits_and_none_of_these_share_the_outcomes():
    logits = np.array([[5, *9 * [-4]], 10 * [-5]], np.float32)
    digit, other = REJECTING.outcomes(logits)
    assert digit[-1] < 0.01 and other[-1] > 0.9
    np.testing.assert_allclose(REJECTING.outcomes(logits).sum(axis=1), 1, rtol=1e-6)
    spread = REJECTING.probabilities(logits)
    np.testing.assert_allclose(spread[1], other[:10] + other[10] / 10, rtol=1e-6)
    plain = Calibration().outcomes(logits)
    assert (plain[:, -1] == 0).all()
    np.testing.assert_array_equal(plain[:, :10], Calibration().probabilities(logits))


def test_a_threshold_is_fitted_to_unknown_speakers_where_there_are_enough():
    logits = np.zeros((300, 10))
    logits[:, 0] = np.linspace(1, 4, 300)  # the least sure clips come first
    digits = np.zeros(300, dtype=int)
    is_unknown = np.arange(300) < 60
    fitted = Calibration.fit(logits, digits, is_unknown=is_unknown)
    alone = Calibration.fit(logits[:60], digits[:60])
    assert fitted == alone
    assert fitted.threshold < Calibration.fit(logits, digits).threshold


@pytest.mark.parametrize("n_unknown", [0, 49])
def test_without_unknown_speakers_a_threshold_claims_little(n_unknown):
    logits = np.zeros((300, 10))
    logits[:, 0] = 20
    digits, is_unknown = np.zeros(300, dtype=int), np.arange(300) < n_unknown
    assert Calibration.fit(logits, digits).threshold > 0.99
    fitted = Calibration.fit(logits, digits, is_unknown=is_unknown)
    assert fitted.threshold == 0.5
    few = Calibration.fit(logits[:10], digits[:10], is_unknown=np.ones(10, dtype=bool))
    assert few.threshold == 0.5, "these are unknown, but few"

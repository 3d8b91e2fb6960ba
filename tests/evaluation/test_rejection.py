from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiomnist.corpora.clips import Clip
from audiomnist.errors import ModelError
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.rejection import (
    MAX_THRESHOLDS,
    at_coverage,
    at_threshold,
    calibration,
    coverage_curve,
    expected_calibration_error,
)
from audiomnist.evaluation.significance import wilson
from audiomnist.recognition.calibration import choose_threshold


def _rows(confidence, predicted) -> np.ndarray:
    """Probabilities with the largest of this size and place; NaN for NaN."""
    confidence = np.asarray(confidence, dtype=np.float64)
    rows = np.repeat((1 - confidence)[:, None] / 9, 10, axis=1)
    rows[np.arange(len(rows)), predicted] = confidence
    return rows.astype(np.float32)


def _evaluation(confidence, is_right, other_words=()) -> Evaluation:
    """Clips predicted with this confidence, rightly or not."""
    digits = np.arange(len(confidence)) % 10
    clips = tuple(
        Clip(int(digit), "anna", i, Path(f"{digit}_anna_{i}.wav"))
        for i, digit in enumerate(digits)
    )
    predicted = np.where(is_right, digits, (digits + 1) % 10)
    other_rows = _rows(other_words, np.zeros(len(other_words), int))
    return Evaluation(clips, _rows(confidence, predicted), other_words=other_rows)


def _random(seed: int, n: int = 500, n_other_words: int = 80, n_silent: int = 0):
    """A model that is right as often as it is sure, and less sure of other words."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.15, 1, n)
    confidence[:n_silent] = np.nan
    others = rng.uniform(0.12, 0.9, n_other_words)
    is_right = rng.random(n) < np.nan_to_num(confidence)
    return _evaluation(confidence, is_right, others)


def test_a_threshold_counts_who_is_answered():
    result = _evaluation(
        [0.9, 0.8, 0.7, np.nan], [True, False, True, True], [0.85, 0.3, np.nan]
    )
    point = at_threshold(result, 0.75)
    assert (point.coverage.successes, point.coverage.n) == (2, 4)
    assert (point.accuracy.successes, point.accuracy.n) == (1, 2)
    assert (point.false_answers.successes, point.false_answers.n) == (1, 3)
    assert at_threshold(result, 0).coverage.successes == 3
    assert at_threshold(result, 0).false_answers.successes == 2


def test_a_threshold_includes_the_clip_that_it_was_taken_from():
    result = _random(0)
    surest = float(result.confidence.max())
    assert at_threshold(result, surest).coverage.successes == 1


@pytest.mark.parametrize("n_silent", [0, 30])
def test_the_curve_falls_as_the_threshold_rises(n_silent):
    result = _random(1, n_silent=n_silent)
    curve = coverage_curve(result)
    assert len(curve) <= MAX_THRESHOLDS + 1
    assert (np.diff(curve["threshold"]) > 0).all()
    assert (np.diff(curve["coverage"]) <= 0).all()
    assert (np.diff(curve["false_answers"]) <= 0).all()
    assert curve["coverage"].iloc[0] == (500 - n_silent) / 500
    assert curve["coverage"].iloc[-1] == 1 / 500
    assert curve["false_answers"].iloc[0] == 1


def test_each_row_of_the_curve_is_what_its_threshold_does():
    result = _random(2)
    for row in coverage_curve(result).itertuples():
        is_sure = result.confidence >= row.threshold
        assert row.coverage == is_sure.mean()
        assert row.accuracy == result.is_correct[is_sure].mean()
        ends = wilson(int(result.is_correct[is_sure].sum()), int(is_sure.sum()))
        assert (row.accuracy_low, row.accuracy_high) == ends
        n_false = int((result.other_confidence >= row.threshold).sum())
        assert row.false_answers == n_false / 80
        ends = wilson(n_false, 80)
        assert (row.false_answers_low, row.false_answers_high) == ends


def test_a_short_curve_has_every_useful_threshold_once():
    result = _evaluation([0.9, 0.9, 0.5], [True] * 3, [0.3])
    curve = coverage_curve(result)
    assert curve["threshold"].tolist() == pytest.approx([0, 0.5, 0.9])
    assert curve["coverage"].tolist() == pytest.approx([1, 1, 2 / 3])
    assert curve["false_answers"].tolist() == [1, 0, 0]


def test_the_curve_includes_a_threshold_that_is_asked_for():
    result = _random(3, n=5000)
    threshold = 0.4321
    assert threshold not in set(coverage_curve(result)["threshold"])
    curve = coverage_curve(result, threshold).set_index("threshold")
    exact = at_threshold(result, threshold)
    assert curve.loc[threshold, "coverage"] == exact.coverage.value
    assert curve.loc[threshold, "accuracy"] == exact.accuracy.value


def test_shares_of_nothing_are_nan():
    without_other_words = coverage_curve(_random(4, n_other_words=0))
    columns = ["false_answers", "false_answers_low", "false_answers_high"]
    assert without_other_words[columns].isna().all(axis=None)
    assert without_other_words.drop(columns=columns).notna().all(axis=None)
    nobody_answered = coverage_curve(_evaluation([0.5], [True]), 0.9).iloc[-1]
    assert nobody_answered["coverage"] == 0
    assert np.isnan(nobody_answered["accuracy"])


def test_silence_alone_has_a_curve_of_one_row():
    result = _evaluation([np.nan] * 3, [True] * 3, [0.5])
    curve = coverage_curve(result)
    assert curve[["threshold", "coverage", "false_answers"]].to_numpy().tolist() == [
        [0, 0, 1]
    ]
    assert calibration(result).empty
    assert np.isnan(expected_calibration_error(result))


@pytest.mark.parametrize("coverage", [0.005, 0.5, 0.9, 0.98, 1.0])
@pytest.mark.parametrize("n", [1, 7, 50, 333])
def test_at_coverage_agrees_with_the_threshold_that_a_model_chooses(n, coverage):
    result = _random(n, n=n)
    point = at_coverage(result, coverage)
    assert point.threshold == choose_threshold(result.probabilities, coverage)
    assert point == at_threshold(result, point.threshold)
    assert point.coverage.value >= coverage
    higher = at_threshold(result, np.nextafter(np.float32(point.threshold), 2))
    assert higher.coverage.value < coverage


def test_at_coverage_counts_silence_among_the_clips():
    result = _random(5, n=100, n_silent=10)
    assert at_coverage(result, 0.9).coverage.successes == 90
    with pytest.raises(ModelError, match="found in 90 of 100 clips"):
        at_coverage(result, 0.91)


@pytest.mark.parametrize("coverage", [0, -0.1, 1.1])
def test_at_coverage_refuses_what_is_no_part(coverage):
    with pytest.raises(ValueError, match="coverage"):
        at_coverage(_random(6), coverage)


def test_at_coverage_needs_clips():
    with pytest.raises(ValueError, match="of 0 clips"):
        at_coverage(Evaluation((), np.zeros((0, 10), np.float32)), 0.5)


def test_a_calibrated_model_has_next_to_no_calibration_error():
    result = _random(7, n=40_000)
    assert expected_calibration_error(result) < 0.015
    table = calibration(result)
    assert table["n"].sum() == 40_000
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= 1)).all()
    assert np.abs(table["accuracy"] - table["confidence"]).max() < 0.04


def test_an_overconfident_model_has_the_error_that_it_was_given():
    """It says 95 % and is right in 7 of 10 clips."""
    is_right = np.arange(1000) % 10 < 7
    result = _evaluation(np.full(1000, 0.95), is_right)
    assert expected_calibration_error(result) == pytest.approx(0.25, abs=1e-6)
    (row,) = calibration(result).itertuples()
    assert (row.accuracy, row.n) == (0.7, 1000)
    assert row.confidence == pytest.approx(0.95)
    assert (row.low, row.high) == wilson(700, 1000)


def test_too_sure_and_too_unsure_do_not_cancel_out():
    confidence = [0.95] * 100 + [0.55] * 300
    result = _evaluation(confidence, [False] * 100 + [True] * 300)
    expected = (100 * 0.95 + 300 * 0.45) / 400
    assert expected_calibration_error(result) == pytest.approx(expected, abs=1e-6)
    assert expected_calibration_error(result, n_bins=1) < expected


def test_bins_hold_their_upper_end():
    result = _evaluation([0.5, 0.51, 1.0], [True] * 3)
    assert calibration(result, n_bins=2)["n"].tolist() == [1, 2]


def test_silence_has_no_part_in_the_calibration():
    silent, answered = _random(8, n_silent=200), _random(8)
    assert calibration(silent)["n"].sum() == 300
    assert expected_calibration_error(silent) < 0.2
    assert silent.accuracy.value < answered.accuracy.value - 0.1


def test_other_words_have_no_part_in_the_calibration():
    result = _random(9)
    alone = replace(result, other_words=np.zeros((0, 10), np.float32))
    assert calibration(result).equals(calibration(alone))


def test_a_calibration_needs_bins():
    with pytest.raises(ValueError, match="0 bins"):
        calibration(_random(10), n_bins=0)
    with pytest.raises(ValueError, match="0 bins"):
        expected_calibration_error(_random(10), n_bins=0)

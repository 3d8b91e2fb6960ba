"""The figures that the evaluate page offers as a file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from audiomnist.evaluation.files import load_evaluation
from audiomnist.evaluation.rejection import at_threshold, expected_calibration_error
from audiomnist.recognition.models import DEFAULT_MODEL, find_model
from audiomnist.ui.evaluate.report import _figures


@pytest.mark.parametrize("has_other_words", [False, True])
def test_the_figures_for_download_say_when_to_answer(has_other_words):
    model = find_model(DEFAULT_MODEL)
    sure = np.linspace(0.2, 0.8, 40 if has_other_words else 0)
    rows = np.repeat((1 - sure)[:, None] / 9, 10, axis=1).astype(np.float32)
    rows[:, 3] = sure
    rows[-1:] = np.nan  # no speech was found in the last
    saved = load_evaluation(model.folder)
    evaluation = replace(saved, other_words=rows, other_word_names=())
    figures = _figures(model, "", evaluation)
    again = json.loads(json.dumps(figures, allow_nan=False))
    assert again == figures
    point = at_threshold(evaluation, model.calibration.threshold)
    assert again["threshold"] == model.calibration.threshold
    assert again["digits_answered"]["share"] == point.coverage.value
    assert again["right_among_the_answered"]["n"] == point.accuracy.n
    assert again["expected_calibration_error"] == expected_calibration_error(evaluation)
    row = next(
        r
        for r in again["coverage_curve"]
        if r["threshold"] == model.calibration.threshold
    )
    if has_other_words:
        assert again["other_words_answered"]["share"] == point.false_answers.value
        assert row["false_answers"] == point.false_answers.value
    else:
        assert again["other_words_answered"] is None
        assert row["false_answers"] is None

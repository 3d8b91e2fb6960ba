"""Answers explained in words."""

import numpy as np
import pytest

from audiomnist.features.config import FeatureConfig
from audiomnist.features.speech import Speech
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.recognizer import NOT_A_DIGIT, NOT_SURE, Prediction
from audiomnist.runs.presets import preset
from audiomnist.ui import answers


def prediction_of(
    digit: int | None, reason: str, likeliest: float, second: float, unknown: float
) -> Prediction:
    """Seven is likeliest, then two; what is left is shared by the other digits."""
    outcomes = np.full(11, (1 - likeliest - second - unknown) / 8)
    outcomes[[7, 2, 10]] = likeliest, second, unknown
    return Prediction(digit, outcomes, Speech(0.1, 0.5), 1.0, reason)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        (prediction_of(None, NOT_SURE, 0.15, 0.1, 0), "most like 7, with 15 %, which"),
        (prediction_of(None, NOT_A_DIGIT, 0.1, 0, 0.8), "not a digit, with 80 %"),
        (prediction_of(7, "", 0.6, 0.38, 0), "choice is 2 with 38 %, after 7 with 60"),
        (prediction_of(7, "", 0.99, 0, 0), "no digit other than 7 is at all likely"),
        (prediction_of(7, "", 0.2, 0, 0.7), "it more likely that this is not a digit"),
    ],
)
def test_an_answer_is_explained(prediction, expected):
    assert expected in answers.explain(prediction).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        (prediction_of(7, "", 0.97, 0, 0), "**“seven”, 97 % sure**"),
        (prediction_of(7, "", 0.4, 0.3, 0.1), "**“seven”, only 40 % sure**"),
        (
            prediction_of(7, "", 0.2, 0, 0.77),
            "**“seven”, 20 %, but more likely not a digit, 77 %**",
        ),
        (prediction_of(None, NOT_SURE, 0.4, 0.3, 0.2), "Not sure: 7 is likeliest, 40"),
        (prediction_of(None, NOT_A_DIGIT, 0.1, 0, 0.8), "does not sound like a digit"),
    ],
)
def test_the_answer_says_how_sure_it_is(prediction, expected, monkeypatch):
    said = []
    monkeypatch.setattr(answers.st, "markdown", said.append)
    answers.show_digit(prediction)
    assert expected in said[0].replace("\N{NO-BREAK SPACE}", " ")


def test_a_model_that_rejects_nothing_has_no_bar_for_it():
    prediction = prediction_of(7, "", 0.5, 0.1, 0.2)
    names = [
        answers.bars(
            prediction, Calibration(rejects_unknown=rejects), is_public=True
        ).alt
        for rejects in (True, False)
    ]
    assert "not a digit: 20\N{NO-BREAK SPACE}%" in names[0]
    assert "not a digit" not in names[1]


def test_what_reaches_a_model_is_told_by_how_it_is_fitted():
    assert "Only the shaded part" in answers.reach(FeatureConfig())
    window = preset("pretrained").features
    assert "is given 0.9 seconds around the middle" in answers.reach(window)

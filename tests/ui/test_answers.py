"""Answers explained in words."""

import numpy as np
import pytest

from audiomnist.features.config import FeatureConfig
from audiomnist.features.speech import Speech
from audiomnist.recognition.recognizer import NOT_A_DIGIT, NOT_SURE, Prediction
from audiomnist.runs.presets import preset
from audiomnist.ui import answers


@pytest.mark.parametrize(
    ("digit", "reason", "likeliest", "expected"),
    [
        (
            None,
            NOT_SURE,
            0.15,
            "most like 7, but 15 % is below this model’s threshold of 20 %",
        ),
        (None, NOT_SURE, 0.1996, "19.96 % is below this model’s threshold of 20.00 %"),
        (None, NOT_A_DIGIT, 0.11, "No bar stands out"),
        (7, "", 0.6, "second choice is 2 with 38 %, after 7 with 60 %"),
        (7, "", 0.99, "no digit other than 7 is at all likely"),
        (7, "", 0.45, "This answer is doubtful: 7 has only 45 %"),
        (
            7,
            "",
            0.3,
            "stands for “not a digit”, 78 % in all ten; without it 7 has 22 %",
        ),
    ],
)
def test_an_answer_is_explained(digit, reason, likeliest, expected):
    probabilities = np.full(10, 0.02 / 8)
    probabilities[7], probabilities[2] = likeliest, 0.98 - likeliest
    if not 0.5 < likeliest < 0.98:
        probabilities[:] = (1 - likeliest) / 9
        probabilities[7] = likeliest
    prediction = Prediction(digit, probabilities, Speech(0.1, 0.5), 1.0, reason)
    assert expected in answers.explain(prediction, 0.2)


def test_what_reaches_a_model_is_told_by_how_it_is_fitted():
    assert "Only the shaded part" in answers.reach(FeatureConfig())
    window = preset("pretrained").features
    assert "is given 0.9 seconds around the middle" in answers.reach(window)

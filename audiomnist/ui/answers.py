"""What a model made of a recording: the digit, how sure, and what it saw."""

import numpy as np
import streamlit as st

from audiomnist.digits import DIGIT_WORDS, N_DIGITS
from audiomnist.features.config import FeatureConfig
from audiomnist.plots.results import percent_text, plot_probabilities
from audiomnist.plots.sound import plot_features
from audiomnist.plots.style import Style
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.recognizer import (
    NO_SPEECH,
    NOT_A_DIGIT,
    Prediction,
    Recognition,
)
from audiomnist.ui import figures
from audiomnist.ui.figures import Picture

_SIGN = (
    '<div data-testid="answer" style="color: {colour}; font: 700 4.5rem/1 '
    "'Source Serif', serif\">{sign}</div>"
)


_DOUBTFUL = 0.5
"""Probability under which an answer is shown as a doubtful one."""

_NOTABLE = 0.02
"""Probability from which on a second guess is worth a word."""


def show_digit(prediction: Prediction, said: int | None = None) -> None:
    """Show the answer large, how sure it is and how long it took.

    Parameters
    ----------
    prediction
        The model's answer.
    said
        What was said, where that is known.
    """
    look = figures.style()
    colour = look.accent
    if prediction.probabilities is None:
        sign, text, colour = "–", NO_SPEECH.capitalize(), look.muted
    elif prediction.reason == NOT_A_DIGIT:
        sign, text, colour = "?", "This does not sound like a digit", look.second
    elif prediction.digit is None:
        best, sure = _likeliest(prediction)
        sign, colour = "?", look.second
        text = f"Not sure: {best} is likeliest, {percent(sure)}"
    else:
        sign = str(prediction.digit)
        word, sure = DIGIT_WORDS[prediction.digit], _likeliest(prediction)[1]
        text = f"“{word}”, {percent(sure)} sure"
        if prediction.unknown > sure:
            none = percent(prediction.unknown)
            text = f"“{word}”, {percent(sure)}, but more likely not a digit, {none}"
        elif sure < _DOUBTFUL:
            text = f"“{word}”, only {percent(sure)} sure"
        colour = look.second if sure < _DOUBTFUL else colour
        if said == prediction.digit:
            text += ". Right!"
        elif said is not None:
            text, colour = f"{text}. It was {said}.", look.second
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(_SIGN.format(colour=colour, sign=sign), width="content")
        with st.container(width="content", gap=None):
            st.markdown(f"**{text}**")
            st.caption(f"Answered in {prediction.latency_ms:.1f} ms")


def reach(features: FeatureConfig) -> str:
    """Say in two sentences how much of a recording reaches a model."""
    if features.fit == "window":
        seconds = features.n_frames * features.spectrum.hop
        return (
            f"The model is given {seconds:.1f} seconds around the middle of the shaded "
            "part of the wave, or all of a longer word. Check that the whole word is "
            "in there, and no other speech."
        )
    return (
        "Only the shaded part of the wave reaches the model. Check that it contains "
        "the whole word and nothing else."
    )


def _likeliest(prediction: Prediction) -> tuple[int, float]:
    """The likeliest digit of a word and its probability."""
    assert prediction.outcomes is not None
    digits = prediction.outcomes[:N_DIGITS]
    return int(digits.argmax()), float(digits.max())


def explain(prediction: Prediction) -> str:
    """Say in a sentence why there is this answer, or none.

    Parameters
    ----------
    prediction
        The model's answer, with probabilities.
    """
    outcomes = prediction.outcomes
    assert outcomes is not None
    first, likeliest = _likeliest(prediction)
    second = int(np.argsort(outcomes[:N_DIGITS])[-2])
    next_to = float(outcomes[second])
    if prediction.reason == NOT_A_DIGIT:
        return (
            f"To the model this is not a digit, with {percent(prediction.unknown)}: it "
            "sounds more like the other words and noises that it was trained to "
            "reject. It may be another word, a noise, or half of a digit: check that "
            "you can hear its beginning and its end."
        )
    if prediction.digit is None:
        return (
            f"It sounds most like {first}, with {percent(likeliest)}, which is not "
            "enough for this model to answer."
        )
    if prediction.unknown > likeliest:
        return (
            f"This answer is doubtful: no other digit comes as near as {first}, but "
            "the model thinks it more likely that this is not a digit at all."
        )
    if next_to < _NOTABLE:
        return (
            f"To the model, no digit other than {first} is at all likely. A word that "
            "sounds like a digit, such as “tree” for three, may still be mistaken for "
            "it."
        )
    return (
        f"Its second choice is {second} with {percent(next_to)}, after {first} with "
        f"{percent(likeliest)}."
    )


def bars(
    prediction: Prediction, calibration: Calibration, *, is_public: bool = False
) -> Picture:
    """Draw a bar for each digit and for none of them, and from where a model answers.

    A model that has not learned to reject other words has no bar for them. What is
    public is everybody's to hear, as the clips of a corpus are.
    """
    outcomes = prediction.outcomes
    assert outcomes is not None
    if not calibration.rejects_unknown:
        outcomes = outcomes[:N_DIGITS]
    # The threshold is compared with a digit's probability and its tenth of the rest.
    threshold = max(0.0, calibration.threshold - prediction.unknown / N_DIGITS)
    return _bars(is_public, outcomes, threshold, figures.style())


@figures.keep
def _bars(outcomes: np.ndarray, threshold: float, style: Style) -> Picture:
    """The bars in a style."""
    names = [*map(str, range(N_DIGITS)), "not a digit"]
    words = ", ".join(
        f"{name}: {percent(p)}" for name, p in zip(names, outcomes, strict=False)
    )
    return figures.draw(
        plot_probabilities(outcomes, style=style, threshold=threshold),
        alt=f"Probability of each digit. {words}.",
    )


def features(
    recognition: Recognition, config: FeatureConfig, *, is_public: bool = False
) -> Picture:
    """Draw what a network was given of a recording in which somebody speaks.

    What is public is everybody's to hear, as the clips of a corpus are.
    """
    values, step = recognition.features, recognition.frame_step
    assert values is not None and step is not None
    return _features(is_public, values, config, step, figures.style())


@figures.keep
def _features(
    values: np.ndarray, config: FeatureConfig, step: float, style: Style
) -> Picture:
    """The features, (n_bins, n_frames), in a style."""
    n_bins, n_frames = values.shape
    return figures.draw(
        plot_features(values, config, style=style, step=step),
        alt=f"{config.kind} image of {n_bins} by {n_frames} values.",
    )


def percent(probability: float | None) -> str:
    """A probability in whole percent, in tenths close to none and all."""
    if probability is None:
        return "–"
    return percent_text(probability)

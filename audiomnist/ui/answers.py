"""What a model made of a recording: the digit, how sure, and what it saw."""

import numpy as np
import streamlit as st

from audiomnist.digits import DIGIT_WORDS
from audiomnist.features.config import FeatureConfig
from audiomnist.plots.results import percent_text, plot_probabilities
from audiomnist.plots.sound import plot_features
from audiomnist.plots.style import Style
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
        best = int(prediction.probabilities.argmax())
        sign, colour = "?", look.second
        text = f"Not sure: {best} is likeliest, {percent(prediction.probability)}"
    else:
        sign = str(prediction.digit)
        sure = percent(prediction.probability)
        is_doubtful = float(prediction.probabilities.max()) < _DOUBTFUL
        only = "only " if is_doubtful else ""
        colour = look.second if is_doubtful else colour
        text = f"“{DIGIT_WORDS[prediction.digit]}”, {only}{sure} sure"
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


def explain(prediction: Prediction, threshold: float) -> str:
    """Say in a sentence why there is this answer, or none.

    Parameters
    ----------
    prediction
        The model's answer, with probabilities.
    threshold
        Probability from which on it answers.
    """
    probabilities = prediction.probabilities
    assert probabilities is not None
    second, first = np.argsort(probabilities)[-2:]
    likeliest, next_to = float(probabilities[first]), float(probabilities[second])
    if prediction.reason == NOT_A_DIGIT:
        return (
            "No bar stands out: to the model this sounds more like the other words "
            "and noises that it was trained to reject than like any digit. It may be "
            "another word, a noise, or half of a digit: check that you can hear its "
            "beginning and its end."
        )
    if prediction.digit is None:
        probability, limit = percent(likeliest), percent(threshold)
        if probability == limit:  # closer than whole percent tell
            probability, limit = f"{100 * likeliest:.2f} %", f"{100 * threshold:.2f} %"
        return (
            f"It sounds most like {first}, but {probability} is below this model’s "
            f"threshold of {limit}."
        )
    if likeliest < _DOUBTFUL:
        # Spread evenly over the digits: what every one of them has.
        least = float(probabilities.min())
        rest = f"without it {first} has {percent(likeliest - least)}"
        if next_to - least >= _NOTABLE:
            rest += f", and {second}, which comes second, {percent(next_to - least)}"
        return (
            f"This answer is doubtful: {first} has only {percent(likeliest)}, though "
            f"this model answers from {percent(threshold)} upwards. Part of every bar, "
            f"{percent(least)}, stands for “not a digit”, "
            f"{percent(len(probabilities) * least)} in all ten; {rest}."
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
    probabilities: np.ndarray, threshold: float, *, is_public: bool = False
) -> Picture:
    """Draw ten bars, one a digit, and the threshold from which on a model answers.

    What is public is everybody's to hear, as the clips of a corpus are.
    """
    return _bars(is_public, probabilities, threshold, figures.style())


@figures.keep
def _bars(probabilities: np.ndarray, threshold: float, style: Style) -> Picture:
    """The bars in a style."""
    words = ", ".join(f"{digit}: {percent(p)}" for digit, p in enumerate(probabilities))
    return figures.draw(
        plot_probabilities(probabilities, style=style, threshold=threshold),
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

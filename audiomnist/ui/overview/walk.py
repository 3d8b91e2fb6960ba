"""The overview's parts: pick a clip, and walk through what happens to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip, Corpus, load_audio
from audiomnist.features.config import KINDS, FeatureConfig
from audiomnist.features.speech import Speech
from audiomnist.networks.ann import ANN
from audiomnist.networks.cnn import CNN
from audiomnist.plots.sound import plot_spectrogram
from audiomnist.plots.style import Style
from audiomnist.recognition.models import Model, list_models
from audiomnist.recognition.recognizer import Recognition
from audiomnist.ui import answers, cached, figures, layout, listen, state
from audiomnist.ui.figures import Picture

_FIRST_DIGIT = 7

_NETWORKS = (ANN, CNN)  # after which two models that come with the app are named

_DESTINATIONS = (
    ("live", "Say a digit", "Record, upload or stream your own voice."),
    ("dataset", "Browse clips", "Hear who speaks, and add recordings."),
    ("train", "Train", "Watch a network learn, epoch by epoch."),
    ("evaluate", "Evaluate", "See which digits a model confuses."),
)


@dataclass(frozen=True, eq=False)
class Walk:
    """What one network makes of the clip.

    Parameters
    ----------
    name
        What the network is called: ANN or CNN.
    kind
        What it is made of.
    model
        The network with its preprocessing and threshold.
    recognition
        What it was given of the clip and what it answers.
    """

    name: str
    kind: str
    model: Model
    recognition: Recognition


def pick(corpus: Corpus) -> Clip:
    """Let the visitor pick a digit, and shuffle through its recordings."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    digit = left.pills(
        "Pick a digit",
        range(10),
        default=_FIRST_DIGIT,
        required=True,
        wrap=True,
        key=state.OVERVIEW_DIGIT,
        persist_state="session",
        help="Which digit is spoken in the recording.",
    )
    right.button(
        "Another voice", icon=":material/shuffle:", on_click=_next_turn, width="stretch"
    )
    return _clip(corpus, digit, st.session_state.get(state.OVERVIEW_TURN, 0))


def _clip(corpus: Corpus, digit: int, turn: int) -> Clip:
    """The clip at a turn of a digit's shuffled pack, in which each comes once."""
    clips = [clip for clip in corpus.clips if clip.digit == digit]
    order = np.random.default_rng(digit).permutation(len(clips))
    return clips[order[turn % len(clips)]]


def _next_turn() -> None:
    """Go on to the next recording of the pack."""
    turn = st.session_state.get(state.OVERVIEW_TURN, 0)
    st.session_state[state.OVERVIEW_TURN] = turn + 1


def spectrogram(audio: Audio) -> Picture:
    """Draw how strong each pitch of a corpus's clip is at each moment."""
    return _spectrogram(True, audio, figures.style())


@figures.keep
def _spectrogram(audio: Audio, style: Style) -> Picture:
    """The spectrogram in a style."""
    return figures.draw(
        plot_spectrogram(audio, style=style),
        alt="Spectrogram: time to the right, frequency upwards, brightness is level.",
    )


def recognize(audio: Audio) -> list[Walk]:
    """Let the ANN and the CNN that come with the app recognize the clip, once each.

    Returns
    -------
    list
        The CNN last; empty where neither came with the app.
    """
    names = list_models()
    return [
        Walk(
            network.title,
            network.gist,
            (recognizer := cached.recognizer(network.name)).model,
            recognizer.recognize(audio),
        )
        for network in _NETWORKS
        if network.name in names
    ]


def sound(audio: Audio, walks: Sequence[Walk]) -> Picture:
    """Draw the wave, with the word as the last of the networks is given it."""
    speech = walks[-1].recognition.prediction.speech if walks else None
    return listen.wave(audio, speech, is_public=True)


def show_sound(audio: Audio, walks: Sequence[Walk]) -> None:
    """Show the wave, and say whose span of the word is shaded."""
    figures.show(sound(audio, walks))
    said = "A microphone measures the air pressure thousands of times a second."
    if walks and walks[-1].recognition.prediction.speech is not None:
        said += (
            f" The shaded part is the word, as the {walks[-1].name} finds it: a soft "
            "beginning or end may lie outside."
        )
    st.markdown(said)


def show_input(walk: Walk) -> None:
    """Show what a network is given of the recording."""
    config, speech = walk.model.features, walk.recognition.prediction.speech
    if speech is None:
        st.markdown(
            "It finds no speech in this recording, so there is nothing to recognize."
        )
        return
    kind = KINDS[config.kind]
    st.markdown(
        f"**{kind.title}:** {kind.describe(config)} {_place(config, speech)}",
        help=kind.sentence,
    )
    figures.show(answers.features(walk.recognition, config, is_public=True))


def show_answer(walk: Walk, said: int) -> None:
    """Show what a network makes of the recording."""
    prediction = walk.recognition.prediction
    answers.show_digit(prediction, said)
    if prediction.probabilities is not None:
        figures.show(answers.bars(prediction, walk.model.calibration, is_public=True))


def _place(config: FeatureConfig, speech: Speech) -> str:
    """Say in a sentence which part of the recording a network is given."""
    span = f"from {speech.start:.2f} to {speech.end:.2f} s"
    if config.fit == "window":
        return (
            f"The word, {span}, is in the middle; the network is also given what was "
            "recorded around it."
        )
    return f"The network is given the word alone, {span}."


def rehearse() -> None:
    """Do what opening the page takes, for nobody: whoever comes first finds it done.

    Pictures are drawn in the light theme, for no visitor has chosen one yet.

    Raises
    ------
    AudioMnistError
        If the recordings or a model cannot be read.
    """
    audio = load_audio(_clip(cached.corpus("embedded"), _FIRST_DIGIT, 0))
    walks = recognize(audio)
    sound(audio, walks)
    spectrogram(audio)
    for walk in walks:
        model, recognition = walk.model, walk.recognition
        if recognition.prediction.probabilities is not None:
            answers.features(recognition, model.features, is_public=True)
            answers.bars(recognition.prediction, model.calibration, is_public=True)


def invite() -> None:
    """Point to what can be done on the other pages."""
    for column, (page, label, text) in zip(
        st.columns(len(_DESTINATIONS)), _DESTINATIONS, strict=True
    ):
        with column, st.container(border=True, height="stretch"):
            layout.link(page, f"**{label}**")
            st.caption(text)

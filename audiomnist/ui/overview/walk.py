"""The overview's parts: pick a clip, and walk through what happens to it."""

import numpy as np
import streamlit as st

from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip, Corpus, load_audio
from audiomnist.features.config import FeatureConfig
from audiomnist.features.speech import find_speech
from audiomnist.plots.sound import plot_spectrogram
from audiomnist.plots.style import Style
from audiomnist.recognition.models import list_models
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.ui import answers, cached, figures, layout, listen, state
from audiomnist.ui.figures import Picture

_FIRST_DIGIT = 7

_NETWORKS = {"ann": "ANN: dense layers", "cnn": "CNN: sliding filters"}

_DESTINATIONS = (
    ("live", "Say a digit", "Record, upload or stream your own voice."),
    ("dataset", "Browse clips", "Hear who speaks, and add recordings."),
    ("train", "Train", "Watch a network learn, epoch by epoch."),
    ("evaluate", "Evaluate", "See which digits a model confuses."),
)


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
        help="Which digit the recording says.",
    )
    right.button("Another voice", icon="🔀", on_click=_next_turn, width="stretch")
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


def networks() -> list[tuple[str, Recognizer]]:
    """The models that come with the app, with what each is called."""
    found = [
        (title, cached.recognizer(name))
        for name, title in _NETWORKS.items()
        if name in list_models()
    ]
    if not found:
        layout.empty("No trained model came with the app. Train one on the Train page.")
    return found


def show_input(recognizer: Recognizer, audio: Audio) -> None:
    """Show what a network is given of the recording."""
    config = recognizer.model.features
    st.markdown(_describe(config))
    figures.show(answers.features(audio, config, is_public=True))


def show_answer(recognizer: Recognizer, audio: Audio, said: int) -> None:
    """Show what a network makes of the recording."""
    prediction = recognizer.predict(audio)
    answers.show_digit(prediction, said)
    if prediction.probabilities is not None:
        threshold = recognizer.model.threshold
        figures.show(answers.bars(prediction.probabilities, threshold, is_public=True))


def _describe(config: FeatureConfig) -> str:
    """Say in a sentence what a network is given, with its numbers."""
    spectrum = config.spectrum
    window_ms = 1000 * spectrum.win_length / spectrum.sample_rate
    if config.kind == "mfcc":
        return (
            f"**MFCC:** {config.n_mfcc} numbers for each slice of {window_ms:.0f} ms, "
            "which say how its spectrum is shaped."
        )
    return (
        f"**Log-mel:** the loudness of {config.n_mels} pitch bands in each slice of "
        f"{window_ms:.0f} ms, as our ears divide them."
    )


def rehearse() -> None:
    """Do what opening the page takes, for nobody: whoever comes first finds it done.

    Pictures are drawn in the light theme, for no visitor has chosen one yet.

    Raises
    ------
    AudioMnistError
        If the recordings or a model cannot be read.
    """
    audio = load_audio(_clip(cached.corpus("embedded"), _FIRST_DIGIT, 0))
    listen.wave(audio, find_speech(audio), is_public=True)
    spectrogram(audio)
    for name in list_models():
        if name in _NETWORKS:
            recognizer = cached.recognizer(name)
            model, heard = recognizer.model, recognizer.predict(audio)
            answers.features(audio, model.features, is_public=True)
            if heard.probabilities is not None:
                answers.bars(heard.probabilities, model.threshold, is_public=True)


def invite() -> None:
    """Point to what can be done on the other pages."""
    for column, (page, label, text) in zip(
        st.columns(len(_DESTINATIONS)), _DESTINATIONS, strict=True
    ):
        with column, st.container(border=True, height="stretch"):
            layout.link(page, f"**{label}**")
            st.caption(text)

"""Hear a clip and see its wave: the same on every page."""

import streamlit as st

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.digits import article
from audiomnist.features.speech import Speech
from audiomnist.plots.sound import plot_waveform
from audiomnist.plots.style import Style
from audiomnist.ui import figures, layout
from audiomnist.ui.figures import Picture


def play(audio: Audio, alt: str) -> None:
    """Show a player; wav, which every browser understands."""
    st.audio(encode_wav(audio), format="audio/wav", alt=alt)


def wave(audio: Audio, speech: Speech | None, *, is_public: bool = False) -> Picture:
    """Draw the wave, with the speech shaded that a model was given of it.

    What is public is everybody's to hear, as the clips of a corpus are.
    """
    return _wave(is_public, audio, speech, figures.style())


@figures.keep
def _wave(audio: Audio, speech: Speech | None, style: Style) -> Picture:
    """The wave in a style."""
    where = (
        f"speech from {speech.start:.2f} to {speech.end:.2f} s"
        if speech
        else "no speech marked"
    )
    return figures.draw(
        plot_waveform(audio, speech, style=style),
        alt=f"Wave of a recording of {audio.duration:.2f} s, {where}.",
    )


def describe(clip: Clip, corpus: Corpus) -> str:
    """Say what a clip is, in a line of Markdown."""
    voice = "synthetic voice" if corpus.is_synthetic else "speaker"
    speaker = layout.plain(clip.speaker)
    begin = article(clip.digit).capitalize()
    return f"{begin} **{clip.digit}** by {voice} **{speaker}**, take {clip.take}"

"""One way through the pages: each shows the recognition that its model made, once."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest
import streamlit as st
import streamlit_webrtc
from streamlit.testing.v1 import AppTest
from visitor import open_page, text, widget

from audiomnist.audio.decoding import decode, load
from audiomnist.audio.signal import Audio
from audiomnist.corpora import library
from audiomnist.corpora.clips import Corpus
from audiomnist.features.spectra import power_spectra
from audiomnist.features.speech import Speech
from audiomnist.plots.sound import plot_features, plot_waveform
from audiomnist.recognition.models import DEFAULT_MODEL, Model, find_model
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.settings import REPOSITORY
from audiomnist.ui import cached, state
from audiomnist.ui.live import sources

SEVEN = REPOSITORY / "docs" / "seven.wav"
START, END = 0.115, 0.485
"""Where the CNN and the default model take the word from `SEVEN`, in seconds."""


@dataclass
class Seen:
    """What a page did, in order.

    Parameters
    ----------
    n_decoded, n_transformed
        Recordings that were decoded, and those whose spectra were computed.
    given
        What the networks were given, each (n_clips, n_bins, n_frames).
    spans, features
        What was shaded in the waves and drawn as features, (n_bins, n_frames).
    """

    n_decoded: int = 0
    n_transformed: int = 0
    given: list[np.ndarray] = field(default_factory=list)
    spans: list[Speech | None] = field(default_factory=list)
    features: list[np.ndarray] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Seen]:
    """Note what is done meanwhile; whatever is noted does its work all the same."""
    seen, outcomes = Seen(), Model.outcomes

    def counted_decode(*given: Any, **named: Any) -> Audio:
        seen.n_decoded += 1
        return decode(*given, **named)

    def counted_spectra(audios: Any, config: Any) -> Any:
        seen.n_transformed += len(audios)
        return power_spectra(audios, config)

    def noted_waveform(audio: Audio, speech: Speech | None, **named: Any) -> Any:
        seen.spans.append(speech)
        return plot_waveform(audio, speech, **named)

    def noted_features(values: np.ndarray, *given: Any, **named: Any) -> Any:
        seen.features.append(values)
        return plot_features(values, *given, **named)

    def noted_outcomes(model: Model, features: np.ndarray) -> np.ndarray:
        seen.given.append(features)
        return outcomes(model, features)

    st.cache_data.clear()  # so that every picture is drawn
    with ExitStack() as stack:
        for function, wrapper in (
            (decode, counted_decode),
            (power_spectra, counted_spectra),
            (plot_waveform, noted_waveform),
            (plot_features, noted_features),
        ):
            for module in users(function):
                stack.enter_context(
                    mock.patch.object(module, function.__name__, wrapper)
                )
        stack.enter_context(mock.patch.object(Model, "outcomes", noted_outcomes))
        yield seen


def users(function: Callable[..., Any]) -> list[Any]:
    """The modules of the package in which a function is known by its name."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("audiomnist.")
        and getattr(module, function.__name__, None) is function
    ]


@pytest.fixture
def seven(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """A corpus of `SEVEN` alone, which the pages take for the one they begin with."""
    folder = tmp_path / "seven"
    folder.mkdir()
    (folder / "7_anna_0.wav").write_bytes(SEVEN.read_bytes())
    corpus = library.import_corpus("seven", folder).corpus
    monkeypatch.setattr(cached, "corpus", lambda name: corpus)
    return corpus


def span(model: str) -> Speech:
    """Where a model takes the word from `SEVEN`."""
    speech = Recognizer(find_model(model)).predict(load(SEVEN)).speech
    assert speech is not None
    return speech


def test_overview_recognizes_a_clip_once_with_each_network(seven):
    page = open_page("overview")
    with watched() as seen:
        page.run()
    assert not page.exception and not page.error
    assert seen.n_decoded == 1
    assert seen.n_transformed == 2, "their preprocessing differs"
    assert seen.spans == [span("cnn")]
    (shaded,) = seen.spans
    assert (shaded.start, shaded.end) == pytest.approx((START, END))
    assert "the word, as the CNN finds it" in text(page)
    ann, cnn = span("ann"), span("cnn")
    for speech in (ann, cnn):
        assert f"from {speech.start:.2f} to {speech.end:.2f} s" in text(page)
    assert ann != cnn
    assert len(seen.given) == 2
    for drawn, (given,) in zip(seen.features, seen.given, strict=True):
        np.testing.assert_array_equal(drawn, given)


def test_dataset_recognizes_a_clip_once_with_the_default_model(seven):
    page = open_page("dataset")
    with watched() as seen:
        page.run()
    assert not page.exception and not page.error
    assert (seen.n_decoded, seen.n_transformed) == (1, 1)
    assert seen.spans == [span(DEFAULT_MODEL)]
    (shaded,) = seen.spans
    assert (shaded.start, shaded.end) == pytest.approx((START, END))
    assert f"as the default model ({DEFAULT_MODEL}) finds it" in text(page)


def test_dataset_without_models_shades_nothing(seven, no_models):
    page = open_page("dataset")
    with watched() as seen:
        page.run()
    assert not page.exception and not page.error
    assert (seen.n_decoded, seen.n_transformed) == (1, 0)
    assert seen.spans == [None]
    assert "shaded" not in text(page)


def test_evaluate_recognizes_a_mistake_once(home, tiny_folder):
    library.import_corpus("tiny", tiny_folder)
    page = open_page("evaluate", model="ann")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    page.session_state[state.EVALUATE_VIEW] = "Mistakes"
    page.run()
    with watched() as seen:
        page.run()
    assert not page.exception and not page.error
    assert (seen.n_decoded, seen.n_transformed) == (1, 1)
    assert len(seen.spans) == 1 and seen.spans[0] is not None
    ((given,),), (drawn,) = seen.given, seen.features
    np.testing.assert_array_equal(drawn, given)


def open_way(way: str) -> AppTest:
    """The live page with a way in chosen."""
    page = open_page("live")
    return widget(page, "button_group", "Input").set_value(way).run()


@pytest.mark.parametrize("way", [sources.RECORD, sources.UPLOAD])
def test_live_recognizes_a_recording_once(way):
    page = open_way(way)
    kind = "audio_input" if way == sources.RECORD else "file_uploader"
    page.get(kind)[0].upload("seven.wav", SEVEN.read_bytes()).run()
    with watched() as seen:
        page.run()
    assert not page.exception and not page.error
    assert (seen.n_decoded, seen.n_transformed) == (1, 1)
    assert seen.spans == [span(DEFAULT_MODEL)]
    (shaded,) = seen.spans
    assert (shaded.start, shaded.end) == pytest.approx((START, END))
    ((given,),), (drawn,) = seen.given, seen.features
    np.testing.assert_array_equal(drawn, given)


def test_live_recognizes_a_word_of_a_stream_once(monkeypatch):
    playing = SimpleNamespace(playing=True, signalling=False)
    monkeypatch.setattr(
        streamlit_webrtc,
        "webrtc_streamer",
        lambda **given: SimpleNamespace(state=playing),
    )
    page = open_way(sources.STREAM)
    listener = page.session_state[state.LIVE_LISTENER]
    audio = load(SEVEN)
    samples = np.round(np.pad(audio.samples, audio.sample_rate) * 32768)
    frame = SimpleNamespace(
        to_ndarray=lambda: samples.astype(np.int16)[None, :],
        layout=SimpleNamespace(channels=("mono",)),
        sample_rate=audio.sample_rate,
    )
    with watched() as seen:
        asyncio.run(listener.receive([frame]))
        page.run()
        page.run()
    assert not page.exception and not page.error
    assert (seen.n_decoded, seen.n_transformed) == (0, 1)
    word = listener.last
    assert seen.spans == [word.prediction.speech]
    start, end = word.prediction.speech.start, word.prediction.speech.end
    # A second of silence came before the recording.
    assert word.offset + start == pytest.approx(1 + START, abs=0.02)
    assert word.offset + end == pytest.approx(1 + END, abs=0.02)
    ((given,),), (drawn,) = seen.given, seen.features
    np.testing.assert_array_equal(drawn, given)

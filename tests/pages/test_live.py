"""The live page: its recorder, its upload and its stream."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit_webrtc
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest
from streamlit_webrtc.webrtc import SignallingTimeoutError
from visitor import APP, errors, open_page, press, text, widget

from audiomnist.audio.decoding import decode
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.audio.signal import Audio
from audiomnist.features.mfcc import MFCC
from audiomnist.recognition.models import DEFAULT_MODEL, find_model
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.ui import state
from audiomnist.ui.layout import script
from audiomnist.ui.live import sources


@pytest.fixture
def recording(spoken: Callable[..., Audio]) -> bytes:
    """A wav file with one word between silences."""
    word = spoken(3, sample_rate=16_000).samples
    samples = np.random.default_rng(0).normal(0, 1e-4, 32_000).astype(np.float32)
    samples[8000 : 8000 + len(word)] += word
    return encode_wav(Audio(samples, 16_000))


@pytest.fixture
def silence() -> bytes:
    """A wav file in which nobody speaks."""
    noise = np.random.default_rng(0).normal(0, 1e-5, 32_000)
    return encode_wav(Audio(noise.astype(np.float32), 16_000))


def open_way(way: str, **query: str) -> AppTest:
    """The live page with a way in chosen."""
    page = open_page("live", **query)
    widget(page, "button_group", "Input").set_value(way).run()
    assert not page.exception
    return page


def test_live_without_models_points_to_training(no_models):
    assert "no trained model yet" in text(open_page("live"))


def test_live_begins_with_the_recorder_and_the_default_model():
    page = open_page("live")
    assert len(page.get("audio_input")) == 1
    assert "Nothing recorded yet" in text(page)
    assert widget(page, "selectbox", "Model").value == DEFAULT_MODEL


def test_live_recognizes_a_recording_with_the_model_of_the_address(recording):
    page = open_page("live", model="ann")
    page.get("audio_input")[0].upload("word.wav", recording).run()
    assert not page.exception and not page.error
    prediction = Recognizer(find_model("ann")).predict_bytes(recording)
    sign = "?" if prediction.digit is None else str(prediction.digit)
    assert f">{sign}</div>" in text(page)
    assert "Answered in" in text(page)
    assert len(page.get("image")) == 3
    assert MFCC.sentence in {line.help for line in page.markdown}
    assert widget(page, "selectbox", "Model").value == "ann"


def test_live_finds_no_digit_in_silence(silence):
    page = open_page("live")
    page.get("audio_input")[0].upload("silence.wav", silence).run()
    assert "No speech heard" in text(page)
    assert len(page.get("image")) == 1


def test_live_recognizes_an_uploaded_file(recording):
    page = open_way(sources.UPLOAD)
    assert "Choose a sound file" in text(page)
    page.get("file_uploader")[0].upload("three.wav", recording).run()
    assert "Answered in" in text(page)
    assert len(page.get("audio")) == 1


@pytest.mark.parametrize("content", [b"", b"not a sound at all", b"RIFF\0\0\0\0WAVE"])
def test_live_says_what_is_wrong_with_a_file(content):
    page = open_way(sources.UPLOAD)
    page.get("file_uploader")[0].upload("bad.wav", content).run()
    assert not page.exception
    assert "bad.wav" in errors(page)[0]
    assert "shown to nobody else" in text(page), "the page goes on"


def test_a_refused_file_leaves_no_former_answer(recording):
    page = open_way(sources.UPLOAD)
    uploader = page.get("file_uploader")[0]
    assert FORMAT_NAMES in text(page)
    assert not uploader.proto.type, "the browser refuses no type on its own"
    uploader.upload("three.wav", recording).run()
    assert "Answered in" in text(page)
    page.get("file_uploader")[0].upload("note.txt", b"three").run()
    assert "note.txt is not a sound file" in errors(page)[0]
    assert "Answered in" not in text(page)
    assert not page.get("audio") and not page.get("image")


def test_a_refused_recording_leaves_no_former_answer(recording):
    page = open_page("live")
    page.get("audio_input")[0].upload("word.wav", recording).run()
    assert "Answered in" in text(page)
    page.get("audio_input")[0].upload("word.wav", b"RIFF, or so it says").run()
    assert errors(page)
    assert "Answered in" not in text(page) and not page.get("image")


def test_live_warns_where_a_browser_gives_no_microphone():
    page = AppTest.from_file(APP, default_timeout=60)
    page.context["url"] = "http://192.168.1.5:8501/live"
    page.run().switch_page(script("live")).run()
    assert "https pages and on localhost" in page.warning[0].value
    page.context["url"] = "https://digits.example.org/live"
    assert not page.run().warning


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for the WebRTC component, which AppTest cannot show."""
    fake = SimpleNamespace(playing=False, signalling=False, error=None, given={})

    def webrtc_streamer(**given: Any) -> SimpleNamespace:
        fake.given = given
        if fake.error:
            raise fake.error
        return SimpleNamespace(state=fake)

    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", webrtc_streamer)
    return fake


def test_live_stream_asks_for_unchanged_sound_and_no_foreign_server(stream):
    page = open_way(sources.STREAM)
    assert "Nothing recognized yet" in text(page)
    audio = stream.given["media_stream_constraints"]["audio"]
    assert set(audio.values()) == {False} and len(audio) == 3
    assert stream.given["media_stream_constraints"]["video"] is False
    assert stream.given["rtc_configuration"] == {"iceServers": []}
    assert stream.given["mode"] is streamlit_webrtc.WebRtcMode.SENDONLY


def test_live_stream_uses_the_servers_of_the_deployment(stream, monkeypatch):
    monkeypatch.setenv("AUDIOMNIST_ICE_SERVERS", '[{"urls": "stun:example.org"}]')
    open_way(sources.STREAM)
    assert stream.given["rtc_configuration"]["iceServers"] == [
        {"urls": "stun:example.org"}
    ]


def test_live_stream_shows_what_was_recognized(stream, recording):
    page = open_way(sources.STREAM)
    stream.playing = True
    page.run()
    assert "Listening" in text(page)
    listener = page.session_state[state.LIVE_LISTENER]
    assert stream.given["queued_audio_frames_callback"] == listener.receive
    asyncio.run(listener.receive([frame(recording)]))
    page.run()
    assert "## Recognized: :primary[" in text(page)
    assert len(page.get("image")) == 3
    widget(page, "selectbox", "Model").set_value("ann").run()
    assert "Listening" in text(page)
    assert "Recognized:" not in text(page), "another model begins anew"


def test_live_stream_shows_the_last_word_when_it_is_stopped(stream, recording):
    page = open_way(sources.STREAM)
    stream.playing = True
    page.run()
    listener = page.session_state[state.LIVE_LISTENER]
    begun = Audio(decode(recording).samples[:14_400], 16_000)  # in it, a word begins
    asyncio.run(listener.receive([frame(encode_wav(begun))]))
    assert "Recognized:" not in text(page.run())
    stream.playing = False
    assert "## Recognized: :primary[" in text(page.run())


@pytest.fixture
def streamed(stream: SimpleNamespace, recording: bytes) -> AppTest:
    """The live page with one streamed word on it."""
    page = open_way(sources.STREAM)
    stream.playing = True
    page.run()
    listener = page.session_state[state.LIVE_LISTENER]
    asyncio.run(listener.receive([frame(recording)]))
    assert "Recognized:" in text(page.run())
    return page


def test_the_large_answer_of_a_stream_is_called_the_last_word(streamed):
    lines = [line.value for line in streamed.markdown]
    assert lines.index("### The last word") > next(
        at for at, line in enumerate(lines) if "Recognized" in line
    )
    assert "Answered in" in text(streamed)


def test_a_visitor_clears_the_streamed_list(streamed):
    press(streamed, "Clear the list")
    assert "Listening" in text(streamed), "the stream goes on"
    assert "Recognized:" not in text(streamed) and not streamed.get("image")
    assert not streamed.session_state[state.LIVE_LISTENER].digits


@pytest.mark.parametrize("leave", ["another page", "another input"])
def test_streamed_words_are_forgotten_on_leaving(streamed, stream, leave):
    listener = streamed.session_state[state.LIVE_LISTENER]
    if leave == "another page":
        streamed.switch_page(script("evaluate")).run()
        assert state.LIVE_LISTENER not in streamed.session_state
        stream.playing = False
        streamed.switch_page(script("live")).run()
    else:
        widget(streamed, "button_group", "Input").set_value(sources.UPLOAD).run()
    assert not listener.digits and listener.last is None
    stream.playing = False
    widget(streamed, "button_group", "Input").set_value(sources.STREAM).run()
    assert "Nothing recognized yet" in text(streamed)
    assert "Recognized:" not in text(streamed)


@pytest.mark.parametrize("way", [sources.RECORD, sources.UPLOAD])
def test_files_are_deleted_on_leaving(recording, monkeypatch, way):
    deleted: list[str] = []
    monkeypatch.setattr(
        MemoryUploadedFileManager,
        "remove_session_files",
        lambda self, session_id: deleted.append(session_id),
    )
    page = open_way(way)
    kind = "audio_input" if way == sources.RECORD else "file_uploader"
    page.get(kind)[0].upload("three.wav", recording).run()
    assert "Answered in" in text(page)
    deleted.clear()
    page.run()
    assert not deleted
    page.switch_page(script("evaluate")).run()
    assert len(deleted) == 1
    page.run()
    assert len(deleted) == 1, "files of the other page are its own"
    page.switch_page(script("live")).run()
    assert "Answered in" not in text(page)


def test_live_stream_points_to_the_recorder_when_it_does_not_connect(
    stream, monkeypatch
):
    page = open_way(sources.STREAM)
    stream.signalling = True
    assert "Connecting" in text(page.run())
    monkeypatch.setattr(sources, "_PATIENCE", 0.0)
    assert "choose Record" in page.run().warning[0].value
    stream.error = SignallingTimeoutError()
    assert "choose Record" in page.run().warning[0].value


def frame(recording: bytes) -> SimpleNamespace:
    """A wav file as one of PyAV's frames: 16 bit, interleaved, two channels."""
    audio = decode(recording)
    whole = np.round(audio.samples * 32767).astype(np.int16)
    return SimpleNamespace(
        to_ndarray=lambda: np.repeat(whole, 2)[None, :],
        layout=SimpleNamespace(channels=("left", "right")),
        sample_rate=audio.sample_rate,
    )

"""The listener between WebRTC's thread and the page."""

import numpy as np
import pytest

from audiomnist.recognition.models import find_model
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.recognition.streaming import StreamConfig
from audiomnist.ui.live.listener import Listener, mono


def test_frames_become_mono_of_the_right_scale():
    interleaved = np.array([[100, 300, -32768, -32768]], dtype=np.int16)
    assert mono(interleaved, 2) == pytest.approx([200 / 32768, -1.0])
    planar = np.array([[0.5, -0.5], [0.0, -0.5]], dtype=np.float32)
    assert mono(planar, 2) == pytest.approx([0.25, -0.5])
    assert mono(interleaved, 2).dtype == np.float32


def test_listener_hears_words_with_their_sound(spoken):
    listener = Listener(Recognizer(find_model("cnn")))
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 1e-4, 16_000).astype(np.float32)
    said = np.concatenate([quiet, spoken(3, sample_rate=16_000).samples, quiet])
    for first in range(0, len(said), 320):
        listener.feed(said[first : first + 320], 16_000)
    assert listener.take() and not listener.take()
    word = listener.last
    assert list(listener.digits) == [word.prediction.digit]
    speech, first = word.prediction.speech, round(word.offset * 16_000)
    assert word.offset + speech.start == pytest.approx(1.0, abs=0.2)
    assert speech.start == pytest.approx(StreamConfig().context, abs=0.2)
    part = said[first : first + len(word.audio.samples)]
    np.testing.assert_array_equal(word.audio.samples, part)
    again = listener.recognizer.recognize(word.audio)
    np.testing.assert_array_equal(word.features, again.features)
    assert speech == again.prediction.speech
    assert listener.seconds == pytest.approx(len(said) / 16_000)


def test_listener_hears_the_word_that_the_end_cuts_short(spoken):
    listener = Listener(Recognizer(find_model("cnn")))
    word = spoken(3, sample_rate=16_000).samples
    listener.feed(np.concatenate([np.zeros(16_000, np.float32), word]), 16_000)
    assert not listener.take()
    listener.finish()
    assert listener.take()
    assert len(listener.digits) == 1
    speech = listener.last.prediction.speech
    assert listener.last.offset + speech.start > 0.9
    assert speech.start < speech.end <= listener.last.audio.duration
    assert listener.seconds == 0, "further samples are another stream"
    listener.finish()
    assert not listener.take()


def test_listener_begins_anew_at_another_rate():
    listener = Listener(Recognizer(find_model("cnn")))
    silence = np.zeros(16_000, np.float32)
    for _ in range(20):
        listener.feed(silence, 16_000)
    assert listener.seconds == 20
    listener.feed(silence, 8000)
    assert listener.seconds == 2


def test_listener_keeps_what_went_wrong_until_all_is_well():
    listener = Listener(Recognizer(find_model("cnn")))
    listener.feed(np.full(320, np.nan, np.float32), 16_000)
    assert "not finite" in listener.error
    listener.feed(np.zeros(320, np.float32), 16_000)
    assert listener.error == ""
    assert listener.seconds == 0.02, "what was not heard is no part of the stream"


@pytest.mark.parametrize("close", [False, True])
def test_listener_forgets_its_words(spoken, close):
    listener = Listener(Recognizer(find_model("cnn")))
    word = spoken(3, sample_rate=16_000).samples
    said = np.concatenate([np.zeros(16_000, np.float32), word])
    listener.feed(said, 16_000)
    listener.finish()
    listener.feed(said, 16_000)
    if close:
        listener.close()
    else:
        listener.clear()
    assert not listener.digits and listener.last is None and not listener.take()
    listener.feed(said, 16_000)
    listener.finish()
    assert listener.take() is not close, "a closed one hears nothing any more"

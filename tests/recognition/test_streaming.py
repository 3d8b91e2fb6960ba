import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from conftest import speak
from nearest_model import NearestModel

from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioError, ConfigError
from audiomnist.features.speech import Speech
from audiomnist.recognition.quality import judge
from audiomnist.recognition.recognizer import (
    NO_SPEECH,
    Prediction,
    Recognition,
    Recognizer,
)
from audiomnist.recognition.streaming import StreamConfig, StreamingRecognizer

RATE = 16000


def _recording(word: Audio) -> Audio:
    """A word with a pause on both sides."""
    samples = np.pad(word.samples, word.sample_rate // 2)
    noise = np.random.default_rng(0).normal(0, 1e-3, len(samples))
    return Audio((samples + noise).astype(np.float32), word.sample_rate)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    words = [[_recording(speak(digit, s)) for s in range(4)] for digit in range(10)]
    return Recognizer(NearestModel(words))


class Stream:
    """A stream that is put together piece by piece."""

    def __init__(self, spoken, sample_rate: int = RATE, noise: float = 1e-3) -> None:
        self.spoken, self.sample_rate, self.noise = spoken, sample_rate, noise
        self.rng = np.random.default_rng(0)
        self.pieces: list[np.ndarray] = []
        self.starts: list[float] = []

    def pause(self, seconds: float, noise: float | None = None) -> "Stream":
        """Go on with noise alone."""
        n_samples = round(seconds * self.sample_rate)
        level = self.noise if noise is None else noise
        self.pieces.append(level * self.rng.normal(size=n_samples))
        return self

    def say(self, *digits: int, gap: float = 0.5, noise: float | None = None):
        """Say digits, with a gap after each."""
        level = self.noise if noise is None else noise
        for digit in digits:
            self.starts.append(sum(map(len, self.pieces)) / self.sample_rate)
            word = self.spoken(digit, 1, self.sample_rate).samples
            self.pieces.append(word + level * self.rng.normal(size=len(word)))
            self.pause(gap, level)
        return self

    @property
    def samples(self) -> np.ndarray:
        """Everything so far."""
        return np.concatenate(self.pieces).astype(np.float32)


def recognitions_of(
    recognizer: Recognizer, stream: Stream, chunk: int = 0
) -> list[Recognition]:
    """All answers to a stream that comes in chunks of so many samples."""
    streaming = StreamingRecognizer(recognizer, stream.sample_rate)
    samples = stream.samples
    predictions = []
    for first in range(0, len(samples), chunk or len(samples)):
        predictions += streaming.feed(samples[first : first + (chunk or len(samples))])
    return predictions + streaming.flush()


def _digits(words: list[Recognition]) -> list[int | None]:
    return [word.prediction.digit for word in words]


def _times(word: Recognition) -> tuple[float, float]:
    """From when to when a word is said, in seconds of its stream."""
    speech = word.prediction.speech
    return word.offset + speech.start, word.offset + speech.end


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100, 48000])
def test_digits_are_recognized_in_order_with_their_times(
    recognizer, spoken, sample_rate
):
    stream = Stream(spoken, sample_rate).pause(1).say(4, 1, 7)
    predictions = recognitions_of(recognizer, stream)
    assert _digits(predictions) == [4, 1, 7]
    for prediction, start in zip(predictions, stream.starts, strict=True):
        assert _times(prediction) == pytest.approx((start, start + 0.4), abs=0.1)


def test_every_digit_is_recognized(recognizer, spoken):
    stream = Stream(spoken).pause(0.5).say(*range(10))
    assert _digits(recognitions_of(recognizer, stream)) == list(range(10))


@pytest.mark.parametrize("chunk", [7, 160, 960, 7001])
def test_answers_do_not_depend_on_the_chunks(recognizer, spoken, chunk):
    stream = Stream(spoken).pause(0.6).say(4, 1, gap=0.35)
    stream.pause(0.5, noise=0.02).say(7, 2, noise=0.02)
    whole, parts = (
        recognitions_of(recognizer, stream),
        recognitions_of(recognizer, stream, chunk),
    )
    assert len(whole) >= 3
    for one, other in zip(whole, parts, strict=True):
        assert _times(one) == _times(other)
        assert np.array_equal(one.features, other.features)
        assert one.prediction.digit == other.prediction.digit
        assert np.array_equal(
            one.prediction.probabilities, other.prediction.probabilities
        )


def test_a_word_is_answered_soon_after_it_ends(recognizer, spoken):
    stream = Stream(spoken).pause(1).say(4, gap=1.0)
    streaming = StreamingRecognizer(recognizer, RATE)
    samples = stream.samples
    for first in range(0, len(samples), 320):
        if streaming.feed(samples[first : first + 320]):
            break
    assert streaming.duration < stream.starts[0] + 0.4 + 0.3


def test_the_end_of_the_stream_ends_a_word(recognizer, spoken):
    stream = Stream(spoken).pause(0.5).say(4, gap=0.02)
    streaming = StreamingRecognizer(recognizer, RATE)
    assert streaming.feed(stream.samples) == []
    assert _digits(streaming.flush()) == [4]
    assert streaming.flush() == []


@pytest.mark.parametrize("noise", [0.0, 1e-4, 3e-2])
def test_silence_and_steady_noise_are_no_words(recognizer, spoken, noise):
    assert recognitions_of(recognizer, Stream(spoken, noise=noise).pause(20)) == []


def test_a_steady_tone_is_no_word(recognizer, spoken):
    stream = Stream(spoken, noise=1e-3).pause(10)
    time = np.arange(len(stream.samples)) / RATE
    stream.pieces = [stream.samples + 0.1 * np.sin(2 * np.pi * 440 * time) * (time > 2)]
    assert recognitions_of(recognizer, stream) == []


def test_clicks_are_no_words(recognizer, spoken):
    stream = Stream(spoken).pause(5)
    samples = stream.samples.copy()
    for first in range(RATE // 2, len(samples), RATE // 2):
        samples[first : first + 160] += 0.5 * np.hanning(160).astype(np.float32)
    stream.pieces = [samples]
    assert recognitions_of(recognizer, stream) == []


def test_words_are_recognized_after_a_fan_starts(recognizer, spoken):
    stream = Stream(spoken).pause(1).say(4).pause(2, noise=0.02).say(1, 7, noise=0.02)
    assert _digits(recognitions_of(recognizer, stream)) == [4, 1, 7]


def test_words_are_recognized_after_a_fan_stops(recognizer, spoken):
    stream = Stream(spoken, noise=0.02).pause(4).pause(2, noise=1e-3)
    assert _digits(recognitions_of(recognizer, stream.say(4, 1, noise=1e-3))) == [4, 1]


def test_a_word_just_before_the_fan_starts_is_not_lost(recognizer, spoken):
    stream = Stream(spoken).pause(1).say(7, gap=0.05).pause(3, noise=0.01)
    assert _digits(recognitions_of(recognizer, stream)) == [7]


def test_endless_talk_is_cut_into_words(recognizer, spoken):
    stream = Stream(spoken).pause(0.5).say(*[4, 1, 7, 2] * 4, gap=0.05)
    predictions = recognitions_of(recognizer, stream)
    assert len(predictions) >= 5
    times = [_times(word) for word in predictions]
    assert times == sorted(times)
    for (start, end), (following, _) in pairwise(times):
        assert end <= following + 0.05
        assert end - start <= StreamConfig.max_word + 0.3


def test_sounds_without_speech_give_no_answer(spoken):
    class Deaf:
        n_calls = 0

        def recognize(self, audio: Audio) -> Recognition:
            self.n_calls += 1
            nothing = Prediction(None, None, None, 1.0, NO_SPEECH)
            return Recognition(audio, None, None, nothing, judge(audio, None))

    deaf = Deaf()
    assert recognitions_of(deaf, Stream(spoken).pause(1).say(4, 1)) == []
    assert deaf.n_calls == 2


def test_the_recognizer_gets_some_context_but_no_other_word(spoken):
    class Ear:
        def __init__(self) -> None:
            self.durations: list[float] = []

        def recognize(self, audio: Audio) -> Recognition:
            self.durations.append(audio.duration)
            speech = Speech(0.0, audio.duration)
            zero = Prediction(0, np.eye(11)[0], speech, 1.0)
            return Recognition(audio, np.ones((1, 1)), 0.1, zero, judge(audio, speech))

    ear = Ear()
    predictions = recognitions_of(ear, Stream(spoken).pause(1).say(4, 1, 4, gap=0.35))
    assert all(0.6 < duration < 0.95 for duration in ear.durations)
    for (_, end), (following, _) in pairwise(map(_times, predictions)):
        assert following > end - 2 * StreamConfig.context


def test_settings_are_obeyed(recognizer, spoken):
    stream = Stream(spoken).pause(1).say(4, 1, gap=0.3)

    def n_words(**change: float) -> int:
        streaming = StreamingRecognizer(recognizer, RATE, StreamConfig(**change))
        return len(streaming.feed(stream.samples) + streaming.flush())

    assert n_words() == 2
    assert n_words(hangover=0.6) == 1
    assert n_words(min_word=0.5) == 0
    assert n_words(onset_db=60) == 0
    assert n_words(onset_duration=0.8) == 0


def test_memory_is_bounded(recognizer):
    rng = np.random.default_rng(0)
    minute = rng.normal(0, 1e-3, 60 * RATE).astype(np.float32)
    streaming = StreamingRecognizer(recognizer, RATE)
    streaming.feed(minute)
    tracemalloc.start()
    for _ in range(3):
        streaming.feed(minute)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < 500_000
    assert peak < 5_000_000
    assert streaming.duration == 240


def test_bad_samples_are_refused_and_the_stream_goes_on(recognizer, spoken):
    streaming = StreamingRecognizer(recognizer, RATE)
    with pytest.raises(AudioError, match="not finite"):
        streaming.feed(np.array([0, np.nan], dtype=np.float32))
    with pytest.raises(AudioError, match="one channel"):
        streaming.feed(np.zeros((2, 320), dtype=np.float32))
    assert streaming.feed(np.zeros(0, dtype=np.float32)) == []
    assert _digits(streaming.feed(Stream(spoken).pause(1).say(4).samples)) == [4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hangover": 0.0}, "at least a frame"),
        ({"context": -0.1}, "0 or more"),
        ({"min_word": 0.8}, "three times min_word"),
        ({"steady_duration": 2.0}, "steady_duration"),
        ({"noise_quantile": 1.0}, "noise_quantile"),
        ({"noise_memory": 0.5}, "longest word"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        StreamConfig(**change)

import copy
import threading

import numpy as np
import pytest
from conftest import speak
from nearest_model import NearestModel

from audiomnist.audio.decoding import decode
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio, resample
from audiomnist.corpora.clips import load_audio
from audiomnist.corpora.library import load_corpus
from audiomnist.errors import AudioError
from audiomnist.features.extraction import extract
from audiomnist.features.speech import find_speech
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.models import find_model
from audiomnist.recognition.quality import judge
from audiomnist.recognition.recognizer import (
    NO_SPEECH,
    NOT_A_DIGIT,
    NOT_SURE,
    Recognizer,
)
from audiomnist.settings import REPOSITORY

RATE = 16000
SHIPPED = sorted(path.parent.name for path in REPOSITORY.glob("models/*/run.json"))


@pytest.fixture(scope="module")
def trained() -> NearestModel:
    words = [[_recording(speak(digit, s)) for s in range(4)] for digit in range(10)]
    return NearestModel(words)


@pytest.fixture
def model(trained) -> NearestModel:
    """A copy whose threshold may be changed."""
    return copy.copy(trained)


def _recording(word: Audio, noise: float = 1e-3, pause: float = 0.5) -> Audio:
    """A word with a pause on both sides, in white noise."""
    samples = np.pad(word.samples, round(pause * word.sample_rate))
    samples = samples + np.random.default_rng(0).normal(0, noise, len(samples))
    return Audio(samples.astype(np.float32), word.sample_rate)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("sample_rate", [8000, 22050, 48000])
def test_a_word_is_recognized_at_any_rate(model, spoken, digit, sample_rate):
    audio = _recording(spoken(digit, 1, sample_rate))
    prediction = Recognizer(model).predict(audio)
    assert (prediction.digit, prediction.reason) == (digit, "")
    assert prediction.probabilities.shape == (10,)
    assert prediction.probability == prediction.probabilities[digit]
    assert prediction.speech.start == pytest.approx(0.5, abs=0.1)
    assert prediction.speech.end == pytest.approx(0.9, abs=0.1)
    assert prediction.latency_ms > 0


def test_the_answer_is_the_models_for_the_same_features(model, spoken):
    audio = _recording(spoken(3, 2))
    prediction = Recognizer(model).predict(audio)
    expected = model.probabilities(extract([audio], model.features))[0]
    assert np.array_equal(prediction.probabilities, expected)
    speech = find_speech(audio, model.features.speech, model.features.spectrum)
    assert prediction.speech == speech


def test_a_recognition_holds_what_the_network_was_given(model, spoken):
    given, probabilities = [], model.probabilities

    def spy(features: np.ndarray) -> np.ndarray:
        given.append(features)
        return probabilities(features)

    model.probabilities = spy
    audio = _recording(spoken(3, 2))
    recognition = Recognizer(model).recognize(audio)
    (features,) = given
    assert recognition.audio is audio
    assert np.array_equal(recognition.features, features[0])
    assert recognition.frame_step == model.features.spectrum.hop
    assert recognition.quality == judge(audio, recognition.prediction.speech)
    assert recognition.offset == 0


def test_a_recognition_of_silence_was_given_nothing(model):
    silence = Audio(np.zeros(RATE, np.float32), RATE)
    recognition = Recognizer(model).recognize(silence)
    assert recognition.prediction.reason == NO_SPEECH
    assert recognition.features is recognition.frame_step is None
    assert recognition.quality == judge(silence, None)


def test_every_way_in_gives_one_answer(model, spoken):
    audio = _recording(spoken(5, 1), pause=0.3)
    recognizer, data = Recognizer(model), encode_wav(audio)
    audio = decode(data)
    ways = [
        recognizer.recognize(audio).prediction,
        recognizer.recognize_bytes(data).prediction,
        recognizer.predict(audio),
        recognizer.predict_bytes(data),
        *recognizer.predict_many([audio]),
    ]
    for answer in ways:
        assert (answer.digit, answer.speech) == (ways[0].digit, ways[0].speech)
        assert np.array_equal(answer.probabilities, ways[0].probabilities)


@pytest.mark.parametrize("n_samples", [0, 1, 50, 400, 5 * RATE])
@pytest.mark.parametrize("noise", [0.0, 1e-4, 1e-2])
def test_silence_and_noise_are_no_digit(model, n_samples, noise):
    rng = np.random.default_rng(0)
    samples = (noise * rng.normal(size=n_samples)).astype(np.float32)
    prediction = Recognizer(model).predict(Audio(samples, RATE))
    assert prediction.digit is None
    assert prediction.reason == NO_SPEECH
    assert prediction.probabilities is prediction.probability is None
    assert prediction.speech is None


def test_below_the_threshold_it_is_not_sure(model, spoken):
    audio = _recording(spoken(3, 1))
    prediction = Recognizer(model).predict(audio)
    model.calibration = Calibration(threshold=prediction.probability)
    assert Recognizer(model).predict(audio).digit == 3
    model.calibration = Calibration(threshold=prediction.probability + 1e-3)
    unsure = Recognizer(model).predict(audio)
    assert (unsure.digit, unsure.reason) == (None, NOT_SURE)
    assert np.array_equal(unsure.probabilities, prediction.probabilities)


def test_a_word_that_is_mostly_none_of_the_digits_is_not_a_digit(model, spoken):
    audio = _recording(spoken(3, 1))
    for none_of_these, reason in ((0.4, NOT_SURE), (0.6, NOT_A_DIGIT)):
        outcomes = np.zeros((1, 11), dtype=np.float32)
        outcomes[0, [3, 10]] = 1 - none_of_these, none_of_these
        model.outcomes = lambda features, answer=outcomes: answer
        model.calibration = Calibration(threshold=0.9)
        prediction = Recognizer(model).predict(audio)
        assert (prediction.digit, prediction.reason) == (None, reason)
        assert prediction.unknown == pytest.approx(none_of_these)
        np.testing.assert_allclose(prediction.outcomes, outcomes[0], atol=1e-6)
        assert prediction.probability == pytest.approx(1 - 0.9 * none_of_these)


def test_bytes_are_recognized_as_their_audio(model, spoken):
    audio = _recording(spoken(6, 1, 48000))
    recognizer = Recognizer(model)
    assert recognizer.predict_bytes(encode_wav(audio)).digit == 6


def test_bytes_that_are_no_sound_are_refused(model):
    with pytest.raises(AudioError, match=r"notes\.txt"):
        Recognizer(model).predict_bytes(b"no sound at all, only text", "notes.txt")
    with pytest.raises(AudioError, match=r"notes\.txt"):
        Recognizer(model).recognize_bytes(b"no sound at all, only text", "notes.txt")


def test_many_are_predicted_as_one_by_one(model, spoken):
    audios = [_recording(spoken(digit, 3)) for digit in range(10)]
    audios.insert(4, Audio(np.zeros(0, np.float32), RATE))
    audios.insert(7, resample(audios[0], 44100))
    recognizer = Recognizer(model)
    together = recognizer.predict_many(audios)
    alone = [recognizer.predict(audio) for audio in audios]
    assert [one.digit for one in together] == [one.digit for one in alone]
    assert [one.speech for one in together] == [one.speech for one in alone]
    assert together[4].reason == NO_SPEECH
    for one, other in zip(together, alone, strict=True):
        if other.probabilities is not None:
            assert np.allclose(one.probabilities, other.probabilities, atol=1e-5)
    assert recognizer.predict_many([]) == []


def test_many_go_through_in_batches(model, spoken):
    audios = [_recording(spoken(digit % 10, 1), pause=2.0) for digit in range(25)]
    predictions = Recognizer(model).predict_many(audios)
    assert [prediction.digit for prediction in predictions] == [
        i % 10 for i in range(25)
    ]


def test_threads_may_share_it(model, spoken):
    recognizer = Recognizer(model)
    audios = [_recording(spoken(digit, 1)) for digit in range(10)]
    digits: dict[int, list[int | None]] = {}

    def listen(name: int) -> None:
        digits[name] = [recognizer.predict(audio).digit for audio in audios]

    threads = [threading.Thread(target=listen, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(digits[name] == list(range(10)) for name in range(4))


@pytest.mark.parametrize("is_before", [True, False])
@pytest.mark.parametrize("gap", [0.08, 0.3])
@pytest.mark.parametrize("sound", ["breath", "beep"])
def test_what_is_heard_beside_a_digit_is_not_taken_for_it(sound, gap, is_before):
    recognizer = Recognizer(find_model("best"))
    words = load_corpus("embedded").clips[40:1500:146]
    n_right = 0
    for clip in words:
        word = load_audio(clip)
        power = np.mean(np.square(word.samples))
        pause = np.zeros(round(gap * word.sample_rate))
        beside = _beside(sound, word.sample_rate) * np.sqrt(power)
        parts = [beside, pause, word.samples]
        samples = np.concatenate(parts if is_before else parts[::-1])
        recording = _recording(Audio(samples.astype(np.float32), word.sample_rate))
        n_right += recognizer.predict(recording).digit == clip.digit
    assert n_right >= len(words) - 1


def _beside(sound: str, sample_rate: int) -> np.ndarray:
    """A breath or a beep of 0.4 s and of power 1."""
    time = np.arange(round(0.4 * sample_rate)) / sample_rate
    if sound == "beep":
        return np.sqrt(2) * np.sin(2 * np.pi * 1000 * time)
    noise = np.random.default_rng(0).normal(size=len(time))
    breath = np.convolve(noise, np.hanning(9), "same") * np.sin(np.pi * time / 0.4)
    return breath / np.sqrt(np.mean(breath**2))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_recognizes_the_embedded_voices(name):
    chosen = load_corpus("embedded").clips[::25]
    audios = [load_audio(clip) for clip in chosen]
    recognizer = Recognizer(find_model(name))
    right = [
        prediction.digit == clip.digit
        for prediction, clip in zip(
            recognizer.predict_many(audios), chosen, strict=True
        )
    ]
    assert np.mean(right) > 0.9
    silence = Audio(np.zeros(3 * RATE, np.float32), RATE)
    assert recognizer.predict(silence).reason == NO_SPEECH

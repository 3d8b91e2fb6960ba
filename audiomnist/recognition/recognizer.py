"""From a recording to a digit: the only way, for pages, command line and stream.

Owns the decision whether there is an answer at all, and the whole result of a
recognition. The preprocessing is the features', the probabilities are the model's;
cutting words out of a stream is for `streaming`.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiomnist.audio.decoding import decode
from audiomnist.audio.signal import Audio, resample
from audiomnist.features.extraction import crop
from audiomnist.features.rendering import frame_steps, render
from audiomnist.features.spectra import Spectra, frames_in_batches, power_spectra
from audiomnist.features.speech import Speech, speech_in, speech_spans
from audiomnist.recognition.calibration import is_none_of_these
from audiomnist.recognition.models import Model
from audiomnist.recognition.quality import ClipQuality, judge

NO_SPEECH = "no speech heard"
NOT_SURE = "not sure"
NOT_A_DIGIT = "not a digit"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model answers to a recording.

    Parameters
    ----------
    digit
        The digit, or None.
    probabilities
        Probability of each digit, float32, shape (10,); None where nobody speaks.
    speech
        Where the word is, in seconds from the beginning of the recording; None where
        nobody speaks.
    latency_ms
        Time from the call to the answer.
    reason
        Why there is no digit: "no speech heard", "not a digit" or "not sure"; else "".
    """

    digit: int | None
    probabilities: np.ndarray | None
    speech: Speech | None
    latency_ms: float
    reason: str = ""

    @property
    def probability(self) -> float | None:
        """Probability of the likeliest digit, None where nobody speaks."""
        return None if self.probabilities is None else float(self.probabilities.max())


@dataclass(frozen=True, eq=False)
class Recognition:
    """A recording, what the network was given of it, and what came of it.

    Parameters
    ----------
    audio
        The recording.
    features
        What the network was given, float32, shape (n_bins, n_frames); None where nobody
        speaks.
    frame_step
        Time from one frame of the features to the next, in seconds; None where nobody
        speaks.
    prediction
        The answer, with the span of the word in `audio`.
    quality
        How well the recording was made.
    offset
        Where `audio` begins in its stream, in seconds; 0 for a recording.
    """

    audio: Audio
    features: np.ndarray | None
    frame_step: float | None
    prediction: Prediction
    quality: ClipQuality
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class _Answers:
    """Answers to a batch of recordings, and what the network was given of the words.

    Parameters
    ----------
    predictions
        One for each recording.
    features
        Of those with speech, float32, shape (n_words, n_bins, n_frames).
    frame_steps
        Of those with speech, in seconds, float64, shape (n_words,).
    """

    predictions: list[Prediction]
    features: np.ndarray
    frame_steps: np.ndarray


class Recognizer:
    """Recognizes digits with one trained model; may be shared by threads.

    Parameters
    ----------
    model
        The model, whose own preprocessing and calibration are used.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def recognize(self, audio: Audio) -> Recognition:
        """Recognize the digit in a recording of any rate and length.

        Use it where more than the answer is shown; else `predict`.
        """
        return self._recognize(audio, time.perf_counter())

    def recognize_bytes(self, data: bytes, name: str = "The recording") -> Recognition:
        """Recognize the digit in the bytes of a sound file; latency includes decoding.

        Raises
        ------
        AudioError
            If it cannot be decoded.
        """
        begin = time.perf_counter()
        return self._recognize(decode(data, name), begin)

    def predict(self, audio: Audio) -> Prediction:
        """Predict the digit in a recording of any rate and length.

        Examples
        --------
        >>> from audiomnist.audio.decoding import load
        >>> from audiomnist.recognition.models import find_model
        >>> recognizer = Recognizer(find_model("best"))
        >>> prediction = recognizer.predict(load("docs/seven.wav"))
        >>> prediction.digit, prediction.probability > 0.99
        (7, True)
        """
        return self._answer([audio], time.perf_counter()).predictions[0]

    def predict_bytes(self, data: bytes, name: str = "The recording") -> Prediction:
        """Predict the digit in the bytes of a sound file; latency includes decoding.

        Raises
        ------
        AudioError
            If it cannot be decoded.
        """
        begin = time.perf_counter()
        return self._answer([decode(data, name)], begin).predictions[0]

    def predict_many(self, audios: Sequence[Audio]) -> list[Prediction]:
        """Predict the digits in many recordings; `latency_ms` is a batch's mean.

        The answers are those of `predict`.
        """
        return [
            prediction
            for batch in frames_in_batches(audios, self.model.features.spectrum)
            for prediction in self._answer(batch, time.perf_counter()).predictions
        ]

    def _recognize(self, audio: Audio, begin: float) -> Recognition:
        """Recognize the digit in one recording."""
        answers = self._answer([audio], begin)
        (prediction,) = answers.predictions
        features, step = None, None
        if prediction.speech is not None:
            features, step = answers.features[0], float(answers.frame_steps[0])
        quality = judge(audio, prediction.speech)
        return Recognition(audio, features, step, prediction, quality)

    def _answer(self, audios: Sequence[Audio], begin: float) -> _Answers:
        """Answer a batch that fits into memory at once."""
        config = self.model.features
        recordings = self._find_words(audios)
        words = crop(recordings, config).take(np.flatnonzero(recordings.is_speech))
        features = render(words, config)
        probabilities: Iterator[np.ndarray] = iter(())
        if len(words):
            probabilities = iter(self.model.probabilities(features))
        predictions = []
        for i, audio in enumerate(audios):
            span = recordings.spans[i] - recordings.bounds[i]
            speech = speech_in(audio, span, config.spectrum)
            if speech is None:
                predictions.append(Prediction(None, None, None, 0, NO_SPEECH))
                continue
            p = next(probabilities)
            is_sure = bool(self.model.calibration.should_answer(p.max()))
            digit = int(p.argmax()) if is_sure else None
            reason = "" if is_sure else _why_not(p)
            predictions.append(Prediction(digit, p, speech, 0, reason))
        latency_ms = 1000 * (time.perf_counter() - begin) / max(1, len(audios))
        return _Answers(
            [replace(answer, latency_ms=latency_ms) for answer in predictions],
            features,
            frame_steps(words.spans, config),
        )

    def _find_words(self, audios: Sequence[Audio]) -> Spectra:
        """Spectra of the whole recordings, as the features find the words in them."""
        config = self.model.features
        window = config.spectrum.win_length
        lengthened = []
        for audio in audios:
            at_rate = resample(audio, config.sample_rate)
            if len(at_rate.samples) < window:
                # Too short for any word: silence, in which none is found.
                at_rate = Audio(np.zeros(window, np.float32), config.sample_rate)
            lengthened.append(at_rate)
        power, bounds = power_spectra(lengthened, config.spectrum)
        spans = speech_spans(power, bounds, config.speech, config.spectrum)
        return Spectra(power, bounds, spans)


def _why_not(probabilities: np.ndarray) -> str:
    """Why a word of these probabilities, (10,), has no answer."""
    return NOT_A_DIGIT if is_none_of_these(probabilities) else NOT_SURE

"""From a recording to a digit: the only way, for pages, command line and stream.

Owns the decision whether there is an answer at all, and the whole result of a
recognition. The preprocessing is the features', the probabilities are the model's;
cutting words out of a stream is for `streaming`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiomnist.audio.decoding import decode
from audiomnist.audio.signal import Audio, resample
from audiomnist.digits import N_DIGITS
from audiomnist.features.extraction import crop
from audiomnist.features.rendering import frame_steps, render
from audiomnist.features.spectra import Spectra, frames_in_batches, power_spectra
from audiomnist.features.speech import Speech, speech_in, stretches
from audiomnist.recognition.calibration import spread_unknown
from audiomnist.recognition.models import Model
from audiomnist.recognition.quality import ClipQuality, judge

NO_SPEECH = "no speech heard"
NOT_SURE = "not sure"
NOT_A_DIGIT = "not a digit"

_MOSTLY = 0.5
"""Probability of "none of these" above which a sound is called so."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model answers to a recording.

    Parameters
    ----------
    digit
        The digit, or None.
    outcomes
        Probability of each digit and, last, that the word is none of them, float32,
        shape (11,), with sum 1; None where nobody speaks. A model that has not learned
        to reject other words gives them 0.
    speech
        Where the word is, in seconds from the beginning of the recording; None where
        nobody speaks.
    latency_ms
        Time from the call to the answer.
    reason
        Why there is no digit: "no speech heard", "not a digit" or "not sure"; else "".
    """

    digit: int | None
    outcomes: np.ndarray | None
    speech: Speech | None
    latency_ms: float
    reason: str = ""

    @property
    def probabilities(self) -> np.ndarray | None:
        """Probability with which each digit is answered, shape (10,); None: silence.

        Each digit has a tenth of what stands for none of them: see
        `calibration.spread_unknown`.
        """
        return None if self.outcomes is None else spread_unknown(self.outcomes[None])[0]

    @property
    def unknown(self) -> float:
        """Probability that the word is none of the digits; 0 where nobody speaks."""
        return 0.0 if self.outcomes is None else float(self.outcomes[-1])

    @property
    def probability(self) -> float | None:
        """Probability of the likeliest digit, None where nobody speaks."""
        p = self.probabilities
        return None if p is None else float(p.max())


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
        float32, shape (n_recordings, n_bins, n_frames); NaN where nobody speaks.
    frame_steps
        In seconds, float64, shape (n_recordings,); of no meaning where nobody speaks.
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
        power, bounds = self._power_spectra(audios)
        spans, *others = stretches(power, bounds, config.speech, config.spectrum)
        features, outcomes = self._look(Spectra(power, bounds, spans))
        # The largest stretch may be a breath or a beep beside the word.
        for other in others:
            is_open = ~self._is_sure(outcomes) & (other[:, 1] > other[:, 0])
            if is_open.any():
                other[~is_open, 1] = other[~is_open, 0]
                seen, answers = self._look(Spectra(power, bounds, other))
                is_word = self._is_sure(answers)
                spans[is_word], features[is_word] = other[is_word], seen[is_word]
                outcomes[is_word] = answers[is_word]
        predictions = [
            self._prediction(audio, span - first, outcome)
            for audio, span, first, outcome in zip(
                audios, spans, bounds[:-1], outcomes, strict=True
            )
        ]
        latency_ms = 1000 * (time.perf_counter() - begin) / max(1, len(audios))
        return _Answers(
            [replace(answer, latency_ms=latency_ms) for answer in predictions],
            features,
            frame_steps(spans, config),
        )

    def _look(self, words: Spectra) -> tuple[np.ndarray, np.ndarray]:
        """Features of the words, (n_clips, n_bins, n_frames), and their outcomes.

        The outcomes are (n_clips, 11); both are NaN where there is no word.
        """
        config = self.model.features
        features = np.full((len(words), *config.shape), np.nan, np.float32)
        outcomes = np.full((len(words), N_DIGITS + 1), np.nan, np.float32)
        spoken = np.flatnonzero(words.is_speech)
        if len(spoken):
            features[spoken] = render(crop(words, config).take(spoken), config)
            outcomes[spoken] = self.model.outcomes(features[spoken])
        return features, outcomes

    def _is_sure(self, outcomes: np.ndarray) -> np.ndarray:
        """Whether each of these words, (n_clips, 11), is to be answered: (n_clips,)."""
        confidence = spread_unknown(outcomes).max(axis=1)
        return self.model.calibration.should_answer(confidence)

    def _prediction(
        self, audio: Audio, span: np.ndarray, outcomes: np.ndarray
    ) -> Prediction:
        """What is said of a word from its span of frames and its outcomes, (11,)."""
        speech = speech_in(audio, span, self.model.features.spectrum)
        if speech is None:
            return Prediction(None, None, None, 0, NO_SPEECH)
        if self._is_sure(outcomes[None])[0]:
            return Prediction(int(outcomes[:N_DIGITS].argmax()), outcomes, speech, 0)
        reason = NOT_A_DIGIT if outcomes[-1] > _MOSTLY else NOT_SURE
        return Prediction(None, outcomes, speech, 0, reason)

    def _power_spectra(self, audios: Sequence[Audio]) -> tuple[np.ndarray, np.ndarray]:
        """Power spectra of whole recordings of any rate, and their bounds."""
        config = self.model.features
        window = config.spectrum.win_length
        lengthened = []
        for audio in audios:
            at_rate = resample(audio, config.sample_rate)
            if len(at_rate.samples) < window:
                # Too short for any word: silence, in which none is found.
                at_rate = Audio(np.zeros(window, np.float32), config.sample_rate)
            lengthened.append(at_rate)
        return power_spectra(lengthened, config.spectrum)

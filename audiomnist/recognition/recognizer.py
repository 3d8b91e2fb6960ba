"""From a recording to a digit: the only way, for pages, command line and stream.

Owns the decision whether there is an answer at all. The preprocessing is the features',
the probabilities are the model's; cutting words out of a stream is for `streaming`.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiomnist.audio.decoding import decode
from audiomnist.audio.signal import Audio, resample
from audiomnist.features.extraction import crop
from audiomnist.features.rendering import render
from audiomnist.features.spectra import Spectra, frames_in_batches, power_spectra
from audiomnist.features.speech import Speech, speech_spans
from audiomnist.recognition.calibration import is_none_of_these
from audiomnist.recognition.models import Model
from audiomnist.recognition.quality import ClipQuality, judge

NO_SPEECH = "no speech heard"
NOT_SURE = "not sure"
NOT_A_DIGIT = "not a digit"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was heard in a recording.

    Parameters
    ----------
    digit
        The digit, or None.
    probabilities
        Probability of each digit, float32, shape (10,); None where nobody speaks.
    start, end
        Where somebody speaks, in seconds; None where nobody does.
    latency_ms
        Time from the call to the answer.
    quality
        How well the recording was made.
    reason
        Why there is no digit: "no speech heard", "not a digit" or "not sure"; else "".
    """

    digit: int | None
    probabilities: np.ndarray | None
    start: float | None
    end: float | None
    latency_ms: float
    quality: ClipQuality | None = None
    reason: str = ""

    @property
    def probability(self) -> float | None:
        """Probability of the likeliest digit, None where nobody speaks."""
        return None if self.probabilities is None else float(self.probabilities.max())


class Recognizer:
    """Hears digits with one trained model; may be shared by threads.

    Parameters
    ----------
    model
        The model, whose own preprocessing and threshold are used.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, audio: Audio) -> Prediction:
        """Hear the digit in a recording of any rate and length, also an empty one."""
        return self._answer([audio], time.perf_counter())[0]

    def predict_bytes(self, data: bytes, name: str = "The recording") -> Prediction:
        """Hear the digit in the bytes of a sound file; latency includes decoding.

        Raises
        ------
        AudioError
            If it cannot be decoded.
        """
        begin = time.perf_counter()
        return self._answer([decode(data, name)], begin)[0]

    def predict_many(self, audios: Sequence[Audio]) -> list[Prediction]:
        """Hear the digits in many recordings; `latency_ms` is the mean of each batch.

        The answers are those of `predict`.
        """
        return [
            prediction
            for batch in frames_in_batches(audios, self.model.features.spectrum)
            for prediction in self._answer(batch, time.perf_counter())
        ]

    def _answer(self, audios: Sequence[Audio], begin: float) -> list[Prediction]:
        """Hear a batch that fits into memory at once."""
        found = self._find_words(audios)
        words = crop(found, self.model.features)
        words = words.take(np.flatnonzero(found.is_speech))
        answers: Iterator[np.ndarray] = iter(())
        if len(words):
            features = render(words, self.model.features)
            answers = iter(self.model.probabilities(features))
        predictions = []
        for i, audio in enumerate(audios):
            speech = self._speech(found, i, audio)
            quality = judge(audio, speech)
            if speech is None:
                heard = Prediction(None, None, None, None, 0, quality, NO_SPEECH)
            else:
                p = next(answers)
                is_sure = bool(p.max() >= self.model.threshold)
                heard = Prediction(
                    digit=int(p.argmax()) if is_sure else None,
                    probabilities=p,
                    start=speech.start,
                    end=speech.end,
                    latency_ms=0,
                    quality=quality,
                    reason="" if is_sure else _why_not(p),
                )
            predictions.append(heard)
        latency_ms = 1000 * (time.perf_counter() - begin) / max(1, len(audios))
        return [replace(heard, latency_ms=latency_ms) for heard in predictions]

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

    def _speech(self, found: Spectra, i: int, audio: Audio) -> Speech | None:
        """Where somebody speaks in recording i, in seconds from its beginning."""
        if not found.is_speech[i]:
            return None
        hop = self.model.features.spectrum.hop
        # A frame stands for the hop around its centre.
        start, stop = (found.spans[i] - found.bounds[i] - 0.5) * hop
        return Speech(max(0.0, float(start)), min(audio.duration, float(stop)))


def _why_not(probabilities: np.ndarray) -> str:
    """Why a word of these probabilities, (10,), has no answer."""
    return NOT_A_DIGIT if is_none_of_these(probabilities) else NOT_SURE

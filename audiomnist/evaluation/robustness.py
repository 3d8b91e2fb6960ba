"""How robust a model is: its accuracy under one condition after another.

Owns the exposure of labelled clips to a condition, and the count of what a model
makes of it: whether it finds the word, and whether it knows the digit. The conditions
are those of `conditions`; the recognizer is given whole recordings and nothing else.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip, load_audio
from audiomnist.evaluation.conditions import Condition, Recording
from audiomnist.evaluation.significance import Rate
from audiomnist.features.rendering import render
from audiomnist.features.spectra import Spectra, frames_in_batches, power_spectra
from audiomnist.features.speech import Speech, find_speech
from audiomnist.recognition.recognizer import Recognizer

TOLERANCE = 0.15
"""A word is in its place if both its ends are found within this, in seconds."""


@dataclass(frozen=True, eq=False)
class LabelledRecording:
    """A clip with its recording, decoded once for all conditions.

    Parameters
    ----------
    clip
        What is said, and by whom.
    recording
        The clean recording, and the words of other people who say other digits.
    """

    clip: Clip
    recording: Recording


@dataclass(frozen=True, eq=False)
class Exposure:
    """Labelled recordings under one condition.

    Parameters
    ----------
    condition
        What they went through.
    clips
        The clips, with the digits that are said.
    audios
        A recording of each under the condition.
    words
        Where each word is, as far as it was found in the clean recording.
    """

    condition: Condition
    clips: tuple[Clip, ...]
    audios: tuple[Audio, ...]
    words: tuple[Speech, ...]


@dataclass(frozen=True)
class Outcome:
    """A model's predictions under one condition, counted over all recordings.

    Parameters
    ----------
    condition
        Name of the condition.
    correct
        The likeliest digit is the one that was said; no speech found counts as wrong.
    answered
        There was an answer: speech, and a probability above the model's threshold.
    answered_correctly
        That answer was the digit that was said.
    found
        Any speech was found.
    placed
        Speech was found within `TOLERANCE` of the word's beginning and of its end.
    correct_if_placed
        The likeliest digit is right if the network is shown the word where it is: what
        is missing here is the network's fault, what `correct` lacks beside it is that
        of the search for the word.
    """

    condition: str
    correct: Rate
    answered: Rate
    answered_correctly: Rate
    found: Rate
    placed: Rate
    correct_if_placed: Rate


def load_recordings(clips: Sequence[Clip]) -> tuple[LabelledRecording, ...]:
    """Decode clips, find the word in each, and give it other speakers for babble.

    Where no speech is found in a clean clip, all of it counts as its word.

    Raises
    ------
    CorpusError
        If a recording cannot be read.
    AudioError
        If it is no recording, or silent.
    """
    audios = [load_audio(clip) for clip in clips]
    words = [find_speech(audio) or Speech(0.0, audio.duration) for audio in audios]
    return tuple(
        LabelledRecording(clip, Recording(audio, word, _talkers(clip, clips, audios)))
        for clip, audio, word in zip(clips, audios, words, strict=True)
    )


def expose(
    recordings: Sequence[LabelledRecording], condition: Condition, seed: int = 0
) -> Exposure:
    """Bring recordings into a condition; the same seed gives the same ones.

    The randomness of a clip follows from the seed and its name alone: the noise of two
    conditions is the same but for its level, and does not depend on the other clips.

    Raises
    ------
    AudioError
        If the condition is babble and nobody else says another digit.
    """
    audios, words = [], []
    for labelled in recordings:
        key = zlib.crc32(labelled.clip.name.encode())
        rng = np.random.default_rng([seed, key])
        audios.append(condition.apply(labelled.recording, rng))
        word = labelled.recording.word
        words.append(Speech(word.start + condition.pause, word.end + condition.pause))
    clips = tuple(labelled.clip for labelled in recordings)
    return Exposure(condition, clips, tuple(audios), tuple(words))


def evaluate_under(recognizer: Recognizer, exposure: Exposure) -> Outcome:
    """Predict recordings under a condition and count what comes of it."""
    n = len(exposure.clips)
    said = [clip.digit for clip in exposure.clips]
    predictions = recognizer.predict_many(exposure.audios)
    likeliest = [
        None if p.probabilities is None else int(p.probabilities.argmax())
        for p in predictions
    ]
    answers = [p.digit for p in predictions]
    n_answered = n - answers.count(None)
    is_placed = [
        p.speech is not None
        and abs(p.speech.start - word.start) <= TOLERANCE
        and abs(p.speech.end - word.end) <= TOLERANCE
        for p, word in zip(predictions, exposure.words, strict=True)
    ]
    shown = _likeliest_if_placed(recognizer, exposure)
    return Outcome(
        condition=exposure.condition.name,
        correct=Rate(_n_equal(likeliest, said), n),
        answered=Rate(n_answered, n),
        answered_correctly=Rate(_n_equal(answers, said), n_answered),
        found=Rate(n - likeliest.count(None), n),
        placed=Rate(int(sum(is_placed)), n),
        correct_if_placed=Rate(_n_equal(shown, said), n),
    )


def _talkers(
    clip: Clip, clips: Sequence[Clip], audios: Sequence[Audio]
) -> tuple[Audio, ...]:
    """Recordings of other speakers who say other digits."""
    return tuple(
        audio
        for other, audio in zip(clips, audios, strict=True)
        if other.speaker != clip.speaker and other.digit != clip.digit
    )


def _likeliest_if_placed(recognizer: Recognizer, exposure: Exposure) -> list[int]:
    """The likeliest digits if each word is taken from where it is known to be."""
    model = recognizer.model
    spectrum = model.features.spectrum
    digits: list[int] = []
    for batch in frames_in_batches(exposure.audios, spectrum):
        words = exposure.words[len(digits) : len(digits) + len(batch)]
        power, bounds = power_spectra(batch, spectrum)
        ends = np.array([(word.start, word.end) for word in words])  # (n_clips, 2)
        spans = bounds[:-1, None] + spectrum.frames_at(ends)
        first, last = bounds[:-1, None], bounds[1:, None]
        spans = np.clip(spans, first, last)
        features = render(Spectra(power, bounds, spans), model.features)
        digits += model.probabilities(features).argmax(axis=1).tolist()
    return digits


def _n_equal(predicted: Sequence[int | None], said: Sequence[int]) -> int:
    """How many predicted digits are those that were said."""
    return sum(one == other for one, other in zip(predicted, said, strict=True))

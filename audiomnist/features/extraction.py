"""From sound to features, in one call, for one clip or many.

Owns the only preprocessing there is: training, evaluation, microphone and command line
all go through it. A clip's features depend on that clip alone. Caching is for `cache`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioError
from audiomnist.features.config import FeatureConfig
from audiomnist.features.rendering import CONTEXT, render
from audiomnist.features.spectra import (
    Spectra,
    SpectrumConfig,
    frames_in_batches,
    power_spectra,
)
from audiomnist.features.speech import speech_spans


def extract(audios: Sequence[Audio], config: FeatureConfig) -> np.ndarray:
    """Compute the features of several recordings.

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, n_bins, n_frames). A clip's features do not
        depend on the others.

    Raises
    ------
    AudioError
        If a recording is shorter than one window or nobody speaks in it.

    Examples
    --------
    >>> from audiomnist.audio.decoding import load
    >>> extract([load("docs/seven.wav")], FeatureConfig(n_mels=32, n_frames=50)).shape
    (1, 32, 50)
    """
    is_speech, values = extract_spoken(audios, config)
    if not is_speech.all():
        number = int(np.flatnonzero(~is_speech)[0])
        raise AudioError(
            f"No speech was found in recording {number + 1} of {len(audios)}. "
            "Record the digit again, closer to the microphone."
        )
    return values


def extract_spoken(
    audios: Sequence[Audio], config: FeatureConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the features of those recordings in which somebody speaks.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        In which recordings speech was found, bool, shape (n_recordings,), and
        the features of those, float32, shape (n_spoken, n_bins, n_frames).

    Raises
    ------
    AudioError
        If a recording is shorter than one window.
    """
    is_speech, values = [np.zeros(0, bool)], [np.zeros((0, *config.shape), np.float32)]
    for part in _spectra_in_batches(audios, config):
        is_speech.append(part.is_speech)
        words = crop(part, config)
        values.append(render(words.take(np.flatnonzero(part.is_speech)), config))
    return np.concatenate(is_speech), np.concatenate(values)


def spectra(audios: Sequence[Audio], config: FeatureConfig) -> Spectra:
    """Compute the power spectra that features are made from, with some context.

    On both sides there is more than the features show, for augmentation, see
    `with_context`.

    Raises
    ------
    AudioError
        If a recording is shorter than one window.
    """
    parts = [with_context(p, config) for p in _spectra_in_batches(audios, config)]
    return join_spectra(parts, config.spectrum)


def with_context(spectra: Spectra, config: FeatureConfig) -> Spectra:
    """Keep what the features show of each word, and what augmentation needs around it.

    That is `CONTEXT` seconds, within which the ends of a word may move, and around a
    window as much again, for a quicker tempo.
    """
    n_contexts = 2 if config.fit == "window" else 1
    return crop(spectra, config, round(n_contexts * CONTEXT / config.spectrum.hop))


def crop(spectra: Spectra, config: FeatureConfig, context: int = 0) -> Spectra:
    """Keep what the features show of each word, and `context` frames around that.

    Nothing is kept of a clip without speech. What a word's margins, its window and its
    context lack, because the recording begins or ends there, is silence. So a word
    sounds the same whether its recording was cut closely or has pauses around it.
    """
    first, stop = spectra.spans.T
    if config.fit == "window":
        middle = (first + stop) // 2
        half = config.n_frames // 2 + 1
        first, stop = np.minimum(first, middle - half), np.maximum(stop, middle + half)
    first = first - context
    kept = np.where(spectra.is_speech, stop + context - first, 0)
    bounds = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    frames = np.arange(bounds[-1]) + np.repeat(first - bounds[:-1], kept)
    power = spectra.power.take(frames, axis=0, mode="clip")
    is_outside = frames < np.repeat(spectra.bounds[:-1], kept)
    is_outside |= frames >= np.repeat(spectra.bounds[1:], kept)
    power[is_outside] = 0
    spans = spectra.spans - first[:, None] + bounds[:-1, None]
    spans[~spectra.is_speech] = bounds[:-1][~spectra.is_speech, None]
    return Spectra(power, bounds, spans)


def join_spectra(parts: Sequence[Spectra], config: SpectrumConfig) -> Spectra:
    """Put the clips of several batches end to end."""
    if not parts:
        power = np.zeros((0, config.n_bins), dtype=np.float32)
        return Spectra(power, np.zeros(1, np.int64), np.zeros((0, 2), np.int64))
    offsets = np.concatenate([[0], np.cumsum([len(part.power) for part in parts])])
    bounds = [
        part.bounds[:-1] + begin for part, begin in zip(parts, offsets, strict=False)
    ]
    spans = [part.spans + begin for part, begin in zip(parts, offsets, strict=False)]
    return Spectra(
        np.concatenate([part.power for part in parts]),
        np.concatenate([*bounds, offsets[-1:]]).astype(np.int64),
        np.concatenate(spans).astype(np.int64),
    )


def _spectra_in_batches(
    audios: Sequence[Audio], config: FeatureConfig
) -> Iterator[Spectra]:
    """Spectra of whole recordings and the words in them, a batch at a time."""
    for batch in frames_in_batches(audios, config.spectrum):
        power, bounds = power_spectra(batch, config.spectrum)
        spans = speech_spans(power, bounds, config.speech, config.spectrum)
        yield Spectra(power, bounds, spans)

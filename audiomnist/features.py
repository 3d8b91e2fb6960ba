"""From recordings to what a network sees: log-mel images and MFCCs.

Owns the one preprocessing that training, evaluation, the microphone and the
command line share. A clip's features depend on that clip alone. Features of
whole corpora, and their cache, come next.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from audiomnist.audio import Audio
from audiomnist.errors import AudioError
from audiomnist.feature_configs import FITS, KINDS, NORMALISATIONS, FeatureConfig
from audiomnist.spectra import (
    Spectra,
    SpectrumConfig,
    frames_in_batches,
    mel_filter_bank,
    power_spectra,
)
from audiomnist.speech import speech_spans

__all__ = [
    "CONTEXT",
    "FITS",
    "KINDS",
    "NORMALISATIONS",
    "FeatureConfig",
    "Placement",
    "cosine_transform",
    "crop",
    "extract",
    "hear",
    "join_spectra",
    "place",
    "render",
    "render_mel",
    "spectra",
    "window_middle",
    "with_context",
]

_ROUNDING = 1e-6
"""Of a frame; a place that is this far beyond a clip's ends lies within."""

_SMALLEST = 1e-20  # of a word's mean power

CONTEXT = 0.12
"""Seconds kept around each word, from which augmentation moves its end points."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Which frames of the spectra fill the frames of the features.

    Parameters
    ----------
    position
        Frame in the spectra, possibly between two, float64,
        shape (n_clips, n_frames).
    is_word
        False where the features are padded, bool, shape (n_clips, n_frames). They are
        padded, too, where a window reaches beyond its clip.
    """

    position: np.ndarray
    is_word: np.ndarray


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
    """
    is_speech, values = hear(audios, config)
    if not is_speech.all():
        number = int(np.flatnonzero(~is_speech)[0])
        raise AudioError(
            f"No speech was found in recording {number + 1} of {len(audios)}. "
            "Record the digit again, closer to the microphone."
        )
    return values


def hear(
    audios: Sequence[Audio], config: FeatureConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the features of those recordings in which somebody speaks.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        In which recordings speech was found, bool, shape (n_recordings,), and
        the features of those, float32, shape (n_found, n_bins, n_frames).

    Raises
    ------
    AudioError
        If a recording is shorter than one window.
    """
    is_speech, values = [np.zeros(0, bool)], [np.zeros((0, *config.shape), np.float32)]
    for part in _spectra_in_batches(audios, config):
        is_speech.append(part.is_speech)
        heard = crop(part, config)
        values.append(render(heard.take(np.flatnonzero(part.is_speech)), config))
    return np.concatenate(is_speech), np.concatenate(values)


def frame_step(audio: Audio, config: FeatureConfig) -> float:
    """Seconds of a recording from one frame of its features to the next.

    That is the hop, or more where the word is longer than the frames that there are;
    where words are stretched, less for a short one.

    Raises
    ------
    AudioError
        If the recording is shorter than one window.
    """
    found = spectra([audio], config)
    position = place(found.spans, config).position[0]
    middle = len(position) // 2  # where the word is, whatever stands beside it
    return float(position[middle] - position[middle - 1]) * config.spectrum.hop


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


def with_context(found: Spectra, config: FeatureConfig) -> Spectra:
    """Keep what the features see of each word, and what augmentation needs around it.

    That is `CONTEXT` seconds, within which the ends of a word may move, and around a
    window as much again, for a quicker tempo.
    """
    n_contexts = 2 if config.fit == "window" else 1
    return crop(found, config, round(n_contexts * CONTEXT / config.spectrum.hop))


def crop(found: Spectra, config: FeatureConfig, context: int = 0) -> Spectra:
    """Keep what the features see of each word, and `context` frames around that.

    Nothing is kept of a clip without speech. What a word's margins, its window and its
    context lack, because the recording begins or ends there, is silence. So a word
    sounds the same whether its recording was cut closely or has pauses around it.
    """
    first, stop = found.spans.T
    if config.fit == "window":
        middle = (first + stop) // 2
        half = config.n_frames // 2 + 1
        first, stop = np.minimum(first, middle - half), np.maximum(stop, middle + half)
    first = first - context
    kept = np.where(found.is_speech, stop + context - first, 0)
    bounds = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    frames = np.arange(bounds[-1]) + np.repeat(first - bounds[:-1], kept)
    power = found.power.take(frames, axis=0, mode="clip")
    is_outside = frames < np.repeat(found.bounds[:-1], kept)
    is_outside |= frames >= np.repeat(found.bounds[1:], kept)
    power[is_outside] = 0
    spans = found.spans - first[:, None] + bounds[:-1, None]
    spans[~found.is_speech] = bounds[:-1][~found.is_speech, None]
    return Spectra(power, bounds, spans)


def render(
    found: Spectra, config: FeatureConfig, placement: Placement | None = None
) -> np.ndarray:
    """Turn the spectra of words into features.

    Parameters
    ----------
    found
        Spectra in which each clip has speech.
    config
        What the features are.
    placement
        Where each word goes; by default as `config.fit` says.

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, n_bins, n_frames); padding is 0 where the
        features are normalised, else the floor.
    """
    bank = mel_filter_bank(
        config.sample_rate,
        config.spectrum.n_fft,
        config.n_mels,
        config.fmin,
        config.fmax,
    )
    return render_mel(
        found.power @ bank.T, found.bounds, found.spans, config, placement
    )


def render_mel(
    mel: np.ndarray,
    bounds: np.ndarray,
    spans: np.ndarray,
    config: FeatureConfig,
    placement: Placement | None = None,
) -> np.ndarray:
    """Turn mel powers (n_total_frames, n_mels) into features, as `render` does."""
    if len(spans) == 0:
        return np.zeros((0, *config.shape), dtype=np.float32)
    placement = placement or place(spans, config)
    is_window = config.fit == "window"
    seen = np.stack([bounds[:-1], bounds[1:]], axis=1) if is_window else spans
    n_frames = seen[:, 1] - seen[:, 0]
    clip = np.repeat(np.arange(len(seen)), n_frames)  # one entry a frame that is seen
    offsets = np.concatenate([[0], np.cumsum(n_frames)])[:-1]
    frames = np.arange(len(clip)) + (seen[:, 0] - offsets)[clip]
    words = mel[frames]  # (n_seen_frames, n_mels)
    average = np.full(words.shape[1], 1 / words.shape[1], dtype=np.float32)
    loudness = words @ average
    # Level and colour are those of the word, whatever surrounds it.
    n_word_frames, within = spans[:, 1] - spans[:, 0], None
    if is_window:
        within = (frames >= spans[clip, 0]) & (frames < spans[clip, 1])
        loudness *= within
    mean = np.add.reduceat(loudness, offsets) / n_word_frames  # (n_clips,)
    floor = np.float32(config.floor)
    # Digital silence has no mean to be divided by, and stays at the floor.
    words /= np.maximum(mean, _SMALLEST).astype(np.float32)[clip, None]
    words += floor
    np.log(words, out=words)
    empty = np.log(floor)
    if config.normalise != "none":
        inner = words if within is None else words * within[:, None]
        centre = np.add.reduceat(inner, offsets)
        centre /= n_word_frames[:, None].astype(np.float32)
        if config.normalise == "level":
            centre[:] = centre.mean(axis=1, keepdims=True)
        words -= centre[clip]
        square = np.einsum("ij,ij->i", words, words) / words.shape[1]
        if within is not None:
            square *= within
        square = np.add.reduceat(square, offsets) / n_word_frames
        words /= np.sqrt(square + 1e-6, dtype=np.float32)[clip, None]
        empty = np.float32(0)
    if config.kind == "mfcc":
        words = words @ cosine_transform(config.n_mfcc, config.n_mels).T
        silence = np.full(config.n_mels, empty, dtype=np.float32)
        padding = cosine_transform(config.n_mfcc, config.n_mels) @ silence  # (n_bins,)
    else:
        padding = np.full(config.n_mels, empty, dtype=np.float32)
    last = (offsets + n_frames - 1)[:, None]
    wanted = placement.position - seen[:, :1] + offsets[:, None]
    position = np.minimum(np.maximum(wanted, offsets[:, None]), last)
    below = position.astype(np.int64)
    part = (position - below).astype(np.float32)
    values = words[below]  # (n_clips, n_frames, n_bins)
    between = part.any(axis=1)  # most words stand on whole frames
    above = words[np.minimum(below + 1, last)[between]]
    values[between] += (above - values[between]) * part[between, :, None]
    is_padded = ~placement.is_word
    if is_window:
        is_padded |= np.abs(position - wanted) > _ROUNDING
    values[is_padded] = padding
    return np.ascontiguousarray(values.transpose(0, 2, 1), dtype=np.float32)


def place(spans: np.ndarray, config: FeatureConfig) -> Placement:
    """Place each word, frames from start to before stop, as `config.fit` says."""
    start = spans[:, :1].astype(np.float64)
    length = (spans[:, 1:] - spans[:, :1]).astype(np.float64)  # (n_clips, 1)
    frame = np.arange(config.n_frames)[None, :]
    if config.fit == "stretch":
        step = (length - 1) / (config.n_frames - 1)
        position = start + frame * step
        return Placement(position, np.ones_like(position, dtype=bool))
    # Longer words are squeezed into the frames that there are.
    step = np.maximum(1.0, (length - 1) / (config.n_frames - 1))
    if config.fit == "window":
        position = window_middle(spans) + (frame - (config.n_frames - 1) / 2) * step
        return Placement(position, np.ones_like(position, dtype=bool))
    filled = np.minimum(length, config.n_frames)
    first = (config.n_frames - filled) // 2
    position = start + (frame - first) * step
    return Placement(position, (frame >= first) & (frame < first + filled))


def window_middle(spans: np.ndarray) -> np.ndarray:
    """The frame in the middle of each word, possibly between two: (n_clips, 1)."""
    return (spans.sum(axis=1, keepdims=True) - 1) / 2


@lru_cache(maxsize=8)
def cosine_transform(n_mfcc: int, n_mels: int) -> np.ndarray:
    """Rows of the orthonormal cosine transform, type II: (n_mfcc, n_mels), read-only.

    References
    ----------
    .. [1] S. Davis and P. Mermelstein, "Comparison of parametric representations
       for monosyllabic word recognition in continuously spoken sentences", IEEE
       Transactions on Acoustics, Speech, and Signal Processing 28(4), 1980.
    """
    band = np.arange(n_mels) + 0.5
    rows = np.cos(np.pi / n_mels * np.arange(n_mfcc)[:, None] * band)
    rows *= np.sqrt(2 / n_mels)
    rows[0] /= np.sqrt(2)
    matrix = rows.astype(np.float32)
    matrix.setflags(write=False)
    return matrix


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

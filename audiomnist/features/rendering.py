"""Render the spectra of words as features of a fixed size.

Owns mel bands, cepstral coefficients, normalisation, and how a word is placed in the
frames. Finding the word is for `speech`, the way from sound to features for
`extraction`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from audiomnist.features.config import FeatureConfig
from audiomnist.features.spectra import Spectra, mel_filter_bank

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
        position = start + frame * _step(length, config)
        return Placement(position, np.ones_like(position, dtype=bool))
    step = _step(length, config)
    if config.fit == "window":
        position = window_middle(spans) + (frame - (config.n_frames - 1) / 2) * step
        return Placement(position, np.ones_like(position, dtype=bool))
    filled = np.minimum(length, config.n_frames)
    first = (config.n_frames - filled) // 2
    position = start + (frame - first) * step
    return Placement(position, (frame >= first) & (frame < first + filled))


def frame_steps(spans: np.ndarray, config: FeatureConfig) -> np.ndarray:
    """Time from one frame of each word's features to the next.

    That is the hop, or more where a word is longer than the frames that there are;
    where words are stretched, less for a short one.

    Parameters
    ----------
    spans
        Frames of the spectra from start to before stop, int64, shape (n_clips, 2).
    config
        What the features are.

    Returns
    -------
    np.ndarray
        Seconds, float64, shape (n_clips,).
    """
    length = (spans[:, 1] - spans[:, 0]).astype(np.float64)
    return _step(length, config) * config.spectrum.hop


def _step(length: np.ndarray, config: FeatureConfig) -> np.ndarray:
    """Frames of the spectra to one of the features, for words of so many frames."""
    step = (length - 1) / (config.n_frames - 1)
    if config.fit == "stretch":
        return step
    return np.maximum(1.0, step)  # longer words are squeezed into the frames


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

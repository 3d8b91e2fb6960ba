"""Render the spectra of words as features of a fixed size.

Owns the way from mel bands to features: level, normalisation, and how a word is placed
in the frames. What each kind of feature makes of the bands is for `log_mel` and `mfcc`,
finding the word for `speech`, the way from sound to features for `extraction`.
"""

from dataclasses import dataclass

import numpy as np

from audiomnist.features.config import KINDS, FeatureConfig
from audiomnist.features.spectra import Spectra

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
    spectra: Spectra, config: FeatureConfig, placement: Placement | None = None
) -> np.ndarray:
    """Turn the spectra of words into features.

    Parameters
    ----------
    spectra
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
    mel = spectra.power @ config.filter_bank().T  # (n_total_frames, n_mels)
    return render_mel(mel, spectra.bounds, spectra.spans, config, placement)


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
    seen = _frames_seen(bounds, spans, config)
    levels = _levels(mel, seen, config)  # (n_seen, n_mels)
    empty = np.log(np.float32(config.floor))
    if config.normalise != "none":
        _normalise(levels, seen, config)
        empty = np.float32(0)
    kind = KINDS[config.kind]
    silence = np.full(config.n_mels, empty, dtype=np.float32)
    padding = kind.transform(silence, config)  # (n_bins,)
    values = _fill(kind.transform(levels, config), padding, seen, placement)
    return np.ascontiguousarray(values.transpose(0, 2, 1), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Seen:
    """The frames that features are made from, end to end: words, or whole clips.

    Parameters
    ----------
    frames, clip
        Of each, its number in the spectra and its clip's number, shape (n_seen,).
    is_word
        Whether each belongs to a word, shape (n_seen,); None where all do.
    first
        The first of each clip, as its number in the spectra, shape (n_clips,).
    offsets
        The same as its number among those that are seen.
    n_frames, n_word_frames
        How many of each clip are seen, and how many belong to its word.
    """

    frames: np.ndarray
    clip: np.ndarray
    is_word: np.ndarray | None
    first: np.ndarray
    offsets: np.ndarray
    n_frames: np.ndarray
    n_word_frames: np.ndarray


def _frames_seen(bounds: np.ndarray, spans: np.ndarray, config: FeatureConfig) -> _Seen:
    """The frames of each word, or of its whole clip where a window shows that."""
    is_window = config.fit == "window"
    first, stop = (bounds[:-1], bounds[1:]) if is_window else spans.T
    n_frames = stop - first
    clip = np.repeat(np.arange(len(first)), n_frames)
    offsets = np.concatenate([[0], np.cumsum(n_frames)])[:-1]
    frames = np.arange(len(clip)) + (first - offsets)[clip]
    is_word = None
    if is_window:
        is_word = (frames >= spans[clip, 0]) & (frames < spans[clip, 1])
    return _Seen(
        frames, clip, is_word, first, offsets, n_frames, spans[:, 1] - spans[:, 0]
    )


def _levels(mel: np.ndarray, seen: _Seen, config: FeatureConfig) -> np.ndarray:
    """Logarithms of mel powers relative to the word's mean: (n_seen, n_mels)."""
    levels = mel[seen.frames]
    average = np.full(levels.shape[1], 1 / levels.shape[1], dtype=np.float32)
    loudness = levels @ average
    if seen.is_word is not None:  # the level is the word's, whatever surrounds it
        loudness *= seen.is_word
    mean = np.add.reduceat(loudness, seen.offsets) / seen.n_word_frames  # (n_clips,)
    # Digital silence has no mean to be divided by, and stays at the floor.
    levels /= np.maximum(mean, _SMALLEST).astype(np.float32)[seen.clip, None]
    levels += np.float32(config.floor)
    return np.log(levels, out=levels)


def _normalise(levels: np.ndarray, seen: _Seen, config: FeatureConfig) -> None:
    """Take each word's level, or each band's, away, and divide by the deviation."""
    within = levels if seen.is_word is None else levels * seen.is_word[:, None]
    centre = np.add.reduceat(within, seen.offsets)  # (n_clips, n_mels)
    centre /= seen.n_word_frames[:, None].astype(np.float32)
    if config.normalise == "level":
        centre[:] = centre.mean(axis=1, keepdims=True)
    levels -= centre[seen.clip]
    square = np.einsum("ij,ij->i", levels, levels) / levels.shape[1]
    if seen.is_word is not None:
        square *= seen.is_word
    square = np.add.reduceat(square, seen.offsets) / seen.n_word_frames
    levels /= np.sqrt(square + 1e-6, dtype=np.float32)[seen.clip, None]


def _fill(
    seen_values: np.ndarray, padding: np.ndarray, seen: _Seen, placement: Placement
) -> np.ndarray:
    """Put what is seen where it belongs: (n_clips, n_frames, n_bins)."""
    offsets = seen.offsets[:, None]
    last = offsets + seen.n_frames[:, None] - 1
    wanted = placement.position - seen.first[:, None] + offsets
    position = np.minimum(np.maximum(wanted, offsets), last)
    below = position.astype(np.int64)
    part = (position - below).astype(np.float32)
    values = seen_values[below]
    between = part.any(axis=1)  # most words stand on whole frames
    above = seen_values[np.minimum(below + 1, last)[between]]
    values[between] += (above - values[between]) * part[between, :, None]
    is_padded = ~placement.is_word
    if seen.is_word is not None:
        is_padded |= np.abs(position - wanted) > _ROUNDING
    values[is_padded] = padding
    return values


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

"""Noise on spectra: steady noise of any colour, and babble.

Owns what noise does to mel powers, so that clips can be made noisy without their
samples. Which clips become noisy how often is for `augmentation`.
"""

import numpy as np

from audiomnist.features.config import FeatureConfig

_NOISE_FALLS = (-0.5, 2.2)
"""Power of steady noise goes with frequency to the power of minus this: 0 is white, 1
pink and 2 brown."""

_MOST_BABBLE = 5
"""Other clips that are mixed to babble, at most."""


def add_noise(
    mel: np.ndarray,
    bounds: np.ndarray,
    spans: np.ndarray,
    features: FeatureConfig,
    rng: np.random.Generator,
    *,
    part: float,
    babble_part: float,
    range_db: tuple[float, float],
) -> None:
    """Add noise to some clips, each at a random level; changes `mel`.

    Parameters
    ----------
    mel
        Mel powers of all clips, float32, shape (n_total_frames, n_mels).
    bounds, spans
        Where the clips and their words lie in it, as of `spectra.Spectra`.
    features
        How the mel powers were made.
    rng
        Source of all randomness.
    part, babble_part
        Part of the clips that get noise, and part of those whose noise is other clips.
    range_db
        Lowest and highest signal-to-noise ratio.
    """
    n_clips = len(spans)
    is_noisy = rng.random(n_clips) < part
    snr_db = rng.uniform(*range_db, n_clips)
    is_babble = is_noisy & (rng.random(n_clips) < babble_part)
    falls = rng.uniform(*_NOISE_FALLS, n_clips)
    clip = np.repeat(np.arange(n_clips), np.diff(bounds))  # (n_total_frames,)
    frames = np.flatnonzero(is_noisy[clip])
    if len(frames) == 0:
        return
    hz, width, emphasis = _band_facts(features)  # (n_mels,) each
    # Levels compare what the microphone recorded, before pre-emphasis.
    total = np.concatenate([[0.0], np.cumsum(mel @ (width / emphasis), dtype=float)])
    mean = (total[spans[:, 1]] - total[spans[:, 0]]) / (spans[:, 1] - spans[:, 0])
    level = (mean * 10 ** (-snr_db / 10)).astype(np.float32)  # (n_clips,)
    shape = (hz / 1000) ** -falls[:, None]  # (n_clips, n_mels)
    shape *= emphasis / (shape @ width)[:, None]
    frames = np.flatnonzero((is_noisy & ~is_babble)[clip])
    waver = _waver(len(frames), features, width, rng)
    chosen = clip[frames]
    mel[frames] += waver * (level[:, None] * shape).astype(np.float32)[chosen]
    frames = np.flatnonzero(is_babble[clip])
    if len(frames):
        chosen = clip[frames]
        babble = _babble(mel, bounds, chosen, frames, (width / emphasis), rng)
        mel[frames] += babble * level[chosen, None]


def _band_facts(features: FeatureConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and width of each mel band in Hz, and the gain of pre-emphasis in power."""
    spectrum = features.spectrum
    bank = features.filter_bank()
    share = bank / bank.sum(axis=1, keepdims=True)  # (n_mels, n_bins)
    hz = np.arange(spectrum.n_bins) * spectrum.sample_rate / spectrum.n_fft
    turn = np.exp(-2j * np.pi * hz / spectrum.sample_rate)
    emphasis = share @ np.abs(1 - spectrum.pre_emphasis * turn) ** 2
    centre = share @ hz
    return centre, np.gradient(centre), emphasis


def _waver(
    n_frames: int, features: FeatureConfig, width: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Power of steady noise in each band, mean 1: float32, (n_frames, n_mels).

    Power in one bin of a noise is exponentially distributed. A mel band averages as
    many independent bins as its width holds windows' widths.
    """
    spectrum = features.spectrum
    window = 1.5 * spectrum.sample_rate / spectrum.win_length  # of Hann, in Hz
    n_bins = ((1.5 * width + window) / window).astype(np.float32)  # (n_mels,)
    waver = rng.standard_gamma(n_bins, (n_frames, len(width)), dtype=np.float32)
    waver /= n_bins
    return waver


def _babble(
    mel: np.ndarray,
    bounds: np.ndarray,
    clip: np.ndarray,
    frames: np.ndarray,
    width: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Other clips in an endless loop, of unit power: (n_frames, n_mels)."""
    n_clips, n_frames = len(bounds) - 1, np.diff(bounds)
    total = np.concatenate([[0.0], np.cumsum(mel @ width, dtype=np.float64)])
    mean = np.maximum((total[bounds[1:]] - total[bounds[:-1]]) / n_frames, 1e-20)
    n_voices = rng.integers(1, _MOST_BABBLE + 1, n_clips)
    babble = np.zeros((len(frames), mel.shape[1]), dtype=np.float32)
    for voice in range(_MOST_BABBLE):
        other = rng.integers(n_clips, size=n_clips)
        begin = rng.integers(1 << 16, size=n_clips)[clip]
        share = np.where(voice < n_voices, 1 / (n_voices * mean[other]), 0)
        babbling = bounds[other][clip] + (frames + begin) % n_frames[other][clip]
        babble += mel[babbling] * share.astype(np.float32)[clip, None]
    return babble

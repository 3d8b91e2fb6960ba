"""Variations of a spoken word: other tempo, voice, room, microphone and noise.

Works on stored power spectra, so that every epoch hears new versions of each
clip without decoding one again. Each function takes its randomness as an
argument. The network that learns from them comes next.
"""

from dataclasses import dataclass

import numpy as np

from audiomnist.errors import RunError
from audiomnist.features import CONTEXT, FeatureConfig, Placement, place, render_mel
from audiomnist.spectra import Spectra, mel_filter_bank


@dataclass(frozen=True)
class AugmentationConfig:
    """How much the versions of a clip differ; 0 switches a variation off.

    Parameters
    ----------
    tempo
        Largest change of tempo, as a part: 0.2 gives 0.8 to 1.2 times.
    shift
        Largest move of a padded word out of the middle, in seconds.
    end_points
        Largest move of the word's beginning and end, in seconds.
    warp
        Largest change of all frequencies, as a part, as another length of the
        vocal tract makes it [1]_.
    equaliser_db
        Standard deviation of a smooth random gain over the mel bands, in dB.
    noise_part
        Part of the versions that get noise of a random colour.
    noise_low_db, noise_high_db
        Range of their signal-to-noise ratios, in dB.

    Raises
    ------
    RunError
        If a number is out of its range.

    References
    ----------
    .. [1] N. Jaitly and G. Hinton, "Vocal Tract Length Perturbation (VTLP) improves
       speech recognition", ICML Workshop on Deep Learning for Audio, 2013.
    """

    tempo: float = 0.2
    shift: float = 0.06
    end_points: float = 0.06
    warp: float = 0.18
    equaliser_db: float = 5.0
    noise_part: float = 0.4
    noise_low_db: float = 0.0
    noise_high_db: float = 40.0

    def __post_init__(self) -> None:
        if not 0 <= self.tempo < 1 or not 0 <= self.warp < 0.5:
            raise RunError(
                f"tempo is {self.tempo} and warp {self.warp}; expected 0 to under 1 "
                "and 0 to under 0.5."
            )
        if not 0 <= self.end_points <= CONTEXT or self.shift < 0:
            raise RunError(
                f"end_points is {self.end_points} s and shift {self.shift} s; expected "
                f"0 to {CONTEXT} s and not under 0."
            )
        if not 0 <= self.noise_part <= 1 or self.noise_low_db > self.noise_high_db:
            raise RunError(
                f"noise_part is {self.noise_part}, noise from {self.noise_low_db} to "
                f"{self.noise_high_db} dB; expected a part from 0 to 1, low to high."
            )
        if self.equaliser_db < 0:
            raise RunError(f"equaliser_db is {self.equaliser_db}; expected 0 or more.")


_N_WARPS = 15
"""Filter banks between the lowest and the highest warp."""

_EQUALISER_POINTS = 6
"""Random gains over the mel bands, joined by straight lines."""

_NOISE_TILT_DB = 12.0
"""Largest rise or fall of the noise from the lowest mel band to the highest."""


def augment(
    found: Spectra,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Make one new version of each clip.

    Parameters
    ----------
    found
        Spectra of clips that all have speech.
    features
        What the network sees.
    config
        How much the versions differ.
    rng
        Source of all randomness.

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, n_bins, n_frames).
    """
    if len(found) == 0:
        return np.zeros((0, *features.shape), dtype=np.float32)
    clip = np.repeat(np.arange(len(found)), np.diff(found.bounds))
    mel = _warped_mel(found, features, config, rng)  # (n_total_frames, n_mels)
    if config.equaliser_db:
        mel *= _equaliser(len(found), features.n_mels, config, rng)[clip]
    spans = _moved_end_points(found, features, config, rng)
    if config.noise_part:
        mel += _noise(mel, spans, clip, config, rng)
    return render_mel(mel, spans, features, _placement(spans, features, config, rng))


def _warped_mel(
    found: Spectra,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mel powers, each clip through a filter bank of its own warp."""
    spectrum = features.spectrum
    warps = np.linspace(1 - config.warp, 1 + config.warp, _N_WARPS)
    choice = rng.integers(_N_WARPS, size=len(found))
    mel = np.empty((len(found.power), features.n_mels), dtype=np.float32)
    chosen = np.repeat(choice, np.diff(found.bounds))  # (n_total_frames,)
    for number, warp in enumerate(warps):
        bank = mel_filter_bank(
            spectrum.sample_rate,
            spectrum.n_fft,
            features.n_mels,
            features.fmin,
            features.fmax,
            float(warp),
        )
        frames = np.flatnonzero(chosen == number)
        mel[frames] = found.power[frames] @ bank.T
    return mel


def _equaliser(
    n_clips: int, n_mels: int, config: AugmentationConfig, rng: np.random.Generator
) -> np.ndarray:
    """Smooth random gains in power, (n_clips, n_mels)."""
    points = rng.normal(0, config.equaliser_db, (n_clips, _EQUALISER_POINTS))
    position = np.linspace(0, _EQUALISER_POINTS - 1, n_mels)
    below = np.minimum(position.astype(int), _EQUALISER_POINTS - 2)
    part = position - below
    gain_db = points[:, below] * (1 - part) + points[:, below + 1] * part
    return (10 ** (gain_db / 10)).astype(np.float32)


def _moved_end_points(
    found: Spectra,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """The words' spans with each end moved at random, two frames long or more."""
    most = round(config.end_points / features.spectrum.hop)
    moves = rng.integers(-most, most + 1, size=found.spans.shape)
    moved = np.clip(
        found.spans + moves, found.bounds[:-1, None], found.bounds[1:, None]
    )
    too_short = moved[:, 1] - moved[:, 0] < 2
    moved[too_short] = found.spans[too_short]
    return moved


def _noise(
    mel: np.ndarray,
    spans: np.ndarray,
    clip: np.ndarray,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mel powers of noise at a random level and tilt, (n_total_frames, n_mels)."""
    n_clips, n_mels = len(spans), mel.shape[1]
    snr_db = rng.uniform(config.noise_low_db, config.noise_high_db, n_clips)
    is_noisy = rng.random(n_clips) < config.noise_part
    tilt_db = rng.uniform(-_NOISE_TILT_DB, _NOISE_TILT_DB, (n_clips, 1))
    shape = 10 ** (tilt_db * np.linspace(-0.5, 0.5, n_mels) / 10)  # (n_clips, n_mels)
    shape /= shape.mean(axis=1, keepdims=True)
    total = np.concatenate([[0.0], np.cumsum(mel.mean(axis=1), dtype=np.float64)])
    mean = (total[spans[:, 1]] - total[spans[:, 0]]) / (spans[:, 1] - spans[:, 0])
    level = np.where(is_noisy, mean * 10 ** (-snr_db / 10), 0)
    # Power in one bin of a noise is exponentially distributed; a mel band averages
    # a few bins, four here.
    waver = rng.standard_gamma(4.0, size=mel.shape, dtype=np.float32) / 4
    return waver * (level[:, None] * shape).astype(np.float32)[clip]


def _placement(
    spans: np.ndarray,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> Placement:
    """Place the words at another tempo and, where they are padded, off the middle."""
    n_clips = len(spans)
    if features.fit == "stretch":
        # The tempo is taken away by stretching: it has nothing to change.
        return place(spans, features)
    tempo = rng.uniform(1 - config.tempo, 1 + config.tempo, (n_clips, 1))
    most = config.shift / features.spectrum.hop
    shift = rng.uniform(-most, most, (n_clips, 1)).round()
    length = (spans[:, 1:] - spans[:, :1]).astype(np.float64)
    step = np.maximum(tempo, (length - 1) / (features.n_frames - 1))
    filled = np.floor((length - 1) / step) + 1
    room = features.n_frames - filled
    first = np.clip(room // 2 + shift, 0, room)
    frame = np.arange(features.n_frames)[None, :]
    position = spans[:, :1] + (frame - first) * step
    return Placement(position, (frame >= first) & (frame < first + filled))

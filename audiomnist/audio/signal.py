"""Mono sound in memory: its samples, its sample rate and its level.

Owns the type `Audio`, resampling and level. Sound files are read by `decoding` and
written by `encoding`.
"""

import math
from dataclasses import dataclass

import numpy as np

from audiomnist.errors import AudioError

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4000, 384_000
"""Sample rates that are accepted, in Hz: telephone speech starts at 8000."""

SILENCE_DBFS = -120.0
"""Level reported for digital silence, in dB relative to full scale."""


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound that knows its rate.

    Parameters
    ----------
    samples
        float32 in [-1, 1], shape (n_samples,).
    sample_rate
        Samples a second, in Hz.

    Raises
    ------
    AudioError
        If the samples are not one channel, not finite or without a usable rate.
    """

    samples: np.ndarray
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1:
            raise AudioError(
                f"The samples have shape {self.samples.shape}; expected one channel, "
                "shape (n_samples,). Mix the channels to mono first."
            )
        if not MIN_SAMPLE_RATE <= self.sample_rate <= MAX_SAMPLE_RATE:
            raise AudioError(
                f"The sample rate is {self.sample_rate} Hz; expected "
                f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz. Record it again."
            )
        # A sum over a NaN or infinity is one too, and is found much faster.
        if not np.isfinite(self.samples.sum()):
            n_bad = int(np.count_nonzero(~np.isfinite(self.samples)))
            if n_bad:
                raise AudioError(
                    f"{n_bad} of {self.samples.size} samples are not finite numbers "
                    "(NaN or infinity). Export the recording again."
                )

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def resample(audio: Audio, sample_rate: int) -> Audio:
    """Convert to another sample rate with soxr's high-quality band-limited filter."""
    if sample_rate == audio.sample_rate:
        return audio
    import soxr

    samples = soxr.resample(audio.samples, audio.sample_rate, sample_rate, "HQ")
    return Audio(samples, sample_rate)


def level_dbfs(samples: np.ndarray) -> float:
    """Root-mean-square level in dB relative to full scale, at least -120.

    Parameters
    ----------
    samples
        float32 in [-1, 1], shape (n_samples,).
    """
    if len(samples) == 0:
        return SILENCE_DBFS
    power = float(np.dot(samples, samples)) / len(samples)
    return max(SILENCE_DBFS, 10 * math.log10(power)) if power > 0 else SILENCE_DBFS

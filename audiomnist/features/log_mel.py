"""Log-mel features: the level of each mel band over time.

Owns what this kind of feature is called and how a figure labels it. The bands are made
for every kind of feature, in `rendering`.
"""

from typing import TYPE_CHECKING

import numpy as np

from audiomnist.features.kind import FeatureKind

if TYPE_CHECKING:
    from audiomnist.features.config import FeatureConfig

_TICKS = (100, 250, 500, 1000, 2000, 4000, 8000)  # Hz


def _ticks(config: "FeatureConfig") -> tuple[np.ndarray, list[str]]:
    """Places of round frequencies among the mel bands, and the frequencies in kHz."""
    spectrum = config.spectrum
    bank = config.filter_bank()
    frequencies = np.arange(bank.shape[1]) * spectrum.sample_rate / spectrum.n_fft
    centres = bank @ frequencies / bank.sum(axis=1)  # (n_mels,)
    hz = [value for value in _TICKS if centres[0] <= value <= centres[-1]]
    places = np.interp(hz, centres, np.arange(len(centres)))
    return places, [f"{value / 1000:g}" for value in hz]


def _describe(config: "FeatureConfig") -> str:
    """What a network is given of each window."""
    return (
        f"the loudness of {config.n_mels} bands of frequencies in each slice of "
        f"{config.spectrum.window_ms:.0f} ms, divided as our ears divide them."
    )


LOG_MEL = FeatureKind(
    name="log_mel",
    title="Log-mel",
    sentence="A log-mel spectrogram: how loud the sound is at each moment in each of "
    "several bands of frequencies. The bands are as wide as those of the ear (the mel "
    "scale), and loudness is the logarithm of their power.",
    bins="log-mel bands",
    axis="frequency (kHz)",
    quantity="level",
    unit="log",
    n_bins=lambda config: config.n_mels,
    transform=lambda levels, config: levels,
    describe=_describe,
    ticks=_ticks,
)
"""Mel bands as they are."""

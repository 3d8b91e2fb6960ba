"""Mel-frequency cepstral coefficients: the shape of each spectrum in a few numbers.

Owns their cosine transform and what this kind of feature is called. The mel bands that
they are made from are for `rendering`.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from audiomnist.features.kind import FeatureKind

if TYPE_CHECKING:
    from audiomnist.features.config import FeatureConfig


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


def _transform(levels: np.ndarray, config: "FeatureConfig") -> np.ndarray:
    """From mel bands (..., n_mels) to coefficients (..., n_mfcc)."""
    return levels @ cosine_transform(config.n_mfcc, config.n_mels).T


def _describe(config: "FeatureConfig") -> str:
    """What a network is given of each window."""
    return (
        f"{config.n_mfcc} numbers for each slice of {config.spectrum.window_ms:.0f} "
        "ms, which describe the shape of its spectrum."
    )


MFCC = FeatureKind(
    name="mfcc",
    title="MFCC",
    sentence="Mel-frequency cepstral coefficients: a few numbers that describe the "
    "broad shape of each spectrum of a log-mel spectrogram, without its fine detail.",
    bins="MFCC",
    axis="coefficient",
    quantity="value",
    n_bins=lambda config: config.n_mfcc,
    transform=_transform,
    describe=_describe,
    has_level=True,
)
"""The first coefficients of the cosine transform of the mel bands."""

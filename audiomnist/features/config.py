"""The settings of the features: what a network is given of a recording.

Owns the list of the kinds of features, the ways of fitting a word into them, and how
its level is normalised. How features are computed is for `extraction` and `rendering`.
"""

from dataclasses import dataclass, field

import numpy as np

from audiomnist.errors import ConfigError
from audiomnist.features.kind import FeatureKind
from audiomnist.features.log_mel import LOG_MEL
from audiomnist.features.mfcc import MFCC
from audiomnist.features.spectra import SpectrumConfig, mel_filter_bank
from audiomnist.features.speech import SpeechConfig

VERSION = 1
"""Counts the changes after which the same recording and settings give other features.

Cached features of another version are computed again.
"""

KINDS: dict[str, FeatureKind] = {kind.name: kind for kind in (LOG_MEL, MFCC)}
"""The kinds of features, by name; a new one is a module and its place here."""

FITS = {
    "pad": "Keep the tempo: the word stands in the middle, longer ones are squeezed.",
    "stretch": "Give each word the same length, whatever its tempo.",
    "window": "Keep the tempo and what was recorded around the word, which stands in "
    "the middle: a word of which only a part was found is seen whole.",
}

NORMALISATIONS = {
    "none": "Leave the bands as they are, relative to the word's mean power.",
    "level": "Take the mean over the word and all bands away, divide by the deviation.",
    "bands": "Take each band's own mean over the word away, which removes the "
    "microphone's colour, and divide by the deviation over all bands.",
}


@dataclass(frozen=True)
class FeatureConfig:
    """What a network sees of a recording.

    Parameters
    ----------
    kind
        One of `KINDS`.
    spectrum
        How sound becomes power spectra.
    speech
        How the word is found.
    n_mels, fmin, fmax
        Number of mel bands, and the range that they cover in Hz.
    n_mfcc
        Cepstral coefficients that are kept, from the zeroth on; for "mfcc" only.
    floor
        Power added to each band before the logarithm, as a part of the word's
        mean band power: what lies far below it is noise.
    normalise
        What of level and colour is taken away, see `NORMALISATIONS`.
    n_frames
        Length of the features, in frames.
    fit
        How a word gets that length: "pad", "stretch" or "window", see `FITS`.

    Raises
    ------
    ConfigError
        If a number or name is out of its range.
    """

    kind: str = "log_mel"
    spectrum: SpectrumConfig = field(default_factory=SpectrumConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    n_mels: int = 40
    fmin: float = 60.0
    fmax: float = 3800.0
    n_mfcc: int = 20
    floor: float = 1e-3
    normalise: str = "level"
    n_frames: int = 40
    fit: str = "pad"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind is {self.kind!r}; expected one of {list(KINDS)}.")
        if self.fit not in FITS:
            raise ConfigError(f"fit is {self.fit!r}; expected one of {list(FITS)}.")
        if self.normalise not in NORMALISATIONS:
            raise ConfigError(
                f"normalise is {self.normalise!r}; expected one of "
                f"{list(NORMALISATIONS)}."
            )
        if not 0 <= self.fmin < self.fmax <= self.spectrum.sample_rate / 2:
            raise ConfigError(
                f"fmin {self.fmin} and fmax {self.fmax} Hz do not fit a sample rate of "
                f"{self.sample_rate} Hz; expected 0 <= fmin < fmax <= half of it."
            )
        if not 1 <= self.n_mfcc <= self.n_mels:
            raise ConfigError(
                f"n_mfcc is {self.n_mfcc}; expected 1 to n_mels, {self.n_mels}."
            )
        if self.n_frames < 2 or self.floor <= 0:
            raise ConfigError(
                f"n_frames is {self.n_frames} and floor {self.floor}; expected two "
                "frames or more and a floor above 0."
            )

    @property
    def sample_rate(self) -> int:
        """Rate that recordings are converted to, in Hz."""
        return self.spectrum.sample_rate

    def filter_bank(self, warp: float = 1.0) -> np.ndarray:
        """The filters of the mel bands, see `spectra.mel_filter_bank`.

        Parameters
        ----------
        warp
            Factor on the frequencies of all filters.

        Returns
        -------
        np.ndarray
            float32, shape (n_mels, n_fft // 2 + 1), read-only.
        """
        spectrum = self.spectrum
        return mel_filter_bank(
            spectrum.sample_rate,
            spectrum.n_fft,
            self.n_mels,
            self.fmin,
            self.fmax,
            warp,
        )

    @property
    def n_bins(self) -> int:
        """Rows of the features, such as mel bands or cepstral coefficients."""
        return KINDS[self.kind].n_bins(self)

    @property
    def shape(self) -> tuple[int, int]:
        """The network's input: (n_bins, n_frames)."""
        return self.n_bins, self.n_frames

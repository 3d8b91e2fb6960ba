"""Noises that people have around them, to test recognition with.

Owns five noises of unit power, each made from a random generator alone but for babble,
which is made of other people's words. How loud a noise is beside a word is for
`evaluation.conditions`.
"""

from collections.abc import Sequence

import numpy as np

from audiomnist.audio.signal import Audio, resample
from audiomnist.errors import AudioError

N_TALKERS = 6
"""Voices that babble is made of, where so many are given."""

MIN_HZ = 20.0
"""Coloured noise holds nothing below this: it cannot be heard."""

MAINS_HZ = (50.0, 60.0)
"""Frequencies of mains supplies, one of which hums."""

_N_HARMONICS = 8  # of the mains, that a transformer or a fan's motor hums in


def white(n_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Make noise of equal power at each frequency: (n_samples,), mean square 1."""
    return _coloured(n_samples, sample_rate, 0.0, rng)


def pink(n_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Make noise that falls by 3 dB an octave: (n_samples,), mean square 1."""
    return _coloured(n_samples, sample_rate, 1.0, rng)


def fan(n_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Make the low noise of a fan: (n_samples,), mean square 1.

    Half of its power is brown noise, which falls by 6 dB an octave as moved air does,
    and half is a hum of the mains.
    """
    air = _coloured(n_samples, sample_rate, 2.0, rng)
    return _of_unit_power(air + mains_hum(n_samples, sample_rate, rng))


def mains_hum(n_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Make a hum of the mains and its harmonics: (n_samples,), mean square 1.

    The amplitude of harmonic k is 1 / k, as in a sawtooth.
    """
    time = np.arange(n_samples) / sample_rate
    mains = rng.choice(MAINS_HZ)
    sound = np.zeros(n_samples)
    for k in range(1, _N_HARMONICS + 1):
        phase = 2 * np.pi * (k * mains * time + rng.random())
        sound += np.sin(phase) / k
    return _of_unit_power(sound)


def babble(
    voices: Sequence[Audio], n_samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Let several people talk at once: (n_samples,), mean square 1.

    `N_TALKERS` of the recordings, or all if there are fewer, are drawn, brought to
    the same power, repeated from a random place on, and added.

    Parameters
    ----------
    voices
        Recordings to draw from, of any rate.
    n_samples, sample_rate
        Length and rate, in Hz, of the result.
    rng
        Draws recordings and places.

    Raises
    ------
    AudioError
        If there is no recording in which there is any sound.
    """
    sounding = [voice for voice in voices if voice.samples.any()]
    if not sounding:
        raise AudioError(
            f"None of {len(voices)} recordings can talk in the background. Give "
            "recordings of other speakers who say other digits."
        )
    drawn = rng.choice(len(sounding), min(N_TALKERS, len(sounding)), replace=False)
    sound = np.zeros(n_samples)
    for i in drawn:
        voice = _of_unit_power(resample(sounding[i], sample_rate).samples)
        first = rng.integers(len(voice))
        sound += np.resize(np.roll(voice, -first), n_samples)
    return _of_unit_power(sound)


def _coloured(
    n_samples: int, sample_rate: int, exponent: float, rng: np.random.Generator
) -> np.ndarray:
    """Noise whose power falls with frequency to the exponent, of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequencies = np.fft.rfftfreq(n_samples, 1 / sample_rate)  # (n_bins,)
    gain = np.zeros_like(frequencies)
    is_kept = frequencies >= MIN_HZ
    gain[is_kept] = frequencies[is_kept] ** (-exponent / 2)
    return _of_unit_power(np.fft.irfft(spectrum * gain, n_samples))


def _of_unit_power(samples: np.ndarray) -> np.ndarray:
    """Scaled to a mean square of 1."""
    return samples / np.sqrt(np.mean(np.square(samples, dtype=np.float64)))

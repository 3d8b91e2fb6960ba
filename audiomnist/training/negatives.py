"""Synthetic negatives, from which a network learns to reject: mangled digits, noises.

Owns making them. Negatives are all sounds that are not digits; recordings of other
words, which are negatives too, are for `corpora.other_words`. A network that was
trained on digits alone takes everything for one; how it learns to reject is for `loop`.
"""

from collections.abc import Callable

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.features.spectra import Spectra

_SAMPLE_RATE = 16_000  # Hz, of made noises

_LONGEST_PART, _SHORTEST_PART = 0.4, 0.2  # of a word that is cut off


def scramble(
    spectra: Spectra, digits: np.ndarray, n_clips: int, rng: np.random.Generator
) -> Spectra:
    """Mangle digits until they are none: reversed, cut off, or parts of two.

    Parameters
    ----------
    spectra
        Spectra of digits, all with speech.
    digits
        What they say, shape (n_digits,).
    n_clips
        How many to make.
    rng
        Source of all randomness.

    Returns
    -------
    Spectra
        Of `n_clips` sounds, each of which fills its clip.
    """
    sources = rng.integers(len(spectra), size=(n_clips, 2))
    ways = rng.integers(len(_WAYS), size=n_clips)
    # One beginning and the end of the same digit would be that digit.
    ways[(digits[sources[:, 0]] == digits[sources[:, 1]])] = 0
    pieces = [
        _WAYS[way](_word(spectra, one), _word(spectra, other), rng)
        for way, (one, other) in zip(ways, sources, strict=True)
    ]
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    power = np.concatenate([spectra.power[:0], *pieces])
    return Spectra(power, bounds, np.stack([bounds[:-1], bounds[1:]], axis=1))


def noises(n_clips: int, rng: np.random.Generator) -> list[Audio]:
    """Make sounds of about a word's length that are no speech.

    They are bursts of coloured noise, tones and chords that stand, glide or warble,
    claps and knocks, breath and wind, and hums with their harmonics; half of them in
    a background of soft noise.
    """
    audios = []
    for _ in range(n_clips):
        make = _NOISES[rng.integers(len(_NOISES))]
        sound = make(round(rng.uniform(0.15, 0.9) * _SAMPLE_RATE), rng)
        before, after = (round(s * _SAMPLE_RATE) for s in rng.uniform(0.1, 0.4, 2))
        samples = np.pad(sound / max(np.abs(sound).max(), 1e-9), (before, after))
        samples *= rng.uniform(0.1, 0.9)
        if rng.random() < 0.5:
            floor = _coloured(len(samples), rng.uniform(-1, 0), rng)
            samples += 10 ** (rng.uniform(-60, -30) / 20) * floor
        audios.append(Audio(np.clip(samples, -1, 1).astype(np.float32), _SAMPLE_RATE))
    return audios


def _word(spectra: Spectra, number: int) -> np.ndarray:
    """Power of one word without its surroundings: (n_frames, n_bins)."""
    start, stop = spectra.spans[number]
    return spectra.power[start:stop]


def _reversed(
    one: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """One digit backwards: (n_frames, n_bins)."""
    return one[::-1]


def _cut_off(
    one: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The beginning or the end of a digit alone: (n_frames, n_bins)."""
    kept = max(3, round(rng.uniform(_SHORTEST_PART, _LONGEST_PART) * len(one)))
    return one[:kept] if rng.random() < 0.5 else one[-kept:]


def _end_and_beginning(
    one: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The end of one digit before the beginning of another: (n_frames, n_bins)."""
    return np.concatenate([one[len(one) // 2 :], other[: max(1, len(other) // 2)]])


def _beginning_and_end(
    one: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The beginning of one digit and the end of another: (n_frames, n_bins)."""
    return np.concatenate([one[: max(1, len(one) // 2)], other[len(other) // 2 :]])


_WAYS = (_reversed, _cut_off, _end_and_beginning, _beginning_and_end)


def _coloured(n: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude goes with frequency to the power `slope`, peak 1."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / _SAMPLE_RATE), 30.0)
    sound = np.fft.irfft(spectrum * (frequency / 1000) ** slope, n)
    return sound / max(np.abs(sound).max(), 1e-9)


def _swell(n: int, rng: np.random.Generator) -> np.ndarray:
    """An envelope that rises and falls, each for a random part of the time: (n,)."""
    rise, fall = (max(1, round(part * n)) for part in rng.uniform(0.02, 0.5, 2))
    place = np.arange(n)
    return np.minimum(1, np.minimum((place + 1) / rise, (n - place) / fall))


def _burst(n: int, rng: np.random.Generator) -> np.ndarray:
    """A burst of coloured noise."""
    return _coloured(n, rng.uniform(-1.5, 0.5), rng) * _swell(n, rng)


def _tones(n: int, rng: np.random.Generator) -> np.ndarray:
    """One to four tones that stand, glide or warble together."""
    time = np.arange(n) / _SAMPLE_RATE
    glide = 2 ** (rng.choice([0, 0, 1]) * rng.uniform(-1, 1) * time / time[-1])
    glide *= 1 + rng.choice([0, 0.03]) * np.sin(2 * np.pi * rng.uniform(3, 9) * time)
    sound = np.zeros(n)
    for hz in np.exp(rng.uniform(np.log(150), np.log(3000), rng.integers(1, 5))):
        phase = 2 * np.pi * np.cumsum(hz * glide) / _SAMPLE_RATE
        sound += rng.uniform(0.3, 1) * np.sin(phase + rng.uniform(0, 6))
    return sound * _swell(n, rng)


def _hum(n: int, rng: np.random.Generator) -> np.ndarray:
    """A low tone with all its harmonics: mains, a motor, somebody who hums."""
    time = np.arange(n) / _SAMPLE_RATE
    hz, fade = rng.uniform(45, 300), rng.uniform(0.5, 2)
    sound = np.zeros(n)
    for number in range(1, 16):
        tone = np.sin(2 * np.pi * number * hz * time + rng.uniform(0, 6))
        sound += tone / number**fade
    return sound * _swell(n, rng)


def _knocks(n: int, rng: np.random.Generator) -> np.ndarray:
    """Claps, clicks or knocks: noise or a tone that dies away, one or several times."""
    sound = np.zeros(n)
    time = np.arange(n) / _SAMPLE_RATE
    noise = _coloured(n, rng.uniform(-1, 0.5), rng)
    tone = np.sin(2 * np.pi * rng.uniform(80, 2000) * time)
    knock = (noise + rng.uniform(0, 2) * tone) * np.exp(-time / rng.uniform(0.004, 0.1))
    for begin in rng.integers(0, max(1, n // 2), rng.integers(1, 4)):
        sound[begin:] += rng.uniform(0.3, 1) * knock[: n - begin]
    return sound


def _breath(n: int, rng: np.random.Generator) -> np.ndarray:
    """Noise through one or two wide resonances that move: breath, cough, wind."""
    sound = np.zeros(n)
    for _ in range(rng.integers(1, 3)):
        low = np.exp(rng.uniform(np.log(200), np.log(2500)))
        spectrum = np.fft.rfft(rng.normal(size=n))
        frequency = np.fft.rfftfreq(n, 1 / _SAMPLE_RATE)
        gain = 1 / (1 + ((frequency - low) / (0.3 * low + 100)) ** 2)
        sound += np.fft.irfft(spectrum * gain, n) * _swell(n, rng)
    return sound


_NOISES: tuple[Callable[[int, np.random.Generator], np.ndarray], ...] = (
    _burst,
    _tones,
    _hum,
    _knocks,
    _breath,
)

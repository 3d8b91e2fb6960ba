"""Power spectra of many recordings at once, and the mel filter bank.

Owns the short-time Fourier transform: every clip of a batch is framed end to end in one
array, so that clips of any length share one pass and none depends on its neighbours.
Finding the speech in them is for `speech`, rendering features for `rendering`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from audiomnist.audio.signal import Audio, resample
from audiomnist.errors import AudioError, ConfigError

FRAMES_AT_ONCE = 4096
"""Frames transformed together: their spectra stay in the processor's cache."""

_FRAMES_IN_CACHE = 256
"""Frames whose windows and transforms stay in the processor's second cache."""

# Slaney's mel scale: linear with 3 mels per 200 Hz up to 1 kHz, then 27 mels per
# factor 6.4. M. Slaney, "Auditory Toolbox", Interval Research TR 1998-010, 1998.
_HZ_PER_MEL = 200 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27


@dataclass(frozen=True)
class SpectrumConfig:
    """How sound becomes power spectra.

    Parameters
    ----------
    sample_rate
        Rate, in Hz, that every recording is converted to first.
    win_length, hop_length
        Length of the Hann window and distance between windows, in samples.
    n_fft
        Length of the Fourier transform, in samples.
    pre_emphasis
        Weight a of the high-pass y[n] = x[n] - a x[n-1]; 0 switches it off.

    Raises
    ------
    ConfigError
        If the sizes contradict each other.
    """

    sample_rate: int = 8000
    win_length: int = 200
    hop_length: int = 120
    n_fft: int = 256
    pre_emphasis: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.hop_length <= self.win_length <= self.n_fft:
            raise ConfigError(
                f"hop_length {self.hop_length}, win_length {self.win_length} and n_fft "
                f"{self.n_fft} do not fit; expected 0 < hop <= win <= n_fft."
            )
        if not 0 <= self.pre_emphasis < 1:
            raise ConfigError(
                f"pre_emphasis is {self.pre_emphasis}; expected 0 to under 1."
            )
        if self.sample_rate < 4000:
            raise ConfigError(
                f"sample_rate is {self.sample_rate} Hz; speech needs 4000 Hz or more."
            )

    @property
    def hop(self) -> float:
        """Time between frames in seconds."""
        return self.hop_length / self.sample_rate

    def seconds_of(self, frames: np.ndarray) -> np.ndarray:
        """When frames begin, in seconds: each stands for the hop around its centre.

        Parameters
        ----------
        frames
            Numbers of frames, counted from the recording's first, of any shape.

        Returns
        -------
        np.ndarray
            float64, of the same shape; half a hop below 0 for the first frame.
        """
        return (frames - 0.5) * self.hop

    def frames_at(self, seconds: np.ndarray) -> np.ndarray:
        """The frames that stand for moments, in seconds, int64, of the same shape.

        The beginning of a frame, as `seconds_of` gives it, belongs to that frame even
        where rounding put it a microframe earlier.
        """
        return np.floor(seconds / self.hop + 0.5 + 1e-6).astype(np.int64)

    @property
    def window_ms(self) -> float:
        """Length of a window in milliseconds."""
        return 1000 * self.win_length / self.sample_rate

    @property
    def n_bins(self) -> int:
        """Frequencies in one spectrum, from 0 Hz to half the sample rate."""
        return self.n_fft // 2 + 1


@dataclass(frozen=True, eq=False)
class Spectra:
    """Power spectra of several clips, end to end.

    Parameters
    ----------
    power
        Squared magnitudes, float32, shape (n_total_frames, n_fft // 2 + 1).
    bounds
        First frame of each clip and one past the last, int64, shape (n_clips + 1,).
    spans
        Frames from `start` to before `stop` of each clip in which somebody
        speaks, counted in `power`, int64, shape (n_clips, 2); start == stop
        where nobody does. Before `features.crop` they may reach beyond `bounds`.
    """

    power: np.ndarray
    bounds: np.ndarray
    spans: np.ndarray

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def is_speech(self) -> np.ndarray:
        """Whether speech was found, bool, shape (n_clips,)."""
        return self.spans[:, 1] > self.spans[:, 0]

    def take(self, clips: np.ndarray) -> "Spectra":
        """Some of the clips, by their numbers, int, shape (n_clips,); a copy."""
        n_frames = np.diff(self.bounds)[clips]
        bounds = np.concatenate([[0], np.cumsum(n_frames)]).astype(np.int64)
        moved = self.bounds[:-1][clips] - bounds[:-1]
        frames = np.arange(bounds[-1]) + np.repeat(moved, n_frames)
        return Spectra(self.power[frames], bounds, self.spans[clips] - moved[:, None])


def power_spectra(
    audios: Sequence[Audio], config: SpectrumConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the power spectra of several recordings.

    A frame is centred on each multiple of `hop_length`; samples before the
    beginning and after the end count as zero.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Squared magnitudes, float32, shape (n_total_frames, n_fft // 2 + 1), and
        the bounds of the clips in them, int64, shape (n_clips + 1,).

    Raises
    ------
    AudioError
        If a recording is shorter than one window.
    """
    samples = [resample(audio, config.sample_rate).samples for audio in audios]
    lengths = np.array([len(part) for part in samples], dtype=np.int64)
    if len(lengths) and lengths.min() < config.win_length:
        shortest = 1000 * lengths.min() / config.sample_rate
        raise AudioError(
            f"The recording lasts {shortest:.1f} ms; expected at least one window of "
            f"{config.window_ms:.0f} ms. Record a whole word."
        )
    # A gap of one window of zeros before each clip and after the last one keeps
    # frames of neighbours apart.
    gap = config.win_length
    starts = gap + np.concatenate([[0], np.cumsum(lengths + gap)[:-1]]).astype(np.int64)
    signal = np.zeros(int(lengths.sum() + gap * (len(samples) + 1)), dtype=np.float32)
    for start, part in zip(starts, samples, strict=True):
        signal[start : start + len(part)] = part
    if config.pre_emphasis:
        # The one sample that this spills into a gap is silenced again.
        signal[1:] -= np.float32(config.pre_emphasis) * signal[:-1]
        signal[starts + lengths] = 0
    n_frames = lengths // config.hop_length + 1
    bounds = np.concatenate([[0], np.cumsum(n_frames)]).astype(np.int64)
    within = np.arange(bounds[-1]) - np.repeat(bounds[:-1], n_frames)
    first = (
        np.repeat(starts, n_frames)
        + within * config.hop_length
        - config.win_length // 2
    )
    return _transform(signal, first, config), bounds


def frames_in_batches(
    audios: Sequence[Audio], config: SpectrumConfig
) -> Iterator[Sequence[Audio]]:
    """Cut a list of recordings into runs of about `FRAMES_AT_ONCE` frames each."""
    begin, n_frames = 0, 0.0
    for index, audio in enumerate(audios):
        n_frames += audio.duration / config.hop
        if n_frames >= FRAMES_AT_ONCE:
            yield audios[begin : index + 1]
            begin, n_frames = index + 1, 0.0
    if begin < len(audios):
        yield audios[begin:]


@lru_cache(maxsize=64)
def mel_filter_bank(
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    warp: float = 1.0,
) -> np.ndarray:
    """Triangular filters evenly spaced on Slaney's mel scale, of unit area in Hz.

    Parameters
    ----------
    sample_rate, n_fft
        Of the spectra that the filters will weigh.
    n_mels
        Number of filters.
    fmin, fmax
        Lower edge of the first filter and upper edge of the last, in Hz.
    warp
        Factor on every edge: above 1 the filters sit higher, as if the speaker
        had a longer vocal tract.

    Returns
    -------
    np.ndarray
        float32, shape (n_mels, n_fft // 2 + 1), read-only.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox", Interval Research TR 1998-010, 1998.
    """
    low, high = _hz_to_mel(fmin), _hz_to_mel(fmax)
    edges = _mel_to_hz(np.linspace(low, high, n_mels + 2)) * warp  # (n_mels + 2,)
    frequencies = np.arange(n_fft // 2 + 1) * sample_rate / n_fft  # (n_bins,)
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    weights = np.clip(np.minimum(rising, falling), 0, None)
    weights *= (2 / (edges[2:] - edges[:-2]))[:, None]
    bank = weights.astype(np.float32)  # (n_mels, n_bins)
    bank.setflags(write=False)
    return bank


def _transform(
    signal: np.ndarray, first: np.ndarray, config: SpectrumConfig
) -> np.ndarray:
    """Squared magnitudes of the windows that start at `first`: (n_frames, n_bins)."""
    # numpy's transform of float32 takes three times as long.
    from scipy import fft

    # sliding_window_view, without the time that its checks take.
    windows = np.lib.stride_tricks.as_strided(
        signal,
        (len(signal) - config.win_length + 1, config.win_length),
        2 * signal.strides,
        writeable=False,
    )
    hann = _hann(config.win_length)
    power = np.empty((len(first), config.n_bins), dtype=np.float32)
    padded = np.zeros((min(len(first), _FRAMES_IN_CACHE), config.n_fft), np.float32)
    for begin in range(0, len(first), _FRAMES_IN_CACHE):
        chosen = first[begin : begin + _FRAMES_IN_CACHE]
        frames = padded[: len(chosen)]  # (n_frames, n_fft)
        np.multiply(windows[chosen], hann, out=frames[:, : config.win_length])
        spectrum = fft.rfft(frames)  # complex64, (n_frames, n_bins)
        part = power[begin : begin + _FRAMES_IN_CACHE]
        np.square(spectrum.real, out=part)
        part += np.square(spectrum.imag)
    return power


@lru_cache(maxsize=8)
def _hann(length: int) -> np.ndarray:
    """Periodic Hann window, float32, as the Fourier transform wants it."""
    phase = 2 * np.pi * np.arange(length) / length
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


def _hz_to_mel(hz: float) -> float:
    """Slaney's mel scale."""
    if hz < _BREAK_HZ:
        return hz / _HZ_PER_MEL
    return float(_BREAK_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    """Inverse of Slaney's mel scale."""
    return np.where(
        mel < _BREAK_MEL,
        mel * _HZ_PER_MEL,
        _BREAK_HZ * np.exp((mel - _BREAK_MEL) * _LOG_STEP),
    )

"""Endpoint detection: find the word in a recording, for corpora and microphones alike.

Owns the one rule that says from when to when somebody speaks: the run of frames with
the largest area above the noise, never the loudest sample, which a key click would win.
Works on the power spectra of many clips at once. How far frames stand out from the
noise is for `prominence`; what the word sounds like is left to the features.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.errors import ConfigError
from audiomnist.features.prominence import clip_numbers, excess_db
from audiomnist.features.spectra import SpectrumConfig, power_spectra


@dataclass(frozen=True)
class SpeechConfig:
    """How the speech in a recording is found.

    The noise of each mel band is its mean over the quietest frames. A frame's
    prominence is by how many dB its bands stand above their noise, counted from
    `noise_spread_db` on, on average over the bands.

    Parameters
    ----------
    n_bands
        Mel bands between `fmin` and `fmax` Hz that are compared with the noise.
    fmin, fmax
        Range of frequencies, in Hz.
    quiet_part
        Part of the frames, the quietest ones, that is taken for noise.
    noise_spread_db
        Noise wavers by this much around its mean; less does not count.
    dynamic_range_db
        Whatever is further below the loudest band counts as silence.
    least_peak_db
        A recording whose most prominent frame stays under this has no speech.
    least_db, least_part
        A frame belongs to a word from this prominence on, and from this part of
        the highest prominence on.
    max_gap
        Pauses up to this many seconds do not end a word, such as the closure
        before the last consonant of "eight".
    margin
        Seconds kept on both sides of what was found.
    hidden_end
        Seconds kept besides after a word that hardly stands above its noise: its end
        is soft and hidden there.
    min_level_dbfs
        A word must be at least this loud, in dB relative to full scale.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_bands: int = 20
    fmin: float = 60.0
    fmax: float = 3800.0
    quiet_part: float = 0.2
    noise_spread_db: float = 3.0
    dynamic_range_db: float = 45.0
    least_peak_db: float = 1.4
    least_db: float = 0.8
    least_part: float = 0.1
    max_gap: float = 0.15
    margin: float = 0.03
    hidden_end: float = 0.12
    min_level_dbfs: float = -75.0

    def __post_init__(self) -> None:
        if self.n_bands < 1 or not 0 <= self.fmin < self.fmax:
            raise ConfigError(
                f"{self.n_bands} bands from {self.fmin} to {self.fmax} Hz cannot find "
                "speech; expected one band or more and fmin under fmax."
            )
        if not 0 < self.quiet_part < 1 or not 0 <= self.least_part < 1:
            raise ConfigError(
                f"quiet_part is {self.quiet_part} and least_part {self.least_part}; "
                "both are parts of a whole, expected between 0 and 1."
            )


@dataclass(frozen=True)
class Speech:
    """The part of a recording in which somebody speaks, in seconds."""

    start: float
    end: float


N_STRETCHES = 4
"""Places of a recording in which `stretches` looks for the word, at most."""

# Few digits take longer than the first, which is seconds with both margins: none of
# 1,000 of the Free Spoken Digit Dataset, 7 of 172 by volunteers. What is shorter than
# the second beside something larger is hardly ever a word.
_TOO_LONG, _TOO_SHORT = 0.7, 0.2
# Pauses up to this many seconds do not part a breath from a word.
_PAUSE = 0.04


def find_speech(
    audio: Audio,
    config: SpeechConfig | None = None,
    spectrum: SpectrumConfig | None = None,
) -> Speech | None:
    """Find the word in one recording; None if nobody speaks."""
    spectrum = spectrum or SpectrumConfig()
    if audio.duration < spectrum.win_length / spectrum.sample_rate:
        return None
    power, bounds = power_spectra([audio], spectrum)
    (span,) = speech_spans(power, bounds, config or SpeechConfig(), spectrum)
    return speech_in(audio, span, spectrum)


def speech_in(
    audio: Audio, span: np.ndarray, spectrum: SpectrumConfig
) -> Speech | None:
    """Convert a span of frames to seconds.

    Parameters
    ----------
    audio
        The recording, at any rate.
    span
        From start to before stop, int64, shape (2,), counted from its first frame;
        start == stop where nobody speaks.
    spectrum
        How its spectra were made.

    Returns
    -------
    Speech or None
        Within the recording; None where nobody speaks.
    """
    if span[0] == span[1]:
        return None
    start, end = spectrum.seconds_of(span)
    return Speech(max(0.0, float(start)), min(audio.duration, float(end)))


def speech_spans(
    power: np.ndarray,
    bounds: np.ndarray,
    config: SpeechConfig,
    spectrum: SpectrumConfig,
) -> np.ndarray:
    """Find the word in each clip of a batch.

    Parameters
    ----------
    power
        Power spectra, shape (n_total_frames, n_bins).
    bounds
        Bounds of the clips in them, shape (n_clips + 1,).
    config
        How speech is found.
    spectrum
        How the spectra were made.

    Returns
    -------
    np.ndarray
        Frames from start to before stop, int64, shape (n_clips, 2), counted in
        `power`; start == stop where nobody speaks. The margin of a word may reach
        beyond the bounds of its clip.
    """
    excess, hidden = excess_db(power, bounds, config, spectrum)
    runs = _runs(excess, clip_numbers(bounds), config.max_gap / spectrum.hop)
    return _largest(_with_ends(runs, bounds, hidden, config, spectrum), bounds, 1)[0]


def stretches(
    power: np.ndarray,
    bounds: np.ndarray,
    config: SpeechConfig,
    spectrum: SpectrumConfig,
) -> np.ndarray:
    """Find whatever may be the word in each clip of a batch, the likeliest first.

    A breath, a beep or another word beside the digit may be the largest stretch, or be
    one with it, where the pause between them is short.

    Parameters
    ----------
    power, bounds, config, spectrum
        As in `speech_spans`, whose answer is the first stretch.

    Returns
    -------
    np.ndarray
        int64, shape (`N_STRETCHES`, n_clips, 2): the two largest stretches, then, if
        the first is too long for a digit, the two largest between its pauses. As in
        `speech_spans`, start == stop where there is none.
    """
    excess, hidden = excess_db(power, bounds, config, spectrum)
    clip = clip_numbers(bounds)

    def largest(pause: float) -> np.ndarray:
        runs = _runs(excess, clip, pause / spectrum.hop)
        runs = _with_ends(runs, bounds, hidden, config, spectrum)
        return _largest(runs, bounds, N_STRETCHES // 2)

    spans = np.tile(bounds[:-1, None], (N_STRETCHES, 1, 2))
    spans[: N_STRETCHES // 2] = largest(config.max_gap)
    is_long = (spans[0, :, 1] - spans[0, :, 0]) * spectrum.hop > _TOO_LONG
    if is_long.any():
        spans[N_STRETCHES // 2 :, is_long] = largest(_PAUSE)[:, is_long]
    is_short = (spans[..., 1] - spans[..., 0]) * spectrum.hop < _TOO_SHORT
    is_short[0] = False
    spans[is_short, 1] = spans[is_short, 0]
    return spans


def _with_ends(
    runs: np.ndarray,
    bounds: np.ndarray,
    hidden: np.ndarray,
    config: SpeechConfig,
    spectrum: SpectrumConfig,
) -> np.ndarray:
    """Runs with their margins, and with what noise hides of their ends: (n_runs, 3)."""
    clips, starts, stops = runs.T
    first, last = bounds[:-1], bounds[1:]
    # A recording that ends with its word hides nothing of it; one that is cut closely
    # begins with its word, too.
    stops = stops + np.minimum(hidden[clips], last[clips] - stops)
    before = starts - first[clips]
    starts = np.where(before <= hidden[clips], first[clips], starts)
    margin = round(config.margin / spectrum.hop)
    return np.stack([clips, starts - margin, stops + margin], axis=1)


def _largest(runs: np.ndarray, bounds: np.ndarray, n_most: int) -> np.ndarray:
    """The largest runs of each clip, the very largest first: (n_most, n_clips, 2)."""
    spans = np.empty((n_most, len(bounds) - 1, 2), dtype=np.int64)
    spans[:] = bounds[:-1, None]
    n_taken: Counter[int] = Counter()
    for clip, *span in reversed(runs.tolist()):
        if n_taken[clip] < n_most:
            spans[n_taken[clip], clip] = span
            n_taken[clip] += 1
    return spans


def _runs(excess: np.ndarray, clip: np.ndarray, max_gap: float) -> np.ndarray:
    """Runs of positive frames as (clip, start, stop), by growing area: (n_runs, 3)."""
    frames = np.flatnonzero(excess > 0)
    if len(frames) == 0:
        return np.zeros((0, 3), dtype=np.int64)
    is_new = (np.diff(frames) > max_gap + 1) | (np.diff(clip[frames]) > 0)
    begins = np.concatenate([[0], np.flatnonzero(is_new) + 1])
    area = np.add.reduceat(excess[frames], begins)
    starts = frames[begins]
    stops = frames[np.concatenate([begins[1:], [len(frames)]]) - 1] + 1
    return np.stack([clip[starts], starts, stops], axis=1)[
        np.argsort(area, kind="stable")
    ]

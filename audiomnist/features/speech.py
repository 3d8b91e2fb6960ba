"""Endpoint detection: find the word in a recording, for corpora and microphones alike.

Owns the one rule that says from when to when somebody speaks: the run of frames with
the largest area above the noise, never the loudest sample, which a key click would win.
Works on the power spectra of many clips at once; what the word sounds like is left to
the features.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.errors import ConfigError
from audiomnist.features.spectra import SpectrumConfig, mel_filter_bank, power_spectra


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


# A clip cut closely around its word has no noise in it: its quietest frames are
# weak speech, and their levels differ, where noise is level. The difference in dB
# between these two quantiles of the frames' levels, beyond what noise shows, is
# taken off the noise estimate, up to a limit.
_LOW_QUANTILE, _HIGH_QUANTILE = 0.05, 0.25
_LEVEL_SPREAD_DB, _MAX_CORRECTION_DB = 2.0, 20.0

# Other people's talk wavers far more than noise does, and stands above its own quiet
# moments all along. The word is looked for above it: beside the most prominent stretch
# of this many seconds, two fifths of the frames stay under 0.4 of what talk reaches
# now and then. A long word leaves silence beside it too, and is not cut.
_STRETCH, _MIN_BESIDE = 0.6, 0.15
_BESIDE_QUANTILE, _TALK_FACTOR, _MAX_TALK_PART = 0.4, 2.5, 0.6

# From the first of these highest prominences down the whole `hidden_end` is kept, from
# the second up nothing of it: in noise of 0 dB the end of a word is found 0.1 s early,
# in noise of 20 dB where it is.
_HIDDEN_DB, _CLEAR_DB = 3.0, 7.0

N_STRETCHES = 4
"""Places of a recording in which `stretches` looks for the word, at most."""

# Few digits take longer than the first, which is seconds with both margins: none of
# 1,000 of the Free Spoken Digit Dataset, 7 of 172 by volunteers. What is shorter than
# the second beside something larger is hardly ever a word.
_TOO_LONG, _TOO_SHORT = 0.7, 0.2
# Pauses up to this many seconds do not part a breath from a word.
_PAUSE = 0.04

_SMALLEST = 1e-12
"""Power added to each band, so that digital silence has a logarithm."""


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
    excess, hidden = _excess(power, bounds, config, spectrum)
    runs = _runs(excess, _clip_numbers(bounds), config.max_gap / spectrum.hop)
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
    excess, hidden = _excess(power, bounds, config, spectrum)
    clip = _clip_numbers(bounds)

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


def prominence_db(level_db: np.ndarray, reference_db: np.ndarray) -> np.ndarray:
    """By how many dB frames stand above a reference, on average over the bands.

    A band below its reference counts as 0. The same measure finds words in recordings
    and in streams.

    Parameters
    ----------
    level_db, reference_db
        Level of each band and what it is compared with, in dB, shape
        (n_frames, n_bands) or what broadcasts to it.

    Returns
    -------
    np.ndarray
        Shape (n_frames,), 0 or more.
    """
    excess = np.maximum(level_db - reference_db, 0)
    return excess @ _average(excess)


def _average(levels: np.ndarray) -> np.ndarray:
    """Weights of a mean over the bands of (n_frames, n_bands): (n_bands,)."""
    n_bands = levels.shape[-1]
    return np.full(n_bands, 1 / n_bands, dtype=levels.dtype)


def _clip_numbers(bounds: np.ndarray) -> np.ndarray:
    """Number of the clip of each frame: (n_total_frames,)."""
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))


def _excess(
    power: np.ndarray,
    bounds: np.ndarray,
    config: SpeechConfig,
    spectrum: SpectrumConfig,
) -> tuple[np.ndarray, np.ndarray]:
    """How prominent each frame is beyond what a word needs, and what noise hides.

    The excess, (n_total_frames,), is nowhere positive in a clip without speech; the
    ends of words are hidden for so many frames, (n_clips,).
    """
    if len(bounds) == 1:
        return np.zeros(0, np.float32), np.zeros(0, np.int64)
    first = bounds[:-1]
    clip = _clip_numbers(bounds)
    bands = _band_powers(power, first, clip, config, spectrum)  # (frames, n_bands)
    prominence = _prominence(bands, bounds, clip, config)  # (n_total_frames,)
    peak = np.maximum.reduceat(prominence, first)  # (n_clips,)
    base = _background(prominence, bounds, peak, spectrum)  # (n_clips,)
    threshold = base + config.least_part * (peak - base)
    threshold = np.maximum(config.least_db, threshold)
    is_speech = _is_loud(power, bounds, config, spectrum)
    is_speech &= peak >= config.least_peak_db
    threshold[~is_speech] = np.inf
    hidden = (_CLEAR_DB - peak) / (_CLEAR_DB - _HIDDEN_DB)  # (n_clips,)
    hidden = np.minimum(np.maximum(hidden, 0), 1)
    hidden = np.round(hidden * config.hidden_end / spectrum.hop).astype(np.int64)
    return prominence - threshold[clip], hidden


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


def _band_powers(
    power: np.ndarray,
    first: np.ndarray,
    clip: np.ndarray,
    config: SpeechConfig,
    spectrum: SpectrumConfig,
) -> np.ndarray:
    """Power of each band, smoothed over three frames: (n_total_frames, n_bands)."""
    bank = mel_filter_bank(
        spectrum.sample_rate, spectrum.n_fft, config.n_bands, config.fmin, config.fmax
    )
    bands = power @ bank.T
    bands += np.float32(_SMALLEST)
    before = np.concatenate([bands[:1], bands[:-1]])
    before[first] = bands[first]
    after = np.concatenate([bands[1:], bands[-1:]])
    ends = np.concatenate([first[1:], [len(bands)]]) - 1
    after[ends] = bands[ends]
    bands = 0.25 * before + 0.5 * bands + 0.25 * after
    loudest = np.maximum.reduceat(bands.max(axis=1), first)  # (n_clips,)
    least = loudest * np.float32(10 ** (-config.dynamic_range_db / 10))
    return np.maximum(bands, least[clip, None])


def _prominence(
    bands: np.ndarray, bounds: np.ndarray, clip: np.ndarray, config: SpeechConfig
) -> np.ndarray:
    """By how many dB each frame stands above the noise: (n_total_frames,)."""
    first, n_frames = bounds[:-1], np.diff(bounds)
    level_db = 10 * np.log10(bands)
    overall = level_db @ _average(level_db)  # (n_total_frames,)
    order = np.lexsort((overall, clip))  # each clip's frames, quietest first
    part = (config.quiet_part * n_frames).astype(np.int64)
    n_quiet = np.maximum(np.minimum(3, n_frames), part)  # (n_clips,)
    is_quiet = np.arange(len(order)) - first[clip] < n_quiet[clip]
    begins = np.cumsum(n_quiet) - n_quiet
    noise = np.add.reduceat(bands[order[is_quiet]], begins)  # (n_clips, n_bands)
    noise_db = 10 * np.log10(noise / n_quiet[:, None])
    sorted_level = overall[order]
    low = sorted_level[first + (_LOW_QUANTILE * n_frames).astype(np.int64)]
    high = sorted_level[first + (_HIGH_QUANTILE * n_frames).astype(np.int64)]
    correction = np.maximum(high - low - _LEVEL_SPREAD_DB, 0)
    correction = np.minimum(correction, _MAX_CORRECTION_DB)
    # What lies at the end of the dynamic range is silence, never weak speech.
    loudest_db = np.maximum.reduceat(level_db.max(axis=1), first)
    silence_db = (loudest_db - config.dynamic_range_db)[:, None]
    reference = np.maximum(noise_db - correction[:, None], silence_db)
    reference += config.noise_spread_db
    return prominence_db(level_db, reference.astype(np.float32)[clip])


def _background(
    prominence: np.ndarray,
    bounds: np.ndarray,
    peak: np.ndarray,
    spectrum: SpectrumConfig,
) -> np.ndarray:
    """Prominence that what lies beside each clip's word reaches: (n_clips,)."""
    n_stretch = round(_STRETCH / spectrum.hop)
    n_least = n_stretch + round(_MIN_BESIDE / spectrum.hop)
    base = np.zeros(len(peak), dtype=prominence.dtype)
    for i in np.flatnonzero(np.diff(bounds) >= n_least):
        frames = prominence[bounds[i] : bounds[i + 1]]
        total = np.concatenate([[0], np.cumsum(frames, dtype=np.float64)])
        begin = int(np.argmax(total[n_stretch:] - total[:-n_stretch]))
        beside = np.concatenate([frames[:begin], frames[begin + n_stretch :]])
        rank = int(_BESIDE_QUANTILE * (len(beside) - 1))
        base[i] = _TALK_FACTOR * np.partition(beside, rank)[rank]
    return np.minimum(base, _MAX_TALK_PART * peak)


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


def _is_loud(
    power: np.ndarray,
    bounds: np.ndarray,
    config: SpeechConfig,
    spectrum: SpectrumConfig,
) -> np.ndarray:
    """Whether the loudest frame reaches the least level, bool, (n_clips,)."""
    # Parseval: a frame's energy is the sum over both halves of the spectrum / n_fft;
    # a Hann window keeps 3/8 of it.
    energy = power @ np.full(power.shape[1], 2 / spectrum.n_fft, dtype=np.float32)
    mean_square = energy / (0.375 * spectrum.win_length)
    loudest = np.maximum.reduceat(mean_square, bounds[:-1])
    return loudest >= 10 ** (config.min_level_dbfs / 10)

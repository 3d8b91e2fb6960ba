"""How far each frame of a recording stands out from the noise around it.

Owns the measure, in dB, the estimate of the noise, and what a frame needs to be part of
a word, for many clips at once. Which runs of such frames are the word is for `speech`;
the stretches of a stream are found with the same measure in `recognition.streaming`.
"""

from typing import TYPE_CHECKING

import numpy as np

from audiomnist.features.spectra import SpectrumConfig, mel_filter_bank

if TYPE_CHECKING:
    from audiomnist.features.speech import SpeechConfig

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

_SMALLEST = 1e-12
"""Power added to each band, so that digital silence has a logarithm."""


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


def clip_numbers(bounds: np.ndarray) -> np.ndarray:
    """Number the frames by their clip, from its bounds: (n_total_frames,)."""
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))


def excess_db(
    power: np.ndarray,
    bounds: np.ndarray,
    config: "SpeechConfig",
    spectrum: SpectrumConfig,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute how prominent each frame is beyond what a word needs, and what is hidden.

    Parameters
    ----------
    power, bounds, config, spectrum
        As in `speech.speech_spans`.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        The excess in dB, shape (n_total_frames,), nowhere positive in a clip without
        speech; and for how many frames noise hides the ends of words, int64, shape
        (n_clips,).
    """
    if len(bounds) == 1:
        return np.zeros(0, np.float32), np.zeros(0, np.int64)
    first = bounds[:-1]
    clip = clip_numbers(bounds)
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


def _average(levels: np.ndarray) -> np.ndarray:
    """Weights of a mean over the bands of (n_frames, n_bands): (n_bands,)."""
    n_bands = levels.shape[-1]
    return np.full(n_bands, 1 / n_bands, dtype=levels.dtype)


def _band_powers(
    power: np.ndarray,
    first: np.ndarray,
    clip: np.ndarray,
    config: "SpeechConfig",
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
    bands: np.ndarray, bounds: np.ndarray, clip: np.ndarray, config: "SpeechConfig"
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


def _is_loud(
    power: np.ndarray,
    bounds: np.ndarray,
    config: "SpeechConfig",
    spectrum: SpectrumConfig,
) -> np.ndarray:
    """Whether the loudest frame reaches the least level, bool, (n_clips,)."""
    # Parseval: a frame's energy is the sum over both halves of the spectrum / n_fft;
    # a Hann window keeps 3/8 of it.
    energy = power @ np.full(power.shape[1], 2 / spectrum.n_fft, dtype=np.float32)
    mean_square = energy / (0.375 * spectrum.win_length)
    loudest = np.maximum.reduceat(mean_square, bounds[:-1])
    return loudest >= 10 ** (config.min_level_dbfs / 10)

"""Figures of sound: its waveform, its spectrogram, and a network's features of it.

Owns these pictures alone; their look is from `style`.
"""

from typing import TYPE_CHECKING

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.features.config import KINDS, FeatureConfig
from audiomnist.features.speech import Speech
from audiomnist.plots.style import Style, add_colour_bar, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SOUND_HEIGHT = 2.2  # inches, of the two pictures of a sound that lie side by side

_QUIET = 0.02  # samples up to this have numbers too long for the usual margin

_MAX_COLUMNS = 1200

_SPECTROGRAM_RANGE_DB = 70.0


def plot_waveform(audio: Audio, speech: Speech | None, *, style: Style) -> "Figure":
    """Draw samples over time, with the speech marked."""
    samples = audio.samples
    peak = float(np.abs(samples).max(initial=0.01))
    is_quiet = peak < _QUIET
    figure, axes = new_figure(style, height=_SOUND_HEIGHT, has_long_labels=is_quiet)
    # The extremes of each column of pixels: no peak gets lost in a long recording.
    edges = np.linspace(0, len(samples), min(_MAX_COLUMNS, len(samples)) + 1)
    first = edges[:-1].astype(int)
    if len(first):
        low, high = (
            np.minimum.reduceat(samples, first),
            np.maximum.reduceat(samples, first),
        )
        time = first / audio.sample_rate
        if len(samples) <= _MAX_COLUMNS:
            axes.plot(time, samples, color=style.accent, linewidth=0.8)
        else:
            axes.fill_between(
                time, low, high, color=style.accent, linewidth=0.6, step="post"
            )
    axes.set_ylim(-1.1 * peak, 1.1 * peak)
    axes.set_xlim(0, max(audio.duration, 0.01))
    if speech is not None:
        axes.axvspan(
            speech.start, speech.end, color=style.second, alpha=0.16, linewidth=0
        )
        for edge in (speech.start, speech.end):
            axes.axvline(edge, color=style.second, linewidth=1)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("amplitude")
    return figure


def plot_spectrogram(audio: Audio, *, style: Style) -> "Figure":
    """Draw the power of each frequency over time, in dB below the loudest."""
    figure, axes = new_figure(style, height=_SOUND_HEIGHT, grid="")
    n = max(2, min(len(audio.samples), round(0.025 * audio.sample_rate)))
    samples = np.pad(audio.samples, (0, max(0, n - len(audio.samples))))
    hop = max(1, n // 5, (len(samples) - n) // _MAX_COLUMNS)
    frames = np.lib.stride_tricks.sliding_window_view(samples, n)[::hop]
    n_fft = 2 * n
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(n), n_fft))) + 1e-12
    level = 10 * np.log10(power / power.max())  # (n_frames, n_bins)
    image = axes.imshow(
        level.T,
        origin="lower",
        aspect="auto",
        cmap=style.colours(),
        vmin=-_SPECTROGRAM_RANGE_DB,
        vmax=0,
        extent=(0, audio.duration or 0.01, 0, audio.sample_rate / 2000),
        interpolation="bilinear",
    )
    axes.set_ylim(0, min(8, audio.sample_rate / 2000))
    axes.set_xlabel("time (s)")
    axes.set_ylabel("frequency (kHz)")
    add_colour_bar(figure, axes, image, "level (dB)", style)
    return figure


def plot_features(
    values: np.ndarray,
    config: FeatureConfig,
    *,
    style: Style,
    step: float,
) -> "Figure":
    """Draw what a network is given: features of shape (n_bins, n_frames).

    `step` is the time from one frame to the next in seconds, see
    `features.rendering.frame_steps`.
    """
    figure, axes = new_figure(style, height=2.5, grid="")
    n_bins, n_frames = values.shape
    kind, is_normalised = KINDS[config.kind], config.normalise != "none"
    # Neither single outliers nor a row that is the level may take all the colours.
    has_level = kind.has_level and n_bins > 1
    low, high = np.quantile(values[1:] if has_level else values, (0.02, 0.98))
    is_padding = ~values.any(axis=0) if is_normalised else np.zeros(n_frames, bool)
    is_stretched = config.fit == "stretch"
    image = axes.imshow(
        np.ma.masked_array(values, np.broadcast_to(is_padding, values.shape)),
        origin="lower",
        aspect="auto",
        cmap=style.colours(),
        vmin=low,
        vmax=high,
        interpolation="nearest",
        extent=(0, 100 if is_stretched else n_frames, -0.5, n_bins - 0.5),
    )
    frames = f"frame, one every {1000 * step:.0f} ms"
    axes.set_xlabel("part of the word (%)" if is_stretched else frames)
    axes.set_yticks(*kind.ticks_of(config))
    axes.set_ylabel(kind.axis)
    unit = kind.label(is_normalised=is_normalised)
    add_colour_bar(figure, axes, image, unit, style)
    return figure

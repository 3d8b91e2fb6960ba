"""Pictures of sound, and the look that all figures share.

Owns colours, which colour-blind people can tell apart in light and in dark, and the
pictures of a recording and of what a network sees of it. Figures are made without
pyplot, so that threads do not share one, and have no background of their own. Those of
results come next, in `plots`, where all of them can be had from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.features.config import FeatureConfig
from audiomnist.features.spectra import mel_filter_bank
from audiomnist.features.speech import Speech

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

FONT_SIZE = 10.0
"""Points."""

_WIDTH = 5.6  # inches: on a phone, 360 pixels wide, labels are still 9 pixels high
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.72, 0.2, 0.1, 0.5  # inches around the axes
_BAR_RIGHT = 0.6  # inches, for the numbers of a colour bar
_SOUND_HEIGHT = 2.2  # inches, of the two pictures of a sound that lie side by side
_QUIET = 0.02  # samples up to this have numbers too long for the usual margin
_MAX_COLUMNS = 1200
_SPECTROGRAM_RANGE_DB = 70.0
_MEL_TICKS = (100, 250, 500, 1000, 2000, 4000, 8000)  # Hz


@dataclass(frozen=True)
class Style:
    """Colours for one theme.

    Parameters
    ----------
    dark
        Whether the background is dark.
    """

    dark: bool = False

    @property
    def background(self) -> str:
        """What the figures lie on, for lines between areas; they have none."""
        return "#10181d" if self.dark else "#fbfaf6"

    @property
    def foreground(self) -> str:
        """Text and axes."""
        return "#dfe7ea" if self.dark else "#101c22"

    @property
    def muted(self) -> str:
        """What stands back: bars of the unlikely digits, lines in the background."""
        return "#5b6f7a" if self.dark else "#b9b7aa"

    @property
    def grid(self) -> str:
        """Lines to read values by."""
        return "#2b3a43" if self.dark else "#e2ddd0"

    @property
    def accent(self) -> str:
        """What the figure is about; training, right answers."""
        return "#3cc9b5" if self.dark else "#0f766e"

    @property
    def second(self) -> str:
        """What it is compared with; validation, mistakes."""
        return "#f2a93b" if self.dark else "#c2620a"

    def colours(self) -> "Colormap":
        """Colours of sound, from silence to loud, of even steps in lightness."""
        paper = (
            [self.background, "#14333d", "#17606b", "#2f9c93", "#8fd6b4", "#f7fbe8"]
            if self.dark
            else [
                self.background,
                "#c5e2d4",
                "#6fbcae",
                "#2b8a8c",
                "#1b5264",
                "#141f33",
            ]
        )
        return _colour_map("sound", paper)

    def shades(self, colour: str) -> "Colormap":
        """Colours of a table's cells, from the background to `colour`."""
        return _colour_map("cells", ["#18242b" if self.dark else "#f6f3ea", colour])


def new_figure(
    style: Style,
    *,
    height: float,
    grid: Literal["x", "y", "both", ""] = "both",
    has_long_labels: bool = False,
) -> "tuple[Figure, Axes]":
    """An empty figure in the style's colours; grid lines for "x", "y", "both" or "".

    Its margins fit numbers; room for long labels is measured, which nearly doubles the
    time that the figure takes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), facecolor="none")
    if has_long_labels:
        figure.set_layout_engine("constrained")
    else:
        figure.subplots_adjust(
            left=_LEFT / _WIDTH,
            right=1 - _RIGHT / _WIDTH,
            bottom=_BOTTOM / height,
            top=1 - _TOP / height,
        )
    axes = figure.add_subplot(facecolor="none")
    axes.tick_params(colors=style.foreground, labelsize=FONT_SIZE - 1, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(style.muted)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(style.foreground)
        label.set_fontsize(FONT_SIZE)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=style.grid, linewidth=0.8)
    return figure, axes


def add_colour_bar(
    figure: "Figure", axes: "Axes", image: "AxesImage", label: str, style: Style
) -> None:
    """Explain an image's colours at its right."""
    figure.subplots_adjust(right=1 - _BAR_RIGHT / _WIDTH)
    bar = figure.colorbar(image, ax=axes, pad=0.02, fraction=0.05)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=style.foreground, labelsize=FONT_SIZE - 2, length=2)
    bar.set_label(label, color=style.foreground, fontsize=FONT_SIZE - 1)


def waveform(audio: Audio, speech: Speech | None, *, style: Style) -> "Figure":
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


def spectrogram(audio: Audio, *, style: Style) -> "Figure":
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


def feature_image(
    values: np.ndarray,
    config: FeatureConfig,
    *,
    style: Style,
    step: float | None = None,
) -> "Figure":
    """Draw what a network sees: features of shape (n_bins, n_frames).

    `step` is the time from frame to frame in seconds where it is not the hop, see
    `features.frame_step`.
    """
    figure, axes = new_figure(style, height=2.5, grid="")
    n_bins, n_frames = values.shape
    # Neither single outliers nor the zeroth MFCC, which is the level and far larger
    # than the others, may take all the colours.
    has_level = config.kind == "mfcc" and n_bins > 1
    low, high = np.quantile(values[1:] if has_level else values, (0.02, 0.98))
    is_padding = (
        ~values.any(axis=0) if config.normalise != "none" else np.zeros(n_frames, bool)
    )
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
    frames = f"frame, one every {1000 * (step or config.spectrum.hop):.0f} ms"
    axes.set_xlabel("part of the word (%)" if is_stretched else frames)
    if config.kind == "log_mel":
        bands, hz = _mel_ticks(config)
        axes.set_yticks(bands, [f"{value / 1000:g}" for value in hz])
        axes.set_ylabel("frequency (kHz)")
        unit = "level (deviations)" if config.normalise != "none" else "level (log)"
    else:
        axes.set_yticks(range(0, n_bins, 5))
        axes.set_ylabel("coefficient")
        unit = "value (deviations)" if config.normalise != "none" else "value"
    add_colour_bar(figure, axes, image, unit, style)
    return figure


def _colour_map(name: str, colours: Sequence[str]) -> "Colormap":
    """Colours between the given ones."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, list(colours))


def _mel_ticks(config: FeatureConfig) -> tuple[np.ndarray, list[int]]:
    """Places of round frequencies among the mel bands, and the frequencies in Hz."""
    spectrum = config.spectrum
    bank = mel_filter_bank(
        spectrum.sample_rate, spectrum.n_fft, config.n_mels, config.fmin, config.fmax
    )
    frequencies = np.arange(bank.shape[1]) * spectrum.sample_rate / spectrum.n_fft
    centres = bank @ frequencies / bank.sum(axis=1)  # (n_mels,)
    hz = [value for value in _MEL_TICKS if centres[0] <= value <= centres[-1]]
    return np.interp(hz, centres, np.arange(len(centres))), hz

"""The look that all figures share.

Owns colours that colour-blind people can tell apart, in light and in dark, and an empty
figure of the right size. Figures are made without pyplot, so that threads do not share
one, and have no background of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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


def _colour_map(name: str, colours: Sequence[str]) -> "Colormap":
    """Colours between the given ones."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, list(colours))

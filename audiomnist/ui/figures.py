"""Figures of `plots` on a page: in the visitor's theme, described, and freed."""

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from audiomnist import plots
from audiomnist.audio import Audio

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 160
"""Dots per inch: sharp on a dense screen, and still fast to draw."""


def style() -> plots.Style:
    """The style that fits the theme in which this visitor sees the page."""
    return plots.Style(dark=st.context.theme.type == "dark")


class Picture(NamedTuple):
    """A figure that is drawn, and a description for those who cannot see it."""

    png: bytes
    alt: str


def _digest(audio: Audio) -> str:
    """What tells one recording from another."""
    return f"{audio.sample_rate} {hashlib.sha256(audio.samples.tobytes()).hexdigest()}"


keep = st.cache_data(
    max_entries=64,
    show_spinner=False,
    scope="session",
    hash_funcs={Audio: _digest},
)
"""Keep what a function draws for as long as the visitor stays, and for nobody else."""


def draw(figure: "Figure", alt: str) -> Picture:
    """Draw a figure that `plots` made in `style()`, and free what it held.

    Drawing takes longer than showing: whoever draws all pictures first shows them
    together.
    """
    image = BytesIO()
    figure.savefig(image, format="png", dpi=_DPI, pil_kwargs={"compress_level": 1})
    figure.clear()
    return Picture(image.getvalue(), alt)


def show(picture: Picture) -> None:
    """Show a picture as wide as its place."""
    st.image(picture.png, width="stretch", alt=picture.alt)


def show_curves(curves: plots.LearningCurves) -> None:
    """Show the charts of a training, one above the other."""
    st.vega_lite_chart(curves.loss, alt="Loss over the epochs.")
    st.vega_lite_chart(curves.accuracy, alt="Accuracy over the epochs.")

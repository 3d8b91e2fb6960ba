"""Figures of `plots` on a page: in the visitor's theme, described, and freed."""

import hashlib
from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from audiomnist.audio.signal import Audio
from audiomnist.plots.learning import LearningCurves
from audiomnist.plots.style import Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")

_DPI = 160
"""Dots per inch: sharp on a dense screen, and still fast to draw."""

_KEPT = 64
"""Pictures of one kind that are kept, for one visitor or for all."""


def style() -> Style:
    """The style that fits the theme in which this visitor sees the page.

    Light where there is no visitor yet.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return Style()
    return Style(dark=st.context.theme.type == "dark")


class Picture(NamedTuple):
    """A figure that is drawn, and a description for those who cannot see it."""

    png: bytes
    alt: str


def _digest(audio: Audio) -> str:
    """What tells one recording from another."""
    return f"{audio.sample_rate} {hashlib.sha256(audio.samples.tobytes()).hexdigest()}"


def keep(draw: Callable[P, Picture]) -> Callable[Concatenate[bool, P], Picture]:
    """Keep what a function draws, so that it is drawn once.

    Parameters
    ----------
    draw
        Its arguments are all that the picture depends on, the style among them.

    Returns
    -------
    Callable
        Its first argument says whether everybody may hear what is drawn, as a clip
        of a corpus: then the picture is kept for all. Otherwise it is kept for as
        long as the visitor stays, and for nobody else.
    """
    digests: dict[str | type[Any], Callable[[Any], Any]] = {Audio: _digest}
    for_all = st.cache_data(
        max_entries=_KEPT, show_spinner=False, scope="global", hash_funcs=digests
    )(draw)
    for_one = st.cache_data(
        max_entries=_KEPT, show_spinner=False, scope="session", hash_funcs=digests
    )(draw)

    @wraps(draw)
    def kept(is_public: bool, *args: P.args, **kwargs: P.kwargs) -> Picture:
        return (for_all if is_public else for_one)(*args, **kwargs)

    return kept


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


def show_curves(curves: LearningCurves) -> None:
    """Show the charts of a training, one above the other."""
    st.vega_lite_chart(curves.loss, alt="Loss over the epochs.")
    st.vega_lite_chart(curves.accuracy, alt="Accuracy over the epochs.")

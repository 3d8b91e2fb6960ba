"""How far an evaluation is, in the place of what was shown before it."""

import time
from collections.abc import Callable

from streamlit.delta_generator import DeltaGenerator

_REDRAW = 0.1
"""Seconds between two states of the bar: a visitor sees no more."""


def progress_in(place: DeltaGenerator) -> Callable[[int, int], None]:
    """What moves a bar in a place, by clips done and their total.

    The bar takes the place of older figures, which would stand under a new title.
    """
    drawn = 0.0

    def show(done: int, total: int) -> None:
        nonlocal drawn
        if time.monotonic() - drawn < _REDRAW and done != total:
            return
        drawn = time.monotonic()
        part = done / total
        text = f"Evaluating the model: {done:,} of {total:,} clips, "
        place.progress(part, f"{text}{100 * part:.0f}\N{NO-BREAK SPACE}%")

    return show

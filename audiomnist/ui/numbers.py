"""How figures are written on every page, and what is said of them."""

from collections.abc import Collection

import pandas as pd
import streamlit as st

from audiomnist.evaluation.metrics import few_speakers
from audiomnist.evaluation.significance import Rate
from audiomnist.ui import layout

PERCENT = "%.1f\N{NO-BREAK SPACE}%%"
"""How a column in percent writes its numbers."""


def in_percent(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """A table whose shares in [0, 1] are in percent, for columns in `PERCENT`."""
    return table.assign(**{name: 100 * table[name] for name in columns})


def share(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def interval(rate: Rate) -> str:
    """A rate's interval and number of clips, in words."""
    return (
        f"95\N{NO-BREAK SPACE}% interval {100 * rate.low:.1f}–{share(rate.high)}, "
        f"n = {rate.n:,}"
    )


def tell_of_few_speakers(speakers: Collection[str]) -> None:
    """Say what a figure is worth that the clips of so few people gave."""
    if few := few_speakers(speakers):
        st.caption(layout.plain(few))

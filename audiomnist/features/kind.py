"""What one kind of feature is: how it is computed, and what figures and texts call it.

Owns the record that every kind fills in. The kinds themselves are in `log_mel` and
`mfcc`, and `config` lists them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from audiomnist.features.config import FeatureConfig

_TICK_STEP = 5


@dataclass(frozen=True, eq=False)
class FeatureKind:
    """One kind of feature, made from the mel bands of a word.

    Parameters
    ----------
    name
        What `FeatureConfig.kind` calls it.
    title
        What a reader calls it.
    sentence
        What it is, in a sentence or two; pages show it as help.
    bins
        What its rows are called, as in "40 log-mel bands".
    axis
        Label of the axis along its rows, with its unit.
    quantity, unit
        What its values are, and their unit where the level is not normalised; "" where
        there is none.
    n_bins
        Its number of rows.
    transform
        From the logarithms of mel powers, float32, shape (..., n_mels), normalised as
        the settings say, to the features, float32, shape (..., n_bins). Padding goes
        through it, too. The input may be returned, and must not be changed.
    describe
        What a network is given of each window, without its title, as a sentence goes
        on after a colon.
    ticks
        Rows that bear a label, and the labels; by default every fifth.
    has_level
        Whether the first row is the level, and far larger than the others.
    """

    name: str
    title: str
    sentence: str
    bins: str
    axis: str
    quantity: str
    n_bins: "Callable[[FeatureConfig], int]"
    transform: "Callable[[np.ndarray, FeatureConfig], np.ndarray]"
    describe: "Callable[[FeatureConfig], str]"
    unit: str = ""
    ticks: "Callable[[FeatureConfig], tuple[np.ndarray, list[str]]] | None" = None
    has_level: bool = False

    def label(self, *, is_normalised: bool) -> str:
        """What the values are, with their unit, for the scale of a figure."""
        unit = "deviations" if is_normalised else self.unit
        return f"{self.quantity} ({unit})" if unit else self.quantity

    def ticks_of(self, config: "FeatureConfig") -> tuple[np.ndarray, list[str]]:
        """Places along the rows that bear a label, and the labels."""
        if self.ticks is not None:
            return self.ticks(config)
        rows = np.arange(0, self.n_bins(config), _TICK_STEP)
        return rows, [str(row) for row in rows]

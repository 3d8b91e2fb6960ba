"""The ANN: dense layers over the whole image at once.

Owns its settings, its layers and what is said of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from audiomnist.networks.architecture import Architecture, Member
from audiomnist.networks.config import NetworkConfig, check_dropout, check_hidden
from audiomnist.networks.layers import NORM_MOMENTUM, dense


@dataclass(frozen=True)
class AnnConfig(NetworkConfig):
    """Settings of the ANN, and those of every network.

    Parameters
    ----------
    hidden
        Units of each dense layer; the last ones are the embedding.
    dropout
        Part of the units that is switched off at random in each training step, after
        every dense layer.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    kind: str = field(default="ann", init=False)
    hidden: tuple[int, ...] = (512, 256)
    dropout: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_hidden(self.hidden)
        check_dropout("dropout", self.dropout)


def _members(features: Any, config: AnnConfig) -> Sequence[Member]:
    """Dense layers; the first normalisation gives every feature the same scale."""
    from keras import layers

    x = layers.BatchNormalization(momentum=NORM_MOMENTUM)(layers.Flatten()(features))
    return [Member(dense(x, config.hidden, config.dropout))]


_VARIES_NOTHING = {
    **{"slowest": 1.0, "fastest": 1.0},
    **dict.fromkeys(("bend", "shift", "end_points", "warp", "reverberation_part"), 0.0),
    **dict.fromkeys(("noise_part", "equaliser_db", "band_part", "cut_part"), 0.0),
}

ANN = Architecture(
    config=AnnConfig,
    title="ANN",
    gist="dense layers",
    sentence="Dense layers over the whole image at once: fast, but the same sound in "
    "another place of the image means something else to it.",
    members=_members,
    # Dense layers cannot follow a word that is said slower: stretch it. They scale each
    # coefficient themselves, and lose by a mean that is taken away.
    features={
        "kind": "mfcc",
        "n_mfcc": 16,
        "n_frames": 32,
        "fit": "stretch",
        "normalise": "none",
    },
    # Stretched, a word whose end was found late is another word to them.
    training={
        "epochs": 30,
        "learning_rate": 2e-3,
        "augmentation": {**_VARIES_NOTHING, "end_points": 0.045},
    },
)
"""Dense layers."""

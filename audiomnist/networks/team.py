"""The team: the pretrained network and a CNN that answer together.

Owns its settings, how the two count, and what is said of it. Their layers are in
`pretrained` and `cnn`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from audiomnist.errors import ConfigError
from audiomnist.networks.architecture import Architecture, Member
from audiomnist.networks.cnn import N_STAGES, convolutions
from audiomnist.networks.config import check_filters
from audiomnist.networks.pretrained import (
    AUGMENTATION,
    FEATURES,
    KNOWN_FEATURES,
    SPEECH_EMBEDDING,
    VIEW_SHIFT,
    PretrainedConfig,
    classified,
)


@dataclass(frozen=True)
class TeamConfig(PretrainedConfig):
    """Settings of the team: those of the pretrained network, and the CNN's.

    Parameters
    ----------
    filters
        Of the CNN, as in `CnnConfig`; `dropout` is that of both.
    cnn_weight
        How much the CNN's logits count, where the pretrained network's count for the
        rest of 1. The CNN recognizes the speakers that it was trained on better than
        the pretrained network does, and unknown speakers worse: docs/lab-notebook.md.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    kind: str = field(default="team", init=False)
    filters: tuple[int, ...] = (16, 32, 48, 64, 96)
    cnn_weight: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_filters(self.filters, N_STAGES)
        if not 0 <= self.cnn_weight <= 1:
            raise ConfigError(
                f"cnn_weight is {self.cnn_weight}; expected a part from 0 to 1."
            )

    def remark(self) -> str:
        """How much the CNN counts."""
        return f"The CNN's logits count for {self.cnn_weight:g} of the answer."


def _members(features: Any, config: TeamConfig) -> Sequence[Member]:
    """The pretrained network first, then the CNN."""
    return [
        Member(classified(features, config), 1 - config.cnn_weight),
        Member(
            convolutions(features, config.filters), config.cnn_weight, config.dropout
        ),
    ]


TEAM = Architecture(
    config=TeamConfig,
    title="Pretrained network and CNN",
    gist="a speech embedding beside sliding filters",
    sentence="The pretrained network and a CNN that answer together: one knows many "
    "voices, the other learns to cope with noise, and they make different mistakes.",
    members=_members,
    needs=KNOWN_FEATURES,
    features=FEATURES,
    training={"epochs": 16, "batch_size": 128, "augmentation": AUGMENTATION},
    view_shift=VIEW_SHIFT,
    pretraining=SPEECH_EMBEDDING,
)
"""The pretrained network and a CNN."""

"""How a network learns: the settings of a training, checked on construction.

Owns their names, defaults and ranges. What they do is for `training`, the next step but
one.
"""

from dataclasses import dataclass

from audiomnist.augmentation_configs import AugmentationConfig
from audiomnist.errors import ModelError


@dataclass(frozen=True)
class TrainConfig:
    """How a network learns.

    Parameters
    ----------
    epochs
        Times that every training clip is heard, at most.
    batch_size
        Clips in one step.
    learning_rate
        The highest rate: it rises over the first tenth of all steps, then falls
        along a cosine to zero.
    weight_decay
        AdamW's decay of the weights, relative to the learning rate.
    label_smoothing
        Part of each label that is spread over all answers.
    patience
        Epochs without a lower validation loss before it stops; 0 never stops.
    others_part
        Sounds that are no digits in each epoch, as a part of the clips; 0 leaves
        them out, and the network never learns to say that it heard no digit.
    speaker_balance
        How far speakers are made equal: one with n clips is heard in proportion to n
        to the power of 1 minus this. 0 hears every clip once in an epoch, 1 every
        speaker equally often.
    synthetic_weight
        How often clips of synthetic voices are heard, beside real ones.
    taught_part
        How much of what it is to answer is a teacher's answer [2]_ to the same version
        of the clip; the rest is the label. The teacher is a pretrained network that
        learns from the labels beside it and is then dropped; it has to know the
        features. 0 has none.
    seed
        Of the first weights, the order of the clips, dropout and augmentation.
    augmentation
        How the clips change from epoch to epoch, or None to leave them as they
        are.

    Raises
    ------
    ModelError
        If a number is out of its range.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization",
       International Conference on Learning Representations, 2019.
    .. [2] G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural
       network", arXiv 1503.02531, 2015.
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    patience: int = 0
    others_part: float = 0.3
    speaker_balance: float = 0.0
    synthetic_weight: float = 1.0
    taught_part: float = 0.0
    seed: int = 0
    augmentation: AugmentationConfig | None = None

    def __post_init__(self) -> None:
        for name in ("others_part", "speaker_balance", "taught_part"):
            if not 0 <= getattr(self, name) <= 1:
                raise ModelError(
                    f"{name} is {getattr(self, name)}; expected a part from 0 to 1."
                )
        if self.synthetic_weight <= 0:
            raise ModelError(
                f"synthetic_weight is {self.synthetic_weight}; expected above 0."
            )
        for name, least in (
            ("epochs", 1),
            ("batch_size", 1),
            ("patience", 0),
            ("seed", 0),
        ):
            if getattr(self, name) < least:
                raise ModelError(
                    f"{name} is {getattr(self, name)}; expected {least} or more."
                )
        if not 0 < self.learning_rate < 1:
            raise ModelError(
                f"learning_rate is {self.learning_rate}; expected above 0 and under 1."
            )
        if not 0 <= self.weight_decay < 1:
            raise ModelError(
                f"weight_decay is {self.weight_decay}; expected 0 to under 1."
            )
        if not 0 <= self.label_smoothing < 1:
            raise ModelError(
                f"label_smoothing is {self.label_smoothing}; expected 0 to under 1."
            )

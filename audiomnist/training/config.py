"""The settings of a training and of its augmentation.

Owns their names, defaults and ranges. What they do is for `loop` and `augmentation`.
"""

from dataclasses import dataclass

import numpy as np

from audiomnist.digits import N_DIGITS
from audiomnist.errors import ConfigError
from audiomnist.features.rendering import CONTEXT


@dataclass(frozen=True)
class AugmentationConfig:
    """How much the versions of a clip differ; 0 switches a variation off.

    Parameters
    ----------
    slowest, fastest
        Range of the tempo, relative to the recording's; 1 and 1 keep it.
    bend
        Largest difference in tempo between the halves of a word, or of a window, as a
        part.
    shift
        Largest move of a word out of the middle of padding or window, in seconds.
    end_points
        Largest move of the word's beginning and end, in seconds.
    warp
        Largest change of all frequencies, as a part, as another length of the
        vocal tract makes it [1]_.
    reverberation_part
        Part of the versions that sound in a room.
    noise_part
        Part of the versions that get noise.
    noise_low_db, noise_high_db
        Range of their signal-to-noise ratios, in dB.
    babble_part
        Part of the noisy versions whose noise is other voices; the others' noise is
        steady and of a random colour.
    equaliser_db
        Standard deviation of a smooth random gain over the mel bands, in dB.
    band_part
        Part of the versions that lose their lowest and highest frequencies, as over
        a telephone.
    cut_part
        Part of the versions that lose the beginning or the end of the word, as where
        somebody spoke before the recording began or stopped it too early. Negatives are
        cut as often, or a cut would tell the network that it is a digit.

    Raises
    ------
    ConfigError
        If a number is out of its range.

    References
    ----------
    .. [1] N. Jaitly and G. Hinton, "Vocal Tract Length Perturbation (VTLP) improves
       speech recognition", ICML Workshop on Deep Learning for Audio, 2013.
    """

    slowest: float = 0.75
    fastest: float = 1.8
    bend: float = 0.2
    shift: float = 0.06
    end_points: float = 0.08
    warp: float = 0.18
    reverberation_part: float = 0.3
    noise_part: float = 0.5
    noise_low_db: float = -3.0
    noise_high_db: float = 35.0
    babble_part: float = 0.3
    equaliser_db: float = 5.0
    band_part: float = 0.2
    cut_part: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.slowest <= 1 <= self.fastest or not 0 <= self.bend < 1:
            raise ConfigError(
                f"The tempo goes from {self.slowest} to {self.fastest}, bend is "
                f"{self.bend}; expected above 0 to 1, 1 or more, and 0 to under 1."
            )
        if not 0 <= self.warp < 0.5 or self.equaliser_db < 0:
            raise ConfigError(
                f"warp is {self.warp} and equaliser_db {self.equaliser_db}; expected 0 "
                "to under 0.5, and 0 or more."
            )
        if not 0 <= self.end_points <= CONTEXT or self.shift < 0:
            raise ConfigError(
                f"end_points is {self.end_points} s and shift {self.shift} s; expected "
                f"0 to {CONTEXT} s and not under 0."
            )
        parts = (
            *(self.reverberation_part, self.noise_part),
            *(self.babble_part, self.band_part, self.cut_part),
        )
        if not all(0 <= part <= 1 for part in parts):
            raise ConfigError(
                "reverberation_part, noise_part, babble_part, band_part and cut_part "
                f"are {parts}; expected parts from 0 to 1."
            )
        if self.noise_low_db > self.noise_high_db:
            raise ConfigError(
                f"The noise goes from {self.noise_low_db} to {self.noise_high_db} dB; "
                "expected low to high."
            )


@dataclass(frozen=True)
class TrainConfig:
    """How a network learns.

    Parameters
    ----------
    epochs
        Passes over the training clips, at most.
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
        Negatives (other words, noises, mangled digits) in each epoch, as a part of the
        clips; 0 leaves them out, and the network never learns to reject what is not a
        digit.
    speaker_balance
        How far speakers are balanced: one with n clips is drawn in proportion to n to
        the power of 1 minus this. 0 draws every clip once in an epoch, 1 every speaker
        equally often.
    synthetic_weight
        How often clips of synthetic voices are drawn, relative to recorded ones.
    taught_part
        Distillation [2]_: how much of the target is a teacher's prediction for the same
        version of the clip; the rest is the label. The teacher is a pretrained network
        that is trained on the labels at the same time and then dropped; it has to know
        the features. 0 trains on labels alone.
    seed
        Of the first weights, the order of the clips, dropout and augmentation.
    augmentation
        How the clips change from epoch to epoch, or None to leave them as they
        are.

    Raises
    ------
    ConfigError
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
                raise ConfigError(
                    f"{name} is {getattr(self, name)}; expected a part from 0 to 1."
                )
        if self.synthetic_weight <= 0:
            raise ConfigError(
                f"synthetic_weight is {self.synthetic_weight}; expected above 0."
            )
        for name, least in (
            ("epochs", 1),
            ("batch_size", 1),
            ("patience", 0),
            ("seed", 0),
        ):
            if getattr(self, name) < least:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}; expected {least} or more."
                )
        if not 0 < self.learning_rate < 1:
            raise ConfigError(
                f"learning_rate is {self.learning_rate}; expected above 0 and under 1."
            )
        if not 0 <= self.weight_decay < 1:
            raise ConfigError(
                f"weight_decay is {self.weight_decay}; expected 0 to under 1."
            )
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(
                f"label_smoothing is {self.label_smoothing}; expected 0 to under 1."
            )

    @property
    def least_loss(self) -> float:
        """The loss of a network that is as sure as smoothed labels want it, in nats."""
        n = N_DIGITS + (self.others_part > 0)
        rest = self.label_smoothing / n  # of each answer that is not the label
        parts = np.array([1 - (n - 1) * rest, *(n - 1) * [rest]])
        return float(-np.sum(parts * np.log(np.maximum(parts, 1e-12))))

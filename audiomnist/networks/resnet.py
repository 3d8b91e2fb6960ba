"""The ResNet: twice as many convolutions as the CNN, with shortcuts around them.

Owns its settings, its layers and what is said of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from audiomnist.networks.architecture import Architecture, Member
from audiomnist.networks.cnn import IMAGE, N_STAGES
from audiomnist.networks.config import NetworkConfig, check_dropout, check_filters
from audiomnist.networks.layers import convolve, normalised, pool_time


@dataclass(frozen=True)
class ResnetConfig(NetworkConfig):
    """Settings of the ResNet, and those of every network.

    Parameters
    ----------
    filters
        Filters of the five stages: a convolution, three residual blocks [1]_, and a
        convolution over all remaining frequencies, whose mean and maximum over time
        are the embedding.
    dropout
        Part of the embedding that is switched off at random in each training step.

    Raises
    ------
    ConfigError
        If a number is out of its range.

    References
    ----------
    .. [1] K. He et al., "Deep residual learning for image recognition", Conference on
       Computer Vision and Pattern Recognition, 2016.
    """

    kind: str = field(default="resnet", init=False)
    filters: tuple[int, ...] = (16, 32, 64, 96, 160)
    dropout: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_filters(self.filters, N_STAGES)
        check_dropout("dropout", self.dropout)


def _members(features: Any, config: ResnetConfig) -> Sequence[Member]:
    """A convolution, three residual blocks, one over all frequencies, pooling."""
    from keras import layers

    first, *blocks, fifth = config.filters
    x = layers.Reshape((*features.shape[1:], 1))(features)
    x = convolve(x, first, kernel_size=5, strides=2, padding="same")
    for number, n_filters in enumerate(blocks):
        way = convolve(x, n_filters, kernel_size=3, padding="same")
        way = normalised(way, n_filters, kernel_size=3, padding="same")
        shortcut = normalised(x, n_filters, kernel_size=1)
        x = layers.ReLU()(layers.Add()([way, shortcut]))
        if number + 1 < len(blocks):
            x = layers.MaxPooling2D(2)(x)
    return [Member(pool_time(x, fifth), dropout=config.dropout)]


RESNET = Architecture(
    config=ResnetConfig,
    title="ResNet",
    gist="residual blocks",
    sentence="A larger CNN: twice as many convolutions, with shortcuts around them. It "
    "needs a longer training.",
    members=_members,
    needs=IMAGE,
    training={"epochs": 30, "batch_size": 128, "augmentation": {}},
)
"""Residual blocks."""

"""The CNN: filters that slide over time and frequency, then pooling over time.

Owns its settings, its layers and what is said of it. Networks of several members begin
with its layers, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from audiomnist.networks.architecture import Architecture, InputNeeds, Member
from audiomnist.networks.config import NetworkConfig, check_dropout, check_filters
from audiomnist.networks.layers import convolve, pool_time

N_STAGES = 5
"""Convolutions, each with its number of filters."""

IMAGE = InputNeeds(min_bins=8, min_frames=8)
"""What is left of the image after a stride of 2 and two poolings by 2 is a pixel."""


@dataclass(frozen=True)
class CnnConfig(NetworkConfig):
    """Settings of the CNN, and those of every network.

    Parameters
    ----------
    filters
        Filters of the five convolutions. The fifth covers all remaining frequencies,
        and its mean and maximum over time are the embedding.
    dropout
        Part of the embedding that is switched off at random in each training step.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    kind: str = field(default="cnn", init=False)
    filters: tuple[int, ...] = (16, 32, 48, 64, 96)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_filters(self.filters, N_STAGES)
        check_dropout("dropout", self.dropout)


def convolutions(features: Any, filters: Sequence[int]) -> Any:
    """Build four convolutions, one over all frequencies, and pooling over time.

    Parameters
    ----------
    features
        Keras tensor, (n_clips, n_bins, n_frames).
    filters
        As in `CnnConfig`.

    Returns
    -------
    keras.KerasTensor
        The embedding, (n_clips, 2 * filters[-1]).
    """
    from keras import layers

    first, second, third, fourth, fifth = filters
    x = layers.Reshape((*features.shape[1:], 1))(features)
    x = convolve(x, first, kernel_size=5, strides=2, padding="same")
    x = convolve(x, second, kernel_size=3, padding="same")
    x = layers.MaxPooling2D(2)(x)
    x = convolve(x, third, kernel_size=3, padding="same")
    x = layers.MaxPooling2D(2)(x)
    x = convolve(x, fourth, kernel_size=3, padding="same")
    return pool_time(x, fifth)


def _members(features: Any, config: CnnConfig) -> Sequence[Member]:
    """One member."""
    return [Member(convolutions(features, config.filters), dropout=config.dropout)]


CNN = Architecture(
    config=CnnConfig,
    title="CNN",
    gist="sliding filters",
    sentence="Small filters that slide over time and frequency, then pooling over "
    "time: it finds a sound wherever it is.",
    members=_members,
    needs=IMAGE,
)
"""Convolutions."""

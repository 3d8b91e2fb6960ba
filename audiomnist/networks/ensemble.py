"""Three CNNs that answer together, each of which sees the word in its own way.

Owns its settings, the three views and what is said of it. The layers of each are the
CNN's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from audiomnist.networks.architecture import Architecture, Member
from audiomnist.networks.cnn import IMAGE, CnnConfig, convolutions

_SMOOTHED = 3  # bands, about 170 Hz


@dataclass(frozen=True)
class EnsembleConfig(CnnConfig):
    """Settings of the ensemble: those of each of its three convolutional networks."""

    kind: str = field(default="ensemble", init=False)


def _members(features: Any, config: EnsembleConfig) -> Sequence[Member]:
    """Three, with equal votes."""
    views = [features, _colourless(features), _smooth(features)]
    embeddings = [convolutions(view, config.filters) for view in views]
    return [
        Member(embedding, 1 / len(views), config.dropout) for embedding in embeddings
    ]


def _colourless(features: Any) -> Any:
    """Features with each band's own mean over the word taken away, padding left 0."""
    from keras import ops

    is_word = ops.cast(ops.any(features != 0, axis=1, keepdims=True), "float32")
    n_frames = ops.maximum(ops.sum(is_word, axis=2, keepdims=True), 1)
    mean = ops.sum(features, axis=2, keepdims=True) / n_frames
    return (features - mean) * is_word


def _smooth(features: Any) -> Any:
    """Features averaged over neighbouring bands, which hides a voice's harmonics."""
    from keras import layers

    image = layers.Reshape((*features.shape[1:], 1))(features)
    image = layers.AveragePooling2D((_SMOOTHED, 1), strides=1, padding="same")(image)
    return layers.Reshape(features.shape[1:])(image)


ENSEMBLE = Architecture(
    config=EnsembleConfig,
    title="Three CNNs",
    gist="three views of a word",
    sentence="Three CNNs that answer together: one sees the image as it is, one "
    "without the microphone's colour, one without the finest lines of the voice. They "
    "tend to make different mistakes.",
    members=_members,
    needs=IMAGE,
    training={"epochs": 30, "batch_size": 128, "augmentation": {}},
)
"""Three CNNs."""

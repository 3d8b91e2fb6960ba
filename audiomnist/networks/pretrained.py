"""The pretrained network: the speech embedding, and dense layers that learn the digits.

Owns its settings, its layers, what is said of it, and the teacher that distillation
takes: the same network in two parts. The embedding itself is in `speech_embedding`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audiomnist.errors import ConfigError
from audiomnist.networks.architecture import (
    Architecture,
    InputNeeds,
    Member,
    Pretraining,
)
from audiomnist.networks.config import NetworkConfig, check_dropout, check_hidden
from audiomnist.networks.layers import NORM_MOMENTUM, dense, logits_of, pooled
from audiomnist.networks.speech_embedding import MIN_FRAMES, N_LAYERS, N_MELS, embed

if TYPE_CHECKING:
    import keras

SPEECH_EMBEDDING = Pretraining(
    name="the speech embedding",
    description="Google's speech embedding, which learned from 200 million clips of "
    "recorded speech, changed from the published weights: `data embedding --denoise` "
    "adapted it to noise on the synthetic voices and other words, unlabelled. Apache "
    "License 2.0. J. Lin, K. Kilgour, D. Roblek, M. Sharifi: Training keyword spotters "
    "with limited and synthesized speech data. ICASSP 2020, arXiv 2002.01322.",
    licence="Apache License 2.0",
)
"""Whose it is, for model cards."""

KNOWN_FEATURES = InputNeeds(kind="log_mel", n_bins=N_MELS, min_frames=MIN_FRAMES)
"""What the speech embedding learned from."""

FEATURES = {
    "spectrum": {"hop_length": 80, "pre_emphasis": 0.0},
    "n_mels": N_MELS,
    "floor": 1e-4,
    "normalise": "none",
    "n_frames": 92,
    "fit": "window",
}
"""What the speech embedding learned from; the word and its surroundings, for it knows
talk that goes on and needs no silence around a word."""

AUGMENTATION = {"slowest": 0.8, "fastest": 1.25, "cut_part": 0.3}
"""A part of the words is cut off: docs/lab-notebook.md says what for."""

VIEW_SHIFT = 3
"""The speech embedding takes a frame in 8, so that a word that begins a little later
looks different to it. With the hop of `FEATURES` this is 30 ms."""


@dataclass(frozen=True)
class PretrainedConfig(NetworkConfig):
    """Settings of the pretrained network, and those of every network.

    Parameters
    ----------
    hidden
        Units of each dense layer behind the speech embedding.
    dropout
        Part of their units that is switched off at random in each training step.
    embedding_dropout
        The same for what the speech embedding gives.
    n_frozen
        Convolutions of the speech embedding that keep their weights, from the first on.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    kind: str = field(default="pretrained", init=False)
    hidden: tuple[int, ...] = (256,)
    dropout: float = 0.2
    embedding_dropout: float = 0.5
    n_frozen: int = N_LAYERS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_hidden(self.hidden)
        check_dropout("dropout", self.dropout)
        check_dropout("embedding_dropout", self.embedding_dropout)
        if not 0 <= self.n_frozen <= N_LAYERS:
            raise ConfigError(
                f"n_frozen is {self.n_frozen}; expected 0 to {N_LAYERS} layers."
            )


def classified(features: Any, config: PretrainedConfig) -> Any:
    """Build the speech embedding and the dense layers behind it.

    Parameters
    ----------
    features
        Keras tensor, (n_clips, 32, n_frames).
    config
        Its settings.

    Returns
    -------
    keras.KerasTensor
        (n_clips, config.hidden[-1]), after dropout.
    """
    return _head(_embedded(features, config.n_frozen), config)


def _embedded(features: Any, n_frozen: int) -> Any:
    """The speech embedding pooled over the clip, and what its last layer is given."""
    from keras import layers

    last_input, embeddings = embed(features, n_frozen)
    return layers.Concatenate()([pooled(embeddings), layers.Flatten()(last_input)])


def _head(embedded: Any, config: PretrainedConfig) -> Any:
    """Dense layers behind the speech embedding."""
    from keras import layers

    x = layers.BatchNormalization(momentum=NORM_MOMENTUM)(embedded)
    x = layers.Dropout(config.embedding_dropout)(x)
    return dense(x, config.hidden, config.dropout)


def _members(features: Any, config: PretrainedConfig) -> Sequence[Member]:
    """One member."""
    return [Member(classified(features, config))]


PRETRAINED = Architecture(
    config=PretrainedConfig,
    title="Pretrained CNN",
    gist="a speech embedding with dense layers",
    sentence="A network that was trained on the speech of very many people before, and "
    "here learns only the digits: it already knows many voices and rooms.",
    members=_members,
    needs=KNOWN_FEATURES,
    features=FEATURES,
    training={"epochs": 8, "batch_size": 128, "augmentation": AUGMENTATION},
    view_shift=VIEW_SHIFT,
    pretraining=SPEECH_EMBEDDING,
)
"""The speech embedding, and dense layers."""


@dataclass(frozen=True)
class Teacher:
    """A pretrained network in two parts, from whose answers another one learns.

    Parameters
    ----------
    embedding
        From features (n_clips, n_bins, n_frames) to what the speech embedding makes of
        them, (n_clips, n_values). It learns nothing.
    head
        From that to logits, (n_clips, 10).
    """

    embedding: "keras.Model"
    head: "keras.Model"


def build_teacher(n_others: int, input_shape: tuple[int, int]) -> Teacher:
    """Build a teacher whose speech embedding alone has learned anything yet.

    Parameters
    ----------
    n_others
        As in `NetworkConfig`.
    input_shape
        Shape of one clip's features: (n_bins, n_frames).

    Returns
    -------
    Teacher
        Its layers are its own.

    Raises
    ------
    ModelError
        If the speech embedding does not know such features.
    """
    import keras

    config = PretrainedConfig()
    PRETRAINED.check_shape(input_shape)
    features = keras.Input(input_shape, name="features")
    embedding = keras.Model(
        features, _embedded(features, config.n_frozen), name="embedding"
    )
    embedded = keras.Input(embedding.output.shape[1:], name="embedded")
    logits = logits_of(_head(embedded, config), n_others, "logits_of_teacher")
    return Teacher(embedding, keras.Model(embedded, logits, name="head"))

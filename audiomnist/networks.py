"""The networks that learn to hear digits: one dense, one convolutional.

Owns the architectures, their sizes and their files. A network is not trained
yet; training comes next and makes a model of it. TensorFlow and Keras are
imported only inside functions, and only the training process calls those.
"""

import contextlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiomnist.errors import ModelError
from audiomnist.history import replacing

if TYPE_CHECKING:
    import keras

N_DIGITS = 10

NETWORKS = {
    "ann": "Dense layers over the whole image at once: fast, but a word that starts "
    "later looks like another word to it.",
    "cnn": "Small filters that slide over time and frequency, then pooling over time: "
    "it finds a sound wherever it is.",
}
"""What each kind of network does, in one sentence."""

_N_FILTERS = 5  # convolutions of the CNN
_REDUCTION = 8  # the CNN's stride of 2 and its two poolings by 2

# Trainings have a few hundred steps; Keras' momentum of 0.99 would leave the running
# means far behind the weights when the validation clips are heard.
_NORM_MOMENTUM = 0.9


@dataclass(frozen=True)
class NetworkConfig:
    """Architecture and sizes.

    Parameters
    ----------
    kind
        "ann" or "cnn", see `NETWORKS`.
    hidden
        Units of each dense layer of the ANN; the last ones are its embedding.
    filters
        Filters of the CNN's five convolutions; the fifth covers all remaining
        frequencies, and its mean and maximum over time are the embedding.
    dropout
        Part of the units that is switched off at random in each training step,
        after every dense layer of the ANN and before the last layer of the CNN.

    Raises
    ------
    ModelError
        If a name or number is out of its range.
    """

    kind: str = "cnn"
    hidden: tuple[int, ...] = (256, 128)
    filters: tuple[int, ...] = (16, 32, 48, 64, 96)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if self.kind not in NETWORKS:
            raise ModelError(
                f"kind is {self.kind!r}; expected one of {list(NETWORKS)}."
            )
        if not self.hidden or min(self.hidden) < 1:
            raise ModelError(
                f"hidden is {self.hidden}; expected at least one layer, each with "
                "one unit or more."
            )
        if len(self.filters) != _N_FILTERS or min(self.filters) < 1:
            raise ModelError(
                f"filters is {self.filters}; expected {_N_FILTERS} counts, each of "
                "one or more."
            )
        if not 0 <= self.dropout < 1:
            raise ModelError(f"dropout is {self.dropout}; expected 0 to under 1.")


def build(config: NetworkConfig, input_shape: tuple[int, int]) -> "keras.Model":
    """Build an untrained network.

    Parameters
    ----------
    config
        Architecture and sizes.
    input_shape
        Shape of one clip's features: (n_bins, n_frames).

    Returns
    -------
    keras.Model
        From features (n_clips, n_bins, n_frames) to a dictionary of "logits"
        (n_clips, 10) and "embedding" (n_clips, n_units), the values from which
        the last layer makes the logits.

    Raises
    ------
    ModelError
        If the features are too small for the network.
    """
    import keras

    least = _REDUCTION if config.kind == "cnn" else 1
    if min(input_shape) < least:
        raise ModelError(
            f"Features of shape {input_shape} are too small for the network "
            f"{config.kind}; expected {least} bins and {least} frames at least."
        )
    features = keras.Input(input_shape, name="features")
    body = _cnn if config.kind == "cnn" else _ann
    embedding = body(features, config)
    kept = embedding
    if config.kind == "cnn":
        kept = keras.layers.Dropout(config.dropout)(embedding)
    logits = keras.layers.Dense(N_DIGITS, name="logits")(kept)
    outputs = {"logits": logits, "embedding": embedding}
    return keras.Model(features, outputs, name=config.kind)


def save(network: "keras.Model", path: Path) -> None:
    """Write a network, with its optimizer if it has one, whole or not at all."""
    with replacing(path) as unfinished:
        network.save(unfinished)


def load(path: Path, *, with_optimizer: bool = False) -> "keras.Model":
    """Read a network that `save` wrote, in Keras' safe mode.

    Raises
    ------
    ModelError
        If there is none or it is damaged.
    """
    tensorflow_ready()
    import keras

    try:
        return keras.saving.load_model(path, compile=with_optimizer, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} is not a Keras model that can be read "
            f"({type(error).__name__}: {error}). Train the model again."
        ) from error


def to_litert(network: "keras.Model") -> bytes:
    """Convert a network to a LiteRT file: float32, any number of clips at once.

    Its input is "features" and its outputs are "logits" and "embedding", as of
    `build`.
    """
    tensorflow = tensorflow_ready()
    n_bins, n_frames = network.input.shape[1:]
    features = tensorflow.TensorSpec(
        (None, n_bins, n_frames), tensorflow.float32, name="features"
    )
    serving = tensorflow.Module()
    # The converter keeps the weights that it finds here.
    serving.weights = [variable.value for variable in network.variables]
    serving.hear = tensorflow.function(
        lambda features: network(features, training=False), input_signature=[features]
    )
    converter = tensorflow.lite.TFLiteConverter.from_concrete_functions(
        [serving.hear.get_concrete_function()], serving
    )
    return converter.convert()


def n_threads() -> int:
    """Threads that training may use: one core is left to whatever else runs."""
    return max(1, (os.cpu_count() or 1) - 1)


def tensorflow_ready() -> Any:
    """TensorFlow, quiet, repeatable and leaving a core free."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what matters is raised
    import tensorflow

    # Refused once the process has used TensorFlow: then it keeps its threads.
    with contextlib.suppress(RuntimeError):
        tensorflow.config.threading.set_intra_op_parallelism_threads(n_threads())
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow


def _ann(features: Any, config: NetworkConfig) -> Any:
    """Dense layers; the first normalisation gives every feature the same scale."""
    from keras import layers

    x = layers.BatchNormalization(momentum=_NORM_MOMENTUM)(layers.Flatten()(features))
    for n_units in config.hidden:
        x = layers.Dense(n_units, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=_NORM_MOMENTUM)(x)
        x = layers.ReLU()(x)
        x = layers.Dropout(config.dropout)(x)
    return x


def _cnn(features: Any, config: NetworkConfig) -> Any:
    """Four convolutions over the image, one over all frequencies, pooling over time."""
    from keras import layers

    def convolve(x: Any, n_filters: int, **sizes: Any) -> Any:
        x = layers.Conv2D(n_filters, use_bias=False, **sizes)(x)
        x = layers.BatchNormalization(momentum=_NORM_MOMENTUM)(x)
        return layers.ReLU()(x)

    first, second, third, fourth, fifth = config.filters
    x = layers.Reshape((*features.shape[1:], 1))(features)
    x = convolve(x, first, kernel_size=5, strides=2, padding="same")
    x = convolve(x, second, kernel_size=3, padding="same")
    x = layers.MaxPooling2D(2)(x)
    x = convolve(x, third, kernel_size=3, padding="same")
    x = layers.MaxPooling2D(2)(x)
    x = convolve(x, fourth, kernel_size=3, padding="same")
    x = convolve(x, fifth, kernel_size=(x.shape[1], 1))  # (n_clips, 1, time, fifth)
    mean = layers.GlobalAveragePooling2D()(x)
    peak = layers.GlobalMaxPooling2D()(x)
    return layers.Concatenate(name="embedding")([mean, peak])

"""Build networks: one dense, the others convolutional.

Owns the architectures. Training them is for `training`, their files for `files`. Keras
is imported only inside functions, and only the training process calls those.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError
from audiomnist.networks.config import PRETRAINED_HIDDEN, NetworkConfig
from audiomnist.networks.speech_embedding import MIN_FRAMES, N_MELS, embed

if TYPE_CHECKING:
    import keras


_REDUCTION = 8  # their stride of 2 and their two poolings by 2

_SMOOTHED = 3  # bands, about 170 Hz

# Trainings have a few hundred steps; Keras' momentum of 0.99 would leave the running
# means far behind the weights when the validation clips are heard.
_NORM_MOMENTUM = 0.9

_TEACHER = NetworkConfig("pretrained", hidden=PRETRAINED_HIDDEN)


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
        (n_clips, 10), "embedding" (n_clips, n_units), the values from which the last
        layers make the logits, and "members" (n_clips, n_members, 10), the logits of
        each member of an ensemble, or of the one network that there is.

    Raises
    ------
    ModelError
        If the features are too small for the network.
    """
    import keras

    _check_input(config.kind, input_shape)
    features = keras.Input(input_shape, name="features")
    bodies, views = _BODIES[config.kind], [features] * len(_BODIES[config.kind])
    if config.kind == "ensemble":
        views = [features, _colourless(features), _smooth(features)]
    embeddings = [body(view, config) for body, view in zip(bodies, views, strict=True)]
    members: list[Any] = []
    for body, embedding in zip(bodies, embeddings, strict=True):
        kept = embedding
        if body not in (_ann, _pretrained):  # they end with dropout of their own
            kept = keras.layers.Dropout(config.dropout)(embedding)
        members.append(_logits(kept, config, f"logits_{len(members)}"))
    weights = [1 / len(members)] * len(members)
    if config.kind == "team":
        weights = [1 - config.cnn_weight, config.cnn_weight]
    weighted = [
        logits * weight for logits, weight in zip(members, weights, strict=True)
    ]
    outputs = {
        "logits": keras.ops.sum(keras.ops.stack(weighted, axis=1), axis=1),
        "embedding": keras.ops.concatenate(embeddings, axis=1),
        "members": keras.ops.stack(members, axis=1),  # (n_clips, n_members, 10)
    }
    return keras.Model(features, outputs, name=config.kind)


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
    """Build a teacher that has learned nothing yet but the speech embedding.

    Parameters
    ----------
    n_others
        As in `NetworkConfig`.
    input_shape
        As in `build`.

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

    config = replace(_TEACHER, n_others=n_others)
    _check_input(config.kind, input_shape)
    features = keras.Input(input_shape, name="features")
    embedding = keras.Model(features, _embedded(features, config), name="embedding")
    embedded = keras.Input(embedding.output.shape[1:], name="embedded")
    logits = _logits(_head(embedded, config), config, "logits_of_teacher")
    return Teacher(embedding, keras.Model(embedded, logits, name="head"))


def _check_input(kind: str, shape: tuple[int, int]) -> None:
    """Refuse features that are too small for a network, or not what it knows."""
    if _pretrained in _BODIES[kind]:
        if shape[0] != N_MELS or shape[1] < MIN_FRAMES:
            raise ModelError(
                f"Features of shape {shape} are not what the {kind} network knows; "
                f"expected {N_MELS} bins and {MIN_FRAMES} frames or more."
            )
        return
    least = 1 if kind == "ann" else _REDUCTION
    if min(shape) < least:
        raise ModelError(
            f"Features of shape {shape} are too small for the network {kind}; expected "
            f"{least} bins and {least} frames at least."
        )


def _logits(embedding: Any, config: NetworkConfig, name: str) -> Any:
    """Logits of the digits, relative to that of everything that is none."""
    from keras import layers, ops

    if config.n_others == 0:
        return layers.Dense(N_DIGITS, name=name)(embedding)
    logits = layers.Dense(N_DIGITS + config.n_others, name=name)(embedding)
    # The kinds add up to one answer "none of these", whose logit is then taken for 0.
    others = ops.logsumexp(logits[:, N_DIGITS:], axis=1, keepdims=True)
    return logits[:, :N_DIGITS] - others


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


def _ann(features: Any, config: NetworkConfig) -> Any:
    """Dense layers; the first normalisation gives every feature the same scale."""
    from keras import layers

    x = layers.BatchNormalization(momentum=_NORM_MOMENTUM)(layers.Flatten()(features))
    return _dense(x, config)


def _dense(x: Any, config: NetworkConfig) -> Any:
    """Dense layers, normalised and rectified."""
    from keras import layers

    for n_units in config.hidden:
        x = layers.Dense(n_units, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=_NORM_MOMENTUM)(x)
        x = layers.ReLU()(x)
        x = layers.Dropout(config.dropout)(x)
    return x


def _pretrained(features: Any, config: NetworkConfig) -> Any:
    """The speech embedding with what its last layer sees, then dense layers."""
    return _head(_embedded(features, config), config)


def _embedded(features: Any, config: NetworkConfig) -> Any:
    """What the speech embedding makes of a clip, and what its last layer sees."""
    from keras import layers

    seen, embeddings = embed(features, config.n_frozen)
    return layers.Concatenate()([_pooled(embeddings), layers.Flatten()(seen)])


def _head(embedded: Any, config: NetworkConfig) -> Any:
    """Dense layers upon what the speech embedding gives."""
    from keras import layers

    x = layers.BatchNormalization(momentum=_NORM_MOMENTUM)(embedded)
    return _dense(layers.Dropout(config.embedding_dropout)(x), config)


def _cnn(features: Any, config: NetworkConfig) -> Any:
    """Four convolutions over the image, one over all frequencies, pooling over time."""
    from keras import layers

    first, second, third, fourth, fifth = config.filters
    x = layers.Reshape((*features.shape[1:], 1))(features)
    x = _convolve(x, first, kernel_size=5, strides=2, padding="same")
    x = _convolve(x, second, kernel_size=3, padding="same")
    x = layers.MaxPooling2D(2)(x)
    x = _convolve(x, third, kernel_size=3, padding="same")
    x = layers.MaxPooling2D(2)(x)
    x = _convolve(x, fourth, kernel_size=3, padding="same")
    return _pool_time(x, fifth)


def _resnet(features: Any, config: NetworkConfig) -> Any:
    """A convolution, three residual blocks, one over all frequencies, pooling."""
    from keras import layers

    first, *blocks, fifth = config.filters
    x = layers.Reshape((*features.shape[1:], 1))(features)
    x = _convolve(x, first, kernel_size=5, strides=2, padding="same")
    for number, n_filters in enumerate(blocks):
        way = _convolve(x, n_filters, kernel_size=3, padding="same")
        way = _normalised(way, n_filters, kernel_size=3, padding="same")
        shortcut = _normalised(x, n_filters, kernel_size=1)
        x = layers.ReLU()(layers.Add()([way, shortcut]))
        if number + 1 < len(blocks):
            x = layers.MaxPooling2D(2)(x)
    return _pool_time(x, fifth)


def _pool_time(x: Any, n_filters: int) -> Any:
    """A convolution over all frequencies, then mean and maximum over time."""

    # (n_clips, 1, time, n_filters)
    return _pooled(_convolve(x, n_filters, kernel_size=(x.shape[1], 1)))


def _pooled(x: Any) -> Any:
    """Mean and maximum of each filter over all places: (n_clips, 2 * n_filters)."""
    from keras import layers

    mean = layers.GlobalAveragePooling2D()(x)
    peak = layers.GlobalMaxPooling2D()(x)
    return layers.Concatenate()([mean, peak])


def _convolve(x: Any, n_filters: int, **sizes: Any) -> Any:
    """A convolution, normalised and rectified."""
    from keras import layers

    return layers.ReLU()(_normalised(x, n_filters, **sizes))


def _normalised(x: Any, n_filters: int, **sizes: Any) -> Any:
    """A convolution and the normalisation of what it gives."""
    from keras import layers

    x = layers.Conv2D(n_filters, use_bias=False, **sizes)(x)
    return layers.BatchNormalization(momentum=_NORM_MOMENTUM)(x)


_BODIES: dict[str, tuple[Callable[[Any, NetworkConfig], Any], ...]] = {
    "ann": (_ann,),
    "cnn": (_cnn,),
    "resnet": (_resnet,),
    "ensemble": (_cnn, _cnn, _cnn),
    "pretrained": (_pretrained,),
    "team": (_pretrained, _cnn),
}
"""From features to an embedding, for each member of a network."""

"""Layers that several networks share.

Owns dense and convolutional layers with their normalisation, pooling, and the last
layer of every network. How a network puts them together is in its own module. Keras is
imported only inside functions.
"""

from collections.abc import Sequence
from typing import Any

from audiomnist.digits import N_DIGITS

NORM_MOMENTUM = 0.9
"""Of running means in batch normalisation. Trainings have a few hundred steps; Keras'
momentum of 0.99 would leave the means far behind the weights at validation."""


def logits_of(embedding: Any, n_others: int, name: str) -> Any:
    """Build the last layer: logits of the digits, relative to "none of these".

    Parameters
    ----------
    embedding
        Keras tensor, (n_clips, n_units).
    n_others
        As in `NetworkConfig`.
    name
        Of the layer.

    Returns
    -------
    keras.KerasTensor
        (n_clips, 10).
    """
    from keras import layers, ops

    if n_others == 0:
        return layers.Dense(N_DIGITS, name=name)(embedding)
    logits = layers.Dense(N_DIGITS + n_others, name=name)(embedding)
    # The outputs for negatives add up to one answer "none of these", whose logit is 0.
    others = ops.logsumexp(logits[:, N_DIGITS:], axis=1, keepdims=True)
    return logits[:, :N_DIGITS] - others


def dense(x: Any, hidden: Sequence[int], dropout: float) -> Any:
    """Build dense layers of `hidden` units, normalised, rectified, with dropout."""
    from keras import layers

    for n_units in hidden:
        x = layers.Dense(n_units, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=NORM_MOMENTUM)(x)
        x = layers.ReLU()(x)
        x = layers.Dropout(dropout)(x)
    return x


def pool_time(x: Any, n_filters: int) -> Any:
    """Build a convolution over all frequencies, then mean and maximum over time.

    From (n_clips, n_bins, n_frames, n_channels) to (n_clips, 2 * n_filters).
    """
    # (n_clips, 1, n_frames, n_filters)
    return pooled(convolve(x, n_filters, kernel_size=(x.shape[1], 1)))


def pooled(x: Any) -> Any:
    """Build mean and maximum of each filter: (n_clips, 2 * n_filters)."""
    from keras import layers

    mean = layers.GlobalAveragePooling2D()(x)
    peak = layers.GlobalMaxPooling2D()(x)
    return layers.Concatenate()([mean, peak])


def convolve(x: Any, n_filters: int, **sizes: Any) -> Any:
    """Build a convolution, normalised and rectified; `sizes` as in Keras' Conv2D."""
    from keras import layers

    return layers.ReLU()(normalised(x, n_filters, **sizes))


def normalised(x: Any, n_filters: int, **sizes: Any) -> Any:
    """Build a convolution and the normalisation of its output."""
    from keras import layers

    x = layers.Conv2D(n_filters, use_bias=False, **sizes)(x)
    return layers.BatchNormalization(momentum=NORM_MOMENTUM)(x)

"""The speech embedding: a network that was pretrained on a great deal of speech.

Owns the weights of Google's speech embedding, which come with the app, and the layers
that they belong to. The networks that begin with it are in `pretrained` and `team`.
Keras is imported only inside functions.

The embedding was trained to tell apart some 5,000 keywords in 200 million short clips
of recorded speech [1]_. Its twenty convolutions know what speech is made of in any
voice and room; a network that begins with them has only the digits to learn. Its
input is what our log-mel features are too: 32 bands from 60 to 3800 Hz on Slaney's
scale, Hann windows of 25 ms every 10 ms.

References
----------
.. [1] J. Lin, K. Kilgour, D. Roblek and M. Sharifi, "Training keyword spotters with
   limited and synthesized speech data", ICASSP 2020. The weights are published under
   the Apache License 2.0.
"""

import importlib.util
import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from audiomnist.errors import ModelError
from audiomnist.settings import EMBEDDED_FILES
from audiomnist.storage import replacing

N_MELS = 32
"""Mel bands of its input."""

MIN_FRAMES = 76
"""Frames that one embedding takes; eight more give the next one."""

N_LAYERS = 20
"""Convolutions in it."""

LAYER_NAME = "embedding_"
"""What each of them is called in a network, before its number."""

WEIGHTS_FILE = EMBEDDED_FILES / "speech_embedding.npz"

_PACKAGE, _MODEL = "pyopen_wakeword", Path("models") / "embedding_model.tflite"
_SLOPE, _LEAST = 0.2, -0.4
"""What is left of values under 0, and the least value that a layer passes on."""

_POOLINGS = {2: (2, 2), 6: (1, 2), 10: (2, 2), 14: (1, 2), 18: (2, 2)}
"""Pooling over (time, frequency) after layers of these numbers."""

_SPEECH_LEVEL = 9.5
"""Logarithm of a word's mean power, plus 2, where samples are 16-bit numbers: the
level of the speech that the embedding was trained on, in its own unit."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Weights of one convolution.

    Parameters
    ----------
    kernel
        float32, shape (time, frequency, n_inputs, n_filters).
    bias
        float32, shape (n_filters,).
    """

    kernel: np.ndarray
    bias: np.ndarray


@lru_cache(maxsize=1)
def read_layers(path: Path = WEIGHTS_FILE) -> tuple[Layer, ...]:
    """Read the weights that come with the app, in half precision on disk.

    Raises
    ------
    ModelError
        If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            layers = tuple(
                Layer(*(arrays[f"{part}{k}"].astype(np.float32) for part in "kb"))
                for k in range(N_LAYERS)
            )
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"The weights of the speech embedding cannot be read from {path} "
            f"({error}). Install Audio MNIST again."
        ) from error
    return layers


def write_layers(layers: tuple[Layer, ...], path: Path = WEIGHTS_FILE) -> None:
    """Write weights as `read_layers` reads them, whole or not at all.

    Raises
    ------
    ModelError
        If the file cannot be written.
    """
    arrays: dict[str, Any] = {
        f"{part}{number}": values.astype(np.float16)
        for number, layer in enumerate(layers)
        for part, values in (("k", layer.kernel), ("b", layer.bias))
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be written ({error.strerror}). Choose another place."
        ) from error


def published_model() -> Path:
    """The LiteRT file in which a package of requirements-dev.txt brings the embedding.

    Raises
    ------
    ModelError
        If the package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"The package {_PACKAGE.replace('_', '-')} is not installed. Run pip "
            "install -r requirements-dev.txt."
        )
    return Path(spec.origin).parent / _MODEL


def extract_layers(path: Path) -> tuple[Layer, ...]:
    """Take the weights out of the published LiteRT file.

    Raises
    ------
    ModelError
        If the file cannot be read or is another network's.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        interpreter = Interpreter(
            str(path),
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} is not a LiteRT file ({error}).") from error
    kernels, biases = {}, {}
    for tensor in interpreter.get_tensor_details():
        # A bias bears the names of all that was merged into it; the last one counts.
        named = re.search(r"conv2d(?:_(\d+))?/Conv2D1?$", tensor["name"])
        shape = tuple(tensor["shape"])
        if named and len(shape) == 4 and shape[0] > 1:
            kernel = interpreter.get_tensor(tensor["index"])
            kernels[int(named[1] or 0)] = kernel.transpose(1, 2, 3, 0)
        elif named and len(shape) == 1:
            biases[int(named[1] or 0)] = interpreter.get_tensor(tensor["index"])
    if sorted(kernels) != list(range(N_LAYERS)) or kernels.keys() != biases.keys():
        raise ModelError(
            f"{path} has {len(kernels)} convolutions with {len(biases)} biases; "
            f"expected the {N_LAYERS} of the speech embedding."
        )
    return tuple(Layer(kernels[k], biases[k]) for k in range(N_LAYERS))


def embed(
    features: Any, n_frozen: int, weights: tuple[Layer, ...] | None = None
) -> tuple[Any, Any]:
    """Build the embedding's layers upon log-mel features.

    Parameters
    ----------
    features
        Keras tensor, (n_clips, 32, n_frames): logarithms of band powers relative to
        the word's mean.
    n_frozen
        How many of the layers keep their weights while what follows learns.
    weights
        Those that they begin with; by default those that come with the app.

    Returns
    -------
    tuple[Any, Any]
        Keras tensors: what the last layer sees, (n_clips, n_embeddings + 2, 1, 96), and
        the embeddings, (n_clips, n_embeddings, 1, 96), one for every 76 frames, from
        each eighth frame on.
    """
    from keras import layers, ops

    n_frames = features.shape[2]
    x = layers.Permute((2, 1))(features)
    # From natural logarithms to the embedding's own, of base 10.
    x = layers.Rescaling(1 / np.log(10), _SPEECH_LEVEL)(x)
    x = seen = layers.Reshape((n_frames, N_MELS, 1))(x)
    weights = read_layers() if weights is None else weights
    for number, layer in enumerate(weights):
        *size, _, n_filters = layer.kernel.shape
        if size[1] > 1:  # time is not padded: an embedding sees real frames alone
            x = layers.ZeroPadding2D((0, 1))(x)
        convolution = layers.Conv2D(n_filters, size, name=f"{LAYER_NAME}{number}")
        seen, x = x, convolution(x)
        convolution.set_weights([layer.kernel, layer.bias])
        convolution.trainable = number >= n_frozen
        if number < N_LAYERS - 1:
            x = ops.maximum(layers.LeakyReLU(negative_slope=_SLOPE)(x), _LEAST)
        if number in _POOLINGS:
            x = layers.MaxPooling2D(_POOLINGS[number])(x)
    return seen, x

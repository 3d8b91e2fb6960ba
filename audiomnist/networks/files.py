"""Network files: Keras' own format, and LiteRT for serving.

Owns saving and loading a Keras network and converting it. Serving a LiteRT file is for
`recognition.litert`.
"""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiomnist.errors import ModelError
from audiomnist.networks.backend import tensorflow_ready
from audiomnist.storage import replacing

if TYPE_CHECKING:
    import keras


def save_network(network: "keras.Model", path: Path) -> None:
    """Write a network, with its optimizer if it has one, whole or not at all."""
    with replacing(path) as unfinished:
        network.save(unfinished)


def load_network(path: Path, *, with_optimizer: bool = False) -> "keras.Model":
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


def to_litert(network: "keras.Model", *, n_bits: int = 32) -> bytes:
    """Convert a network to a LiteRT file, for any number of clips at once.

    Its input is "features" and its outputs are "logits" and "embedding", all float32.

    Parameters
    ----------
    network
        What to convert.
    n_bits
        For each weight: 32, 16 or 8. The sums are of 32 bits in any case.
    """
    tensorflow = tensorflow_ready()
    n_bins, n_frames = network.input.shape[1:]
    features = tensorflow.TensorSpec(
        (None, n_bins, n_frames), tensorflow.float32, name="features"
    )
    serving = tensorflow.Module()
    # The converter keeps the weights that it finds here.
    serving.weights = [variable.value for variable in network.variables]
    serving.predict = tensorflow.function(
        lambda features: _answer(network, features), input_signature=[features]
    )
    converter = tensorflow.lite.TFLiteConverter.from_concrete_functions(
        [serving.predict.get_concrete_function()], serving
    )
    if n_bits < 32:
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    if n_bits == 16:
        converter.target_spec.supported_types = [tensorflow.float16]
    return converter.convert()


def _answer(network: "keras.Model", features: Any) -> dict[str, Any]:
    """What a trained network is asked for."""
    outputs = network(features, training=False)
    return {name: outputs[name] for name in ("logits", "embedding")}

"""Networks on disk, and their conversion to LiteRT."""

import numpy as np
import pytest
from small_networks import SHAPE, SHAPES, shaken, small, sounds

from audiomnist.errors import ModelError
from audiomnist.networks.architectures import (
    ARCHITECTURES,
    build,
)
from audiomnist.networks.files import load_network, save_network, to_litert


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_saved_network_answers_the_same(kind, tmp_path):
    network = shaken(build(small(kind), SHAPES[kind]))
    save_network(network, tmp_path / "model.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    features = sounds(kind, 4)
    again = load_network(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again(features)["logits"], network(features)["logits"]
    )


@pytest.mark.parametrize("content", [None, b"", b"no model", b"PK\x03\x04" + bytes(99)])
def test_a_file_that_is_no_network_is_refused(content, tmp_path):
    path = tmp_path / "model.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match="not a Keras model that can be read"):
        load_network(path)


def test_a_truncated_network_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    save_network(build(small("ann"), SHAPE), path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="not a Keras model that can be read"):
        load_network(path)


def test_a_network_with_code_in_it_is_refused(tmp_path):
    import keras

    layer = keras.layers.Lambda(lambda x: x)
    keras.Sequential([keras.Input((2,)), layer]).save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match="not a Keras model that can be read"):
        load_network(tmp_path / "model.keras")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_litert_answers_as_keras_does_and_fewer_bits_nearly_so(kind):
    from ai_edge_litert.interpreter import Interpreter

    network = shaken(build(ARCHITECTURES[kind].config(), SHAPES[kind]))
    sizes = []
    for n_bits, tolerance in ((32, 1e-5), (16, 1e-2), (8, 0.2)):
        content = to_litert(network, n_bits=n_bits)
        sizes.append(len(content))
        serve = Interpreter(model_content=content).get_signature_runner()
        for n_clips in (1, 7, 130):
            features = sounds(kind, n_clips)
            expected = network(features, training=False)
            served = serve(features=features)
            for output in ("logits", "embedding"):
                wanted = expected[output].numpy()
                difference = np.abs(served[output] - wanted).max()
                assert difference < tolerance * np.abs(wanted).max()
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 3

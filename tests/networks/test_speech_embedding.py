"""The speech embedding: its weights, and layers that answer as the published ones."""

import numpy as np
import pytest

from audiomnist.errors import ModelError
from audiomnist.networks import speech_embedding
from audiomnist.networks.speech_embedding import (
    N_LAYERS,
    N_MELS,
    WEIGHTS_FILE,
    Layer,
    embed,
    extract_layers,
    published_model,
    read_layers,
    write_layers,
)


def test_the_weights_that_come_with_the_app_fit_the_published_ones():
    ours, theirs = read_layers(), extract_layers(published_model())
    assert len(ours) == len(theirs) == N_LAYERS
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.kernel.shape == other.kernel.shape
        assert mine.bias.shape == other.bias.shape


def test_the_layers_answer_as_the_published_network_does():
    import keras
    from ai_edge_litert.interpreter import Interpreter

    published = Interpreter(str(published_model()))
    published.allocate_tensors()
    given, answer = published.get_input_details()[0], published.get_output_details()[0]
    features = keras.Input((N_MELS, 84))
    _, embeddings = embed(features, N_LAYERS, extract_layers(published_model()))
    network = keras.Model(features, embeddings)
    rng = np.random.default_rng(0)
    logs = rng.normal(-3, 3, (1, N_MELS, 84)).astype(np.float32)
    ours = network(logs).numpy()[0, :, 0]  # (2, 96)
    assert ours.shape == (2, 96)
    levels = (logs / np.log(10) + 9.5).astype(np.float32)
    for number, first in enumerate((0, 8)):
        window = levels[:, :, first : first + 76].transpose(0, 2, 1)[..., None]
        published.set_tensor(given["index"], window)
        published.invoke()
        theirs = published.get_tensor(answer["index"]).ravel()
        assert np.corrcoef(ours[number], theirs)[0, 1] > 0.9999
        np.testing.assert_allclose(ours[number], theirs, atol=0.02 * theirs.std())


def test_what_is_written_is_read_again(tmp_path):
    rng = np.random.default_rng(0)
    layers = tuple(
        Layer(
            rng.normal(size=(3, 1, 2, 2)).astype(np.float16).astype(np.float32),
            rng.normal(size=2).astype(np.float16).astype(np.float32),
        )
        for _ in range(N_LAYERS)
    )
    write_layers(layers, tmp_path / "weights.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]
    for before, after in zip(
        layers, read_layers(tmp_path / "weights.npz"), strict=True
    ):
        np.testing.assert_array_equal(before.kernel, after.kernel)
        np.testing.assert_array_equal(before.bias, after.bias)


def test_weights_that_cannot_be_written_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        write_layers((), tmp_path / "file" / "weights.npz")


WHOLE = WEIGHTS_FILE.read_bytes()


@pytest.mark.parametrize(
    "content",
    [None, b"", b"no weights", WHOLE[:-3000], WHOLE[:9000] + b"?" + WHOLE[9001:]],
    ids=["missing", "empty", "text", "truncated", "changed"],
)
def test_missing_or_damaged_weights_are_refused(content, tmp_path):
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match="Install Audio MNIST again"):
        read_layers(path)


def test_another_file_has_no_embedding_to_take(tmp_path, monkeypatch):
    path = tmp_path / "other.tflite"
    path.write_bytes(b"no network")
    with pytest.raises(ModelError, match="not a LiteRT file"):
        extract_layers(path)
    monkeypatch.setattr(speech_embedding, "N_LAYERS", N_LAYERS + 1)
    with pytest.raises(ModelError, match="20 convolutions"):
        extract_layers(published_model())


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(speech_embedding, "_PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match="no-such-package is not installed"):
        published_model()

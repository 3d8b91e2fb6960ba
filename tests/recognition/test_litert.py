"""Serving: a LiteRT network answers as Keras does, alone, among others, in threads."""

import threading

import numpy as np
import pytest

from audiomnist.errors import ModelError
from audiomnist.networks.architectures import build
from audiomnist.networks.cnn import CnnConfig
from audiomnist.networks.files import to_litert
from audiomnist.recognition.litert import LiteRTNetwork, read_file

SHAPE = (16, 16)


@pytest.fixture(scope="module")
def network():
    import keras

    keras.utils.set_random_seed(0)
    return build(CnnConfig(filters=(4, 4, 4, 4, 8)), SHAPE)


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "model.tflite"
    path.write_bytes(to_litert(network))
    return path


def noise(n_clips: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_clips, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize("rejects_unknown", [False, True])
def test_it_looks_again_only_where_it_is_not_sure(
    path, network, rejects_unknown
) -> None:
    served = LiteRTNetwork(path, SHAPE, 3, rejects_unknown=rejects_unknown)
    features = 150 * noise(40)
    padded = np.pad(features, ((0, 0), (0, 0), (3, 3)), mode="edge")
    frames = np.clip(7.5 + 1.25 * (np.arange(16) - 7.5), 0, 15)
    quick = np.stack(
        [[np.interp(frames, np.arange(16), row) for row in clip] for clip in features]
    )
    quick = np.pad(quick, ((0, 0), (0, 0), (0, 3)), mode="edge")
    earlier, later, quicker = (
        network(look, training=False)["logits"].numpy()
        for look in (padded[:, :, :-6], padded[:, :, 6:], quick[:, :, 3:])
    )
    answers = earlier
    if rejects_unknown:
        answers = np.c_[answers, np.zeros(40)]
    first, second = np.sort(answers, axis=1).T[[-1, -2]]
    is_sure = first - second >= 2
    assert 5 < is_sure.sum() < 35
    for chosen in (np.arange(40), np.flatnonzero(is_sure), np.flatnonzero(~is_sure)):
        mean = (earlier + later + quicker) / 3
        wanted = np.where(is_sure[:, None], earlier, mean)[chosen]
        logits = served.logits(features[chosen])
        np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("view_shift", [0, 3])
def test_no_clips_give_no_answers(path, view_shift) -> None:
    logits = LiteRTNetwork(path, SHAPE, view_shift).logits(noise(0))
    assert (logits.shape, logits.dtype) == ((0, 10), np.float32)


@pytest.mark.parametrize("view_shift", [0, 3])
def test_a_clip_is_predicted_alone_as_among_others(path, view_shift) -> None:
    served = LiteRTNetwork(path, SHAPE, view_shift)
    features = 20 * noise(300)
    together = served.logits(features)
    alone = [served.logits(features[i : i + 1]) for i in range(300)]
    np.testing.assert_allclose(np.concatenate(alone), together, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("view_shift", [0, 3])
def test_many_threads_get_their_own_answers(path, view_shift) -> None:
    served = LiteRTNetwork(path, SHAPE, view_shift)
    wrong = []

    def ask(n_clips: int) -> None:
        features = 20 * noise(n_clips, seed=n_clips)
        expected = served.logits(features)
        for _ in range(50):
            if not np.array_equal(served.logits(features), expected):
                wrong.append(n_clips)

    threads = [threading.Thread(target=ask, args=(n,)) for n in (1, 2, 3, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("shape", [(16, 16), (2, 8, 16), (1, 16)])
def test_features_of_another_shape_are_refused(path, shape) -> None:
    with pytest.raises(ModelError, match="this model expects"):
        LiteRTNetwork(path, SHAPE, 3).logits(np.zeros(shape, np.float32))


def test_a_file_that_is_not_there_cannot_be_read(tmp_path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.tflite cannot be read"):
        read_file(tmp_path / "nothing.tflite")

"""Learning, checkpoints and what a training leaves behind."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from audiomnist.errors import ConfigError, ModelError
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import extract, spectra
from audiomnist.networks.ann import AnnConfig
from audiomnist.networks.architectures import build
from audiomnist.networks.cnn import CnnConfig
from audiomnist.networks.ensemble import EnsembleConfig
from audiomnist.networks.files import load_network
from audiomnist.recognition.litert import LiteRTNetwork
from audiomnist.recognition.models import LITERT, WEIGHTS
from audiomnist.runs.presets import preset
from audiomnist.training import loop
from audiomnist.training.config import AugmentationConfig, TrainConfig
from audiomnist.training.data import TrainingData
from audiomnist.training.events import EVENTS
from audiomnist.training.history import HISTORY, best_epoch, read_history, write_history
from audiomnist.training.loop import CHECKPOINT, _Learner, taught_loss, train

FEATURES = FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16)
ANN = AnnConfig(hidden=(16,))
CNN = CnnConfig(filters=(4, 4, 4, 4, 8))
QUICK = TrainConfig(epochs=3, batch_size=16, learning_rate=0.01)


@pytest.fixture(scope="module")
def data():
    return some_data(FEATURES)


def some_data(features):
    from conftest import speak

    def part(speakers):
        words = [(digit, who) for digit in range(10) for who in speakers]
        audios = [speak(digit, who) for digit, who in words]
        return audios, np.array([digit for digit, _ in words])

    audios, digits = part([0, 1, 2, 3])
    kept, kept_digits = part([4])
    return TrainingData(
        spectra(audios, features),
        digits,
        extract(kept, features),
        kept_digits,
        features,
    )


def learn(network, config, data, folder, **more):
    """Train without the conversion at the end; returns the epochs."""
    folder.mkdir(exist_ok=True)
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "to_litert", lambda network: b"")
        train(network, config, data, folder, on_epoch=seen.append, **more)
    return seen


def measures(history):
    return [(m.loss, m.accuracy, m.val_loss, m.val_accuracy) for m in history]


def weights(path):
    return load_network(path).get_weights()


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("network", [ANN, CNN], ids=["ann", "cnn"])
def test_it_learns_and_leaves_a_model(network, data, tmp_path):
    history = []
    config = replace(QUICK, epochs=20)
    train(network, config, data, tmp_path, on_epoch=history.append)
    assert [metrics.epoch for metrics in history] == list(range(1, 21))
    assert history[-1].loss < history[0].loss
    assert best_epoch(history).val_accuracy >= 0.4
    assert read_history(tmp_path) == history
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {CHECKPOINT, WEIGHTS, LITERT, HISTORY, EVENTS.split("/")[0]}
    logits = load_network(tmp_path / WEIGHTS)(data.validation, training=False)["logits"]
    served = LiteRTNetwork(tmp_path / LITERT, FEATURES.shape)
    answer = served.logits(data.validation)
    np.testing.assert_allclose(answer, logits, atol=1e-4)
    is_right = answer.argmax(axis=1) == data.validation_digits
    assert is_right.mean() == pytest.approx(best_epoch(history).val_accuracy)


class Interruption(Exception):
    pass


@pytest.mark.parametrize("network", [ANN, CNN], ids=["ann", "cnn"])
def test_a_resumed_training_equals_an_uninterrupted_one(network, data, tmp_path):
    config = replace(QUICK, epochs=3, augmentation=AugmentationConfig())
    whole = learn(network, config, data, tmp_path / "whole")

    folder = tmp_path / "broken"
    folder.mkdir()
    n_batches = []

    def interrupt(batch, *_):
        n_batches.append(batch)
        if len(n_batches) == 5:  # in the second epoch of three batches each
            raise Interruption

    with pytest.raises(Interruption):
        train(
            network,
            config,
            data,
            folder,
            on_epoch=lambda metrics: None,
            on_batch=interrupt,
        )
    assert len(read_history(folder)) == 1
    rest = learn(network, config, data, folder, resume=True)
    assert [metrics.epoch for metrics in rest] == [2, 3]
    assert measures(read_history(folder)) == measures(whole)
    for name in (WEIGHTS, CHECKPOINT):
        assert same(weights(folder / name), weights(tmp_path / "whole" / name))


def test_a_history_ahead_of_its_checkpoint_is_cut(plain, data, tmp_path):
    config, history, folder = plain
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    write_history([*history, replace(history[-1], epoch=3)], tmp_path)
    rest = learn(ANN, replace(config, epochs=3), data, tmp_path, resume=True)
    assert [metrics.epoch for metrics in rest] == [3]


def test_without_resume_it_starts_again(plain, data, tmp_path):
    config, history, folder = plain
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    assert measures(learn(ANN, config, data, tmp_path)) == measures(history)


def test_a_checkpoint_of_another_network_is_refused(plain, data):
    config, _, folder = plain
    with pytest.raises(ModelError, match="from another network"):
        learn(CNN, config, data, folder, resume=True)


def test_it_stops_when_validation_gets_no_better(data, tmp_path):
    config = replace(QUICK, epochs=40, learning_rate=0.5, patience=2)
    history = learn(ANN, config, data, tmp_path)
    assert history[-1].epoch == best_epoch(history).epoch + 2 < 40
    resumed = learn(ANN, config, data, tmp_path, resume=True)
    assert resumed == []


@pytest.fixture(scope="module")
def plain(data, tmp_path_factory):
    """A training of two epochs, and the folder that it left."""
    folder = tmp_path_factory.mktemp("plain")
    config = replace(QUICK, epochs=2, weight_decay=0.0)
    return config, learn(ANN, config, data, folder), folder


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 8},
        {"learning_rate": 0.002},
        {"weight_decay": 0.5},
        {"label_smoothing": 0.0},
        {"augmentation": AugmentationConfig()},
        {"seed": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_changes_the_training(change, plain, data, tmp_path):
    config, history, _ = plain
    other = learn(ANN, replace(config, **change), data, tmp_path)
    assert measures(other) != measures(history)


@pytest.fixture(scope="module")
def known():
    """Clips with features that the speech embedding knows."""
    return some_data(preset("pretrained").features)


@pytest.mark.slow
def test_what_a_teacher_answers_is_learned_without_labels(known, tmp_path):
    config = replace(QUICK, epochs=25, taught_part=1.0)
    history = learn(CNN, config, known, tmp_path)
    assert best_epoch(history).val_accuracy >= 0.4
    # The teacher is dropped: what is left is the network as it is without one.
    network, alone = load_network(tmp_path / WEIGHTS), build(CNN, known.features.shape)
    assert [w.shape for w in network.weights] == [w.shape for w in alone.weights]


@pytest.mark.parametrize(("part", "expected"), [(0, 5), (1, 0.5), (0.5, 2.75)])
def test_labels_and_a_teacher_share_the_loss(part, expected):
    # Two clips and two members; the teacher is sure of the first of two answers.
    targets = np.array([[1, 0], [1, 0]], np.float32)
    answers = np.exp(-np.array([[0.25, 0.75], [0.5, 0.5]]))[..., None]
    logits = np.log(np.concatenate([answers, 1 - answers], axis=-1))
    loss = taught_loss(np.float32(5), logits.astype(np.float32), targets, part)
    assert float(loss) == pytest.approx(expected)


def test_a_teacher_learns_nothing_from_what_it_teaches():
    import tensorflow

    logits = tensorflow.constant([[[0.0, 1.0]]])
    targets = tensorflow.constant([[0.3, 0.7]])
    with tensorflow.GradientTape() as tape:
        tape.watch([logits, targets])
        loss = taught_loss(tensorflow.constant(1.0), logits, targets, 0.5)
    by_logits, by_targets = tape.gradient(loss, [logits, targets])
    assert by_targets is None
    assert np.abs(by_logits).max() > 0


def test_a_taught_network_learns_from_that_loss_alone(known, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "taught_loss", lambda loss, *_: 0.0 * loss)
    config = replace(QUICK, epochs=1, taught_part=0.7, weight_decay=0.0)
    first = []
    build_once = build

    def build_and_keep(*arguments):
        network = build_once(*arguments)
        first.extend(weight.numpy() for weight in network.trainable_variables)
        return network

    monkeypatch.setattr(loop, "build", build_and_keep)
    learn(CNN, config, known, tmp_path)
    last = [
        weight.numpy()
        for weight in load_network(tmp_path / WEIGHTS).trainable_variables
    ]
    assert same(first, last)


def test_a_teacher_answers_without_dropout(known, monkeypatch):
    import tensorflow

    told = []
    loss_of = taught_loss

    def listen(loss, logits, targets, part):
        told.append(targets.numpy())
        return loss_of(loss, logits, targets, part)

    monkeypatch.setattr(loop, "taught_loss", listen)
    learner = _Learner(CNN, replace(QUICK, taught_part=0.5), known)
    rng = np.random.default_rng(0)
    features, labels = (part[:8] for part in known.draw_epoch(0, None, rng))
    learner._step(features, labels)  # the first, at a rate of 0, moves means alone
    embedded = learner.teacher.embedding(features, training=False)
    expected = tensorflow.nn.softmax(learner.teacher.head(embedded, training=False))
    np.testing.assert_allclose(told[0], expected, atol=1e-6)


@pytest.mark.slow
def test_a_teacher_teaches_every_member_what_is_no_digit(known, tmp_path):
    sounds = with_negatives(known)
    network = EnsembleConfig(2, filters=CNN.filters)
    config = replace(QUICK, epochs=2, taught_part=0.7)
    history = learn(network, config, sounds, tmp_path)
    assert np.isfinite([metrics.loss for metrics in history]).all()
    assert history[1].loss < history[0].loss


@pytest.mark.slow
def test_a_teacher_takes_part_in_a_resumed_training(known, tmp_path):
    config = replace(QUICK, epochs=2, taught_part=0.7)
    whole = learn(CNN, config, known, tmp_path / "whole")

    def stop(metrics):
        if metrics.epoch == 1:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "to_litert", lambda network: b"")
        (tmp_path / "parts").mkdir()
        train(CNN, config, known, tmp_path / "parts", on_epoch=stop)
    rest = learn(CNN, config, known, tmp_path / "parts", resume=True)
    assert measures(rest) == measures(whole)[1:]
    both = (weights(tmp_path / part / WEIGHTS) for part in ("whole", "parts"))
    assert same(*both)


def test_a_teacher_refuses_what_its_embedding_does_not_know(data, tmp_path):
    with pytest.raises(ModelError, match="expected log_mel with 32 bins"):
        learn(CNN, replace(QUICK, taught_part=0.5), data, tmp_path)


def test_batches_are_counted(data, tmp_path):
    seen = []
    learn(
        ANN,
        replace(QUICK, epochs=1, batch_size=15),
        data,
        tmp_path,
        on_batch=lambda *done: seen.append(done),
    )
    assert [done[:2] for done in seen] == [(1, 3), (2, 3), (3, 3)]
    (metrics,) = read_history(tmp_path)
    assert np.mean([loss for *_, loss in seen]) == pytest.approx(metrics.loss)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"patience": -1}, "patience is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
        ({"taught_part": 1.1}, "taught_part is 1.1"),
    ],
)
def test_a_wrong_setting_is_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**setting)


@pytest.mark.parametrize("others_part", [0.0, 0.3])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_the_least_loss_is_that_of_the_smoothed_labels_themselves(
    smoothing, others_part
):
    import keras

    n = 11 if others_part else 10
    config = TrainConfig(label_smoothing=smoothing, others_part=others_part)
    label = np.eye(n, dtype=np.float32)[:1]
    logits = np.log(label * (1 - smoothing) + smoothing / n + 1e-12)
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing
    )
    assert config.least_loss == pytest.approx(float(loss(label, logits)), abs=1e-5)


def test_data_that_contradict_themselves_are_refused(data):
    with pytest.raises(ModelError, match="expected as many digits as clips"):
        replace(data, train_digits=data.train_digits[:-1])
    with pytest.raises(ModelError, match="The validation part has 0 clips"):
        replace(data, validation=data.validation[:0], validation_digits=np.array([]))
    with pytest.raises(ModelError, match="expected 0 to 9"):
        replace(data, validation_digits=data.validation_digits + 1)
    with pytest.raises(ModelError, match="The validation features are"):
        replace(data, validation=data.validation[:, :5])


def test_a_loss_that_explodes_is_said(data, tmp_path):
    broken = replace(data.train, power=data.train.power * np.float32(np.nan))
    with pytest.raises(ModelError, match="lower learning rate"):
        learn(ANN, QUICK, replace(data, train=broken), tmp_path)


def with_negatives(data):
    """The same digits, and hums to learn what is no digit."""
    from audiomnist.features.cache import with_speech
    from audiomnist.features.extraction import extract_spoken
    from audiomnist.training.negatives import noises

    rng = np.random.default_rng(0)
    return replace(
        data,
        negatives=with_speech(spectra(noises(30, rng), data.features)),
        validation_negatives=extract_spoken(noises(10, rng), data.features)[1],
    )


@pytest.mark.slow
def test_with_negatives_it_learns_none_of_these(data, tmp_path):
    both = with_negatives(data)
    config = replace(QUICK, epochs=40, others_part=0.5)
    learn(ANN, config, both, tmp_path / "knowing")
    network = load_network(tmp_path / "knowing" / WEIGHTS)
    digits = network(data.validation, training=False)["logits"].numpy()
    hums = network(both.validation_negatives, training=False)["logits"].numpy()
    # The eleventh answer has the logit 0.
    assert np.mean(digits.max(axis=1) > 0) > 0.8
    assert np.mean(hums.max(axis=1) < 0) > 0.8


def test_without_a_part_of_negatives_they_are_left_out(data, tmp_path):
    none = replace(QUICK, others_part=0.0)
    learn(ANN, none, with_negatives(data), tmp_path / "with")
    learn(ANN, none, data, tmp_path / "without")
    assert same(
        weights(tmp_path / "with" / WEIGHTS), weights(tmp_path / "without" / WEIGHTS)
    )


def test_a_part_of_negatives_beyond_its_range_is_refused():
    with pytest.raises(ConfigError, match=r"others_part is 1\.5"):
        TrainConfig(others_part=1.5)

"""What TensorBoard shows of a training, also of one that was interrupted."""

from dataclasses import replace

import numpy as np
import pytest

from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import extract, spectra
from audiomnist.networks.ann import AnnConfig
from audiomnist.networks.files import load_network
from audiomnist.recognition.models import WEIGHTS
from audiomnist.training import loop
from audiomnist.training.config import TrainConfig
from audiomnist.training.data import TrainingData
from audiomnist.training.events import EVENTS
from audiomnist.training.history import read_history
from audiomnist.training.loop import CHECKPOINT, train

FEATURES = FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16)
NETWORK = AnnConfig(hidden=(8,), dropout=0.3)
CONFIG = TrainConfig(epochs=4, batch_size=8, learning_rate=0.01)
N_BATCHES = 3  # of 20 clips


class InterruptionError(Exception):
    pass


@pytest.fixture(scope="module")
def data():
    from conftest import speak

    audios = [speak(digit, who) for digit in range(10) for who in range(2)]
    kept = [speak(digit, 4) for digit in range(10)]
    return TrainingData(
        spectra(audios, FEATURES),
        np.repeat(np.arange(10), 2),
        extract(kept, FEATURES),
        np.arange(10),
        FEATURES,
    )


@pytest.fixture(autouse=True)
def no_conversion(monkeypatch):
    monkeypatch.setattr(loop, "to_litert", lambda network: b"")


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """The folder of a training that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "to_litert", lambda network: b"")
        learn(data, folder)
    return folder


def learn(data, folder, config=CONFIG, **more):
    train(NETWORK, config, data, folder, **{"on_epoch": lambda metrics: None, **more})


def interrupted(data, folder, **more):
    with pytest.raises(InterruptionError):
        learn(data, folder, **more)


def interrupt(*_, **__):
    raise InterruptionError


def read_events(folder):
    """Step and scalars of each event, as TensorFlow reads them."""
    import tensorflow

    path = folder / EVENTS
    assert list(path.parent.iterdir()) == [path]
    first, *events = (
        tensorflow.compat.v1.Event.FromString(record.numpy())
        for record in tensorflow.data.TFRecordDataset(str(path))
    )
    assert first.file_version == "brain.Event:2"
    times = [first.wall_time, *(event.wall_time for event in events)]
    assert times == sorted(times) and times[0] > 0
    return [
        (event.step, {value.tag: value.simple_value for value in event.summary.value})
        for event in events
    ]


def expected_events(folder):
    """The same, by the history and the rule of the learning rate."""
    n_steps, n_rising = CONFIG.epochs * N_BATCHES, round(0.1 * 12)
    events = []
    for metrics in read_history(folder):
        last = metrics.epoch * N_BATCHES - 1  # step, counted from 0
        part = (last - n_rising) / (n_steps - n_rising)
        scalars = {
            "loss": metrics.loss,
            "accuracy": metrics.accuracy,
            "val_loss": metrics.val_loss,
            "val_accuracy": metrics.val_accuracy,
            "learning_rate": CONFIG.learning_rate * (1 + np.cos(np.pi * part)) / 2,
        }
        events.append((metrics.epoch, pytest.approx(scalars, rel=1e-5)))
    return events


def check_equals(folder, whole):
    """An interrupted training shows and knows the same as one that was not."""
    assert [step for step, _ in read_events(folder)] == [1, 2, 3, 4]
    assert read_events(folder) == read_events(whole) == expected_events(whole)
    for name in (WEIGHTS, CHECKPOINT):
        weights, expected = (
            load_network(place / name).get_weights() for place in (folder, whole)
        )
        assert all(map(np.array_equal, weights, expected))


def test_each_epoch_is_shown_when_it_is_done(data, tmp_path):
    shown = []
    learn(data, tmp_path, on_epoch=lambda _: shown.append(len(read_events(tmp_path))))
    assert shown == [1, 2, 3, 4]
    assert read_events(tmp_path) == expected_events(tmp_path)


def test_an_epoch_that_is_learned_again_is_shown_once(data, whole, tmp_path):
    def interrupt_third_epoch(batch, *_):
        if batch == 2 and len(read_history(tmp_path)) == 2:
            raise InterruptionError

    interrupted(data, tmp_path, on_batch=interrupt_third_epoch)
    assert [step for step, _ in read_events(tmp_path)] == [1, 2]
    learn(data, tmp_path, resume=True)
    check_equals(tmp_path, whole)


@pytest.mark.parametrize("writer", ["write_history", "save_network", "write_events"])
def test_it_may_be_interrupted_at_any_file(writer, data, whole, tmp_path, monkeypatch):
    kept = getattr(loop, writer)
    n_calls = 0

    def break_off(*arguments):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 4:  # in the second epoch or after it
            raise InterruptionError
        return kept(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, writer, break_off)
        interrupted(data, tmp_path)
    learn(data, tmp_path, resume=True)
    check_equals(tmp_path, whole)


@pytest.mark.parametrize("n_bytes_lost", [1, 30, 200])
def test_half_an_event_is_written_anew(n_bytes_lost, data, whole, tmp_path):
    interrupted(data, tmp_path, on_epoch=interrupt)
    path = tmp_path / EVENTS
    path.write_bytes(path.read_bytes()[:-n_bytes_lost])
    learn(data, tmp_path, resume=True)
    check_equals(tmp_path, whole)


def test_a_training_without_events_shows_them_all_when_resumed(data, whole, tmp_path):
    interrupted(data, tmp_path, on_epoch=interrupt)
    (tmp_path / EVENTS).unlink()
    (tmp_path / EVENTS).parent.rmdir()
    learn(data, tmp_path, resume=True)
    check_equals(tmp_path, whole)


def test_events_of_an_earlier_training_are_not_mixed_in(data, tmp_path):
    learn(data, tmp_path)
    learn(data, tmp_path, config=replace(CONFIG, epochs=1))
    assert [step for step, _ in read_events(tmp_path)] == [1]


def test_tensorboard_reads_the_file_while_it_grows(data, tmp_path):
    events = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    reader = events.EventAccumulator(str((tmp_path / EVENTS).parent))
    interrupted(data, tmp_path, on_epoch=interrupt)
    assert [event.step for event in reader.Reload().Scalars("loss")] == [1]
    learn(data, tmp_path, resume=True)
    reader.Reload()
    for tag in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
        shown = [(event.step, event.value) for event in reader.Scalars(tag)]
        assert shown == [(step, logged[tag]) for step, logged in read_events(tmp_path)]

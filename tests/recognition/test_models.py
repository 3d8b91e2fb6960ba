"""Models on disk: found, loaded or refused, and served by LiteRT."""

import json
import shutil

import numpy as np
import pytest

from audiomnist.configs import config_to_dict
from audiomnist.errors import ModelError
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.architectures import build
from audiomnist.networks.cnn import CnnConfig
from audiomnist.networks.files import to_litert
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.litert import LiteRTNetwork
from audiomnist.recognition.models import (
    DEFAULT_MODEL,
    LITERT,
    Model,
    find_model,
    is_folder_name,
    list_models,
)
from audiomnist.recognition.record import RECORD
from audiomnist.settings import settings

FEATURES = FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16)
RECORD_CONTENT = {
    "state": "finished",
    "threshold": 0.5,
    "n_parameters": 1234,
    "config": {"features": config_to_dict(FEATURES)},
}


@pytest.fixture(scope="module")
def network():
    import keras

    keras.utils.set_random_seed(0)
    return build(CnnConfig(filters=(4, 4, 4, 4, 8)), FEATURES.shape)


@pytest.fixture(scope="module")
def litert(network):
    return to_litert(network)


@pytest.fixture
def folder(tmp_path, litert):
    return make(tmp_path / "some-model", litert)


def make(folder, litert, **changes):
    folder.mkdir(parents=True)
    (folder / LITERT).write_bytes(litert)
    (folder / RECORD).write_text(json.dumps({**RECORD_CONTENT, **changes}))
    return folder


def noise(n_clips, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_clips, *FEATURES.shape)).astype(np.float32)


@pytest.mark.parametrize("n_clips", [1, 7, 512])
def test_it_answers_as_the_network_does(folder, network, n_clips):
    model = Model.load(folder)
    features = noise(n_clips)
    expected = network(features, training=False)
    np.testing.assert_allclose(model.logits(features), expected["logits"], atol=1e-5)
    probabilities = model.probabilities(features)
    np.testing.assert_allclose(
        probabilities,
        Calibration().probabilities(expected["logits"].numpy()),
        atol=1e-5,
    )
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("shift", [-1, 16])
def test_a_second_look_beyond_the_word_is_refused(tmp_path, litert, shift):
    folder = make(tmp_path / "far", litert, n_moved=shift)
    with pytest.raises(ModelError, match=f"view_shift {shift}; expected 0 to under 16"):
        Model.load(folder)


def test_what_the_record_says_is_read(folder):
    model = Model.load(folder)
    assert model.name == "some-model"
    assert model.features == FEATURES
    assert (model.calibration.threshold, model.n_parameters) == (0.5, 1234)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[1]", "not the record of a run"),
        ('{"state": "finished"}', "does not describe a finished model"),
        ("\x00\xff", "is not JSON"),
    ],
)
def test_a_damaged_record_is_refused(folder, content, message):
    (folder / RECORD).unlink()
    if content is not None:
        (folder / RECORD).write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=message):
        Model.load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": None}, "does not describe a finished model"),
        ({"threshold": 1.5}, "expected 0 to 1"),
        ({"n_parameters": "many"}, "does not describe a finished model"),
        ({"config": {"features": {"kind": "colour"}}}, "does not describe"),
        (
            {"config": {"features": {"pitch": 3}}},
            "does not describe .*has no setting pitch",
        ),
        ({"config": {"features": {"n_mels": 20}}}, "for features of shape"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(tmp_path, litert, changes, message):
    with pytest.raises(ModelError, match=message):
        Model.load(make(tmp_path / "odd", litert, **changes))


def damaged(litert):
    rng = np.random.default_rng(0)
    yield b""
    yield b"no model"
    yield b"\x1c\x00\x00\x00TFL3"
    yield litert[:4] + b"TFL3" + rng.bytes(3000)
    yield litert[: len(litert) // 2]
    yield litert[:-1]
    yield litert[:8] + bytes(len(litert) - 8)


def test_a_damaged_network_is_refused(folder, litert):
    for content in damaged(litert):
        (folder / LITERT).write_bytes(content)
        with pytest.raises(ModelError, match=r"model\.tflite is not a"):
            Model.load(folder)
    (folder / LITERT).unlink()
    with pytest.raises(ModelError, match=r"model\.tflite cannot be read"):
        Model.load(folder)


def test_a_network_of_another_kind_is_refused(folder):
    import tensorflow

    shape = tensorflow.TensorSpec((None, 16, 16), tensorflow.float32, name="features")
    module = tensorflow.Module()
    for answer in (
        lambda features: {"sum": tensorflow.reduce_sum(features)},
        lambda features: {"logits": features[:, 0]},
    ):
        serve = tensorflow.function(answer, input_signature=[shape])
        converter = tensorflow.lite.TFLiteConverter.from_concrete_functions(
            [serve.get_concrete_function()], module
        )
        (folder / LITERT).write_bytes(converter.convert())
        with pytest.raises(ModelError, match="logits"):
            LiteRTNetwork(folder / LITERT, FEATURES.shape)


def test_shipped_models_come_first_then_runs(tmp_path, litert, monkeypatch):
    shipped = tmp_path / "shipped"
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(shipped))
    assert list_models() == ()
    with pytest.raises(ModelError, match="Train one first"):
        find_model(DEFAULT_MODEL)
    runs = settings().runs
    first = make(shipped / "ann", litert, threshold=0.25)
    for name in ("zebra", DEFAULT_MODEL):
        shutil.copytree(first, shipped / name)
    for name in ("20260101-000000-ann", "20270101-000000-cnn", "ann"):
        make(runs / name, litert)
    make(runs / "20280101-000000-cnn", litert, state="running")
    (runs / "20290101-000000-cnn").mkdir()
    (shipped / "notes.txt").write_text("no folder")
    dated = ("20270101-000000-cnn", "20260101-000000-ann")
    names = (DEFAULT_MODEL, "ann", "zebra", *dated)
    assert list_models() == names
    for name in names:
        assert find_model(name).name == name
    assert find_model("ann").calibration.threshold == 0.25


@pytest.mark.parametrize("name", ["", "..", "../ann", "/etc", "a/b", ".hidden", "a\\b"])
def test_no_name_leads_out_of_the_folders(name, tmp_path, litert, monkeypatch):
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "models"))
    make(tmp_path / "models" / "cnn", litert)
    make(tmp_path / "ann", litert)
    assert not is_folder_name(name)
    with pytest.raises(ModelError, match="Choose one of cnn"):
        find_model(name)


def test_temperature_and_the_eleventh_answer_come_from_the_record(tmp_path, litert):
    folder = make(tmp_path / "warm", litert, temperature=2.0, knows_others=True)
    model = Model.load(folder)
    features = noise(5)
    assert model.calibration == Calibration(2.0, 0.5, rejects_unknown=True)
    np.testing.assert_array_equal(
        model.probabilities(features),
        model.calibration.probabilities(model.logits(features)),
    )


def test_a_temperature_of_nothing_is_refused(tmp_path, litert):
    folder = make(tmp_path / "cold", litert, temperature=0.0)
    with pytest.raises(ModelError, match=r"temperature is 0\.0; expected above 0"):
        Model.load(folder)

"""What `run.json` says of a trained network, whichever version wrote it."""

import json

import pytest

from audiomnist.configs import config_to_dict
from audiomnist.errors import ModelError
from audiomnist.features.config import FeatureConfig
from audiomnist.recognition.calibration import COVERAGE, Calibration
from audiomnist.recognition.record import (
    FORMAT,
    RECORD,
    ModelRecord,
    read_model_record,
    read_values,
)
from audiomnist.settings import REPOSITORY

FEATURES = FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16)
CONFIG = {"features": config_to_dict(FEATURES)}


def write(folder, **values):
    (folder / RECORD).write_text(json.dumps({"config": CONFIG, **values}))
    return folder


def test_the_first_models_knew_neither_temperature_nor_unknown_words(tmp_path):
    write(tmp_path, format=1, threshold=0.5, n_parameters=9)
    features, model = read_model_record(tmp_path)
    assert features == FEATURES
    calibration = Calibration(1.0, 0.5, COVERAGE, rejects_unknown=False)
    assert model == ModelRecord(n_parameters=9, view_shift=0, calibration=calibration)


def test_format_1_tells_what_format_2_does(tmp_path):
    old = {
        "n_parameters": 9,
        "knows_others": True,
        "temperature": 2.0,
        "coverage": 0.9,
        "threshold": 0.5,
        "n_moved": 3,
        "calibration": {"run": "a", "temperature": 2.0, "threshold": 0.5, "n_clips": 7},
    }
    calibration = {
        "temperature": 2.0,
        "threshold": 0.5,
        "coverage": 0.9,
        "rejects_unknown": True,
    }
    new = {
        "model": {"n_parameters": 9, "view_shift": 3, "calibration": calibration},
        "strangers": {"run": "a", "calibration": calibration, "n_clips": 7},
    }
    before = read_values(write(tmp_path, state="finished", format=1, **old))
    assert before == read_values(write(tmp_path, state="finished", format=2, **new))


def test_a_run_of_format_1_without_a_model_has_none(tmp_path):
    write(tmp_path, format=1, state="running")
    assert "model" not in read_values(tmp_path)
    with pytest.raises(ModelError, match="does not describe a finished model"):
        read_model_record(tmp_path)


@pytest.mark.parametrize("version", [0, FORMAT + 1, "new", None])
def test_another_version_is_refused(tmp_path, version):
    write(tmp_path, format=version)
    with pytest.raises(ModelError, match=r"expected 1 to 2\. Update the app"):
        read_values(tmp_path)


@pytest.mark.parametrize("name", ["ann", "cnn", "best"])
def test_the_shipped_models_are_read_as_they_were_written(name):
    folder = REPOSITORY / "models" / name
    written = json.loads((folder / RECORD).read_text())
    _, model = read_model_record(folder)
    assert written["format"] == 1
    assert model.n_parameters == written["n_parameters"]
    assert model.view_shift == written["n_moved"]
    assert model.calibration == Calibration(
        written["temperature"],
        written["threshold"],
        written["coverage"],
        written["knows_others"],
    )

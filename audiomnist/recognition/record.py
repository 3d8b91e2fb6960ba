"""The record of a model, `run.json`: what it says of the trained network.

Owns the file's name and version, reading it whichever version wrote it, and the part
that recognition needs. What else a run writes there is for `runs.record`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiomnist.configs import config_from_dict
from audiomnist.errors import AudioMnistError, ModelError
from audiomnist.features.config import FeatureConfig
from audiomnist.recognition.calibration import COVERAGE, Calibration
from audiomnist.recognition.litert import read_file

RECORD = "run.json"

FORMAT = 2
"""The version of the file that is written; older ones are read too."""

FINISHED = "finished"
"""State of a run that has a model."""


@dataclass(frozen=True)
class ModelRecord:
    """What a trained network needs beside its weights and its features.

    Parameters
    ----------
    n_parameters
        Number of weights.
    view_shift
        Frames by which it sees a clip earlier and later, see `LiteRTNetwork`.
    calibration
        How its logits are read.
    """

    n_parameters: int
    view_shift: int
    calibration: Calibration


def read_model_record(folder: Path) -> tuple[FeatureConfig, ModelRecord]:
    """Read what a finished model sees of a recording, and its record.

    Raises
    ------
    ModelError
        If there is no record, it is damaged, or there is no model yet.
    """
    values = read_values(folder)
    try:
        features = config_from_dict(FeatureConfig, values["config"]["features"])
        model = config_from_dict(ModelRecord, values["model"])
    except (KeyError, TypeError, AudioMnistError) as error:
        raise ModelError(
            f"{folder / RECORD} does not describe a finished model "
            f"({type(error).__name__}: {error}). Train the model again."
        ) from error
    if not 0 <= model.view_shift < features.n_frames:
        raise ModelError(
            f"{folder / RECORD} has view_shift {model.view_shift}; expected 0 to under "
            f"{features.n_frames} frames."
        )
    return features, model


def read_values(folder: Path) -> dict[str, Any]:
    """Read a folder's `run.json` as plain values, as this version writes them.

    Raises
    ------
    ModelError
        If there is none, it is damaged, or a newer version wrote it.
    """
    path = folder / RECORD
    try:
        values = json.loads(read_file(path))
    except ValueError as error:
        raise ModelError(
            f"{path} is not JSON ({error}). Train the model again."
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"{path} is not the record of a run. Train the model again.")
    version = values.pop("format", 1)
    if version == 1:
        return _from_format_1(values)
    if version != FORMAT:
        raise ModelError(
            f"{path} has format {version!r}; expected 1 to {FORMAT}. Update the app, "
            "or train the model again."
        )
    return values


def _from_format_1(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a record whose entries of the model stood among the run's."""
    values = dict(values)
    strangers = values.pop("calibration", None)
    calibration = {
        # At first there was no temperature, and no network rejected other words.
        "temperature": values.pop("temperature", 1.0),
        "coverage": values.pop("coverage", COVERAGE),
        "rejects_unknown": values.pop("knows_others", False),
    }
    # At first each network saw a clip once.
    model: dict[str, Any] = {"view_shift": values.pop("n_moved", 0)}
    if "n_parameters" in values:
        model["n_parameters"] = values.pop("n_parameters")
    if "threshold" in values:  # written last, when there is a model
        threshold = values.pop("threshold")
        model["calibration"] = {**calibration, "threshold": threshold}
        values["model"] = model
    if isinstance(strangers, dict):
        fitted = {
            name: strangers.pop(name)
            for name in ("temperature", "threshold")
            if name in strangers
        }
        values["strangers"] = {**strangers, "calibration": {**calibration, **fitted}}
    return values

"""Trained models on disk: what is shipped, and what runs have made.

Owns finding and loading them, and the way from features to probabilities. Neither
TensorFlow nor Keras is involved. What a model's record says is for `record`, how a run
fills such a folder for `runs`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiomnist.errors import ModelError
from audiomnist.features.config import FeatureConfig
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.litert import LiteRTNetwork
from audiomnist.recognition.record import (
    FINISHED,
    read_model_record,
    read_values,
)
from audiomnist.settings import settings

WEIGHTS = "model.keras"

LITERT = "model.tflite"

DEFAULT_MODEL = "best"

_LOOKS = 3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with everything that it needs to recognize digits.

    Parameters
    ----------
    name
        By which `find_model` finds it: a shipped model's, or a run's id.
    folder
        Where its files are.
    features
        What it sees of a recording.
    calibration
        How its logits become probabilities, and from which one on it answers.
    n_parameters
        Number of weights.
    network
        The network itself.
    """

    name: str
    folder: Path
    features: FeatureConfig
    calibration: Calibration
    n_parameters: int
    network: LiteRTNetwork

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Read a model's folder.

        Raises
        ------
        ModelError
            If there is no model in it, or a file is damaged or does not fit.
        """
        features, record = read_model_record(folder)
        for _ in range(_LOOKS):
            network = LiteRTNetwork(
                folder / LITERT,
                features.shape,
                record.view_shift,
                rejects_unknown=record.calibration.rejects_unknown,
            )
            before = features, record
            features, record = read_model_record(folder)
            if before == (features, record):
                break  # else the model was replaced meanwhile
        return cls(
            folder.name,
            folder,
            features,
            record.calibration,
            record.n_parameters,
            network,
        )

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Compute the logits of each digit.

        Parameters
        ----------
        features
            float32, shape (n_clips, n_bins, n_frames), made with `self.features`.

        Returns
        -------
        np.ndarray
            float32, shape (n_clips, 10).

        Raises
        ------
        ModelError
            If the features have another shape.
        """
        return self.network.logits(features)

    def outcomes(self, features: np.ndarray) -> np.ndarray:
        """Compute the probabilities of the digits and of "none of these".

        As in `Calibration.outcomes`: (n_clips, 11), rows sum to 1.

        Raises
        ------
        ModelError
            If the features have another shape.
        """
        return self.calibration.outcomes(self.logits(features))

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Compute the probability of each digit: (n_clips, 10), rows sum to 1.

        Raises
        ------
        ModelError
            If the features have another shape.
        """
        return self.calibration.probabilities(self.logits(features))


def list_models() -> tuple[str, ...]:
    """Names of the models that can be loaded: shipped ones first, then runs.

    The default model leads, the others that are shipped follow by name, and runs
    by their date, the newest first.
    """
    shipped = sorted(
        _finished(settings().models), key=lambda n: (n != DEFAULT_MODEL, n)
    )
    trained = sorted(_finished(settings().runs), reverse=True)
    return tuple(dict.fromkeys([*shipped, *trained]))


def find_model(name: str) -> Model:
    """Load the model of this name, shipped or made by a run.

    Raises
    ------
    ModelError
        If there is none of this name, or it is damaged.
    """
    names = list_models()
    if name not in names:
        known = f"Choose one of {', '.join(names)}." if names else "Train one first."
        raise ModelError(f"There is no model {name!r}. {known}")
    here = settings()
    shipped = here.models / name
    return Model.load(shipped if _is_finished(shipped) else here.runs / name)


def is_folder_name(name: str) -> bool:
    """Whether a name is that of a folder and leads nowhere else."""
    return _NAME.fullmatch(name) is not None


def _finished(root: Path) -> list[str]:
    """Folders below `root` that hold a finished model."""
    if not root.is_dir():
        return []
    return [
        folder.name
        for folder in root.iterdir()
        if is_folder_name(folder.name) and _is_finished(folder)  # none half-written
    ]


def _is_finished(folder: Path) -> bool:
    """Whether a folder says that it holds a finished model."""
    if not is_folder_name(folder.name) or not (folder / LITERT).is_file():
        return False
    try:
        return read_values(folder).get("state") == FINISHED
    except ModelError:
        return False

"""Trained models on disk: what is shipped, what runs have made, served by LiteRT.

Owns a model's folder as it is read (`run.json` and `model.tflite`) and the way
from features to probabilities. Neither TensorFlow nor Keras is involved. How a
run fills such a folder is for `runs`, the next step.
"""

import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiomnist.calibration import probabilities_of
from audiomnist.configs import config_from_dict
from audiomnist.errors import AudioError, ModelError
from audiomnist.features import FeatureConfig
from audiomnist.networks import N_DIGITS
from audiomnist.settings import settings
from audiomnist.training import LITERT

RECORD = "run.json"
FINISHED = "finished"
DEFAULT_MODEL = "best"
_CLIPS_AT_ONCE = 256
_SURE = 2.0
"""Lead of the first answer over the second, in logits before the temperature, from
which one look is enough; chosen in docs/recognition.md, "Looking again"."""

_FILE_IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every LiteRT file
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class LiteRTNetwork:
    """A network in a LiteRT file, for any number of clips and of threads.

    Parameters
    ----------
    path
        The file, with the input "features" and the outputs "logits" and
        "embedding".
    input_shape
        Shape of one clip's features: (n_bins, n_frames).
    n_moved
        Frames by which it looks at a clip earlier, and, where it is not sure then, a
        second time later; 0 looks once, at the clip as it is.
    knows_others
        Whether it may also answer "none of these", whose logit is 0.

    Raises
    ------
    ModelError
        If there is no such file, it is damaged, or its shapes are others.
    """

    def __init__(
        self,
        path: Path,
        input_shape: tuple[int, int],
        n_moved: int = 0,
        *,
        knows_others: bool = False,
    ) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.input_shape, self.n_moved = input_shape, n_moved
        self.knows_others = knows_others
        self._lock = threading.Lock()
        content = _read(path)
        if content[4:8] != _FILE_IDENTIFIER:
            raise ModelError(
                f"{path} is not a LiteRT model: it does not say "
                f"{_FILE_IDENTIFIER.decode()} at its beginning. Train the model again."
            )
        try:
            # The interpreter does not copy what it is made from.
            self._content = content
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._input, self._outputs = self._tensors()
            self._n_clips = 0
            answer = self._invoke(np.zeros((1, *input_shape), np.float32))
        except (ValueError, RuntimeError, KeyError, IndexError) as error:
            raise ModelError(
                f"{path} is not a model of spoken digits for features of shape "
                f"{input_shape} ({' '.join(str(error).split())}). "
                "Train the model again."
            ) from error
        if answer["logits"].shape != (1, N_DIGITS) or answer["embedding"].ndim != 2:
            raise ModelError(
                f"{path} answers with logits of shape {answer['logits'].shape}; "
                f"expected (1, {N_DIGITS}). Train the model again."
            )
        self.embedding_size = answer["embedding"].shape[1]

    def hear(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the outputs for features of shape (n_clips, n_bins, n_frames).

        Returns
        -------
        dict[str, np.ndarray]
            "logits", float32, shape (n_clips, 10), and "embedding", float32,
            shape (n_clips, embedding_size): those of the first look, or the mean of
            two where that was not sure.

        Raises
        ------
        ModelError
            If the features have another shape.
        """
        if features.ndim != 3 or features.shape[1:] != self.input_shape:
            raise ModelError(
                f"The features have shape {features.shape}; this model expects "
                f"(n_clips, {self.input_shape[0]}, {self.input_shape[1]}). Compute "
                "them with the model's own feature settings."
            )
        features = np.asarray(features, dtype=np.float32)
        answers = self._look(_moved(features, -self.n_moved))
        if self.n_moved:
            lead = _lead(answers["logits"], knows_others=self.knows_others)
            unsure = np.flatnonzero(lead < _SURE)
            again = self._look(_moved(features[unsure], self.n_moved))
            for name, seen in answers.items():
                seen[unsure] = (seen[unsure] + again[name]) / 2
        return answers

    def _look(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs for one look at each clip."""
        features = np.ascontiguousarray(features)
        with self._lock:
            parts = [
                self._invoke(features[first : first + _CLIPS_AT_ONCE])
                for first in range(0, len(features), _CLIPS_AT_ONCE)
            ]
        if not parts:
            sizes = {"logits": N_DIGITS, "embedding": self.embedding_size}
            return {name: np.zeros((0, n), np.float32) for name, n in sizes.items()}
        return {
            name: np.concatenate([part[name] for part in parts])
            for name in self._outputs
        }

    def _tensors(self) -> tuple[int, dict[str, int]]:
        """Indices of the input and of each output; resizing allows no open runner."""
        signature = self._interpreter.get_signature_runner()
        details = signature.get_output_details()
        outputs = {
            name: int(details[name]["index"]) for name in ("logits", "embedding")
        }
        return int(signature.get_input_details()["features"]["index"]), outputs

    def _invoke(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """One pass through the interpreter, which only one thread may be in."""
        if len(features) != self._n_clips:
            self._interpreter.resize_tensor_input(self._input, features.shape)
            self._interpreter.allocate_tensors()
            self._n_clips = len(features)
        self._interpreter.set_tensor(self._input, features)
        self._interpreter.invoke()
        return {
            name: self._interpreter.get_tensor(index)
            for name, index in self._outputs.items()
        }


def _moved(features: np.ndarray, n: int) -> np.ndarray:
    """Features seen n frames later, or earlier where n is below 0.

    The outermost frame fills the gap.
    """
    if n == 0:
        return features
    n_frames = features.shape[2]
    return features[:, :, np.clip(np.arange(n_frames) + n, 0, n_frames - 1)]


def _lead(logits: np.ndarray, *, knows_others: bool) -> np.ndarray:
    """By how much the first answer leads over the second: (n_clips,)."""
    if knows_others:  # "none of these" has the logit 0
        nothing = np.zeros((len(logits), 1), logits.dtype)
        logits = np.concatenate([logits, nothing], axis=1)
    ranked = np.sort(logits, axis=1)
    return ranked[:, -1] - ranked[:, -2]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with everything that is needed to hear with it.

    Parameters
    ----------
    name
        By which `find_model` finds it: a shipped model's, or a run's id.
    folder
        Where its files are.
    record
        What `run.json` says of its training.
    features
        What it sees of a recording.
    threshold
        Lowest probability of the likeliest digit with which it should answer.
    temperature
        What the logits are divided by, so that a probability of 0.9 is right nine
        times in ten.
    knows_others
        Whether it has learned what is no digit, see `probabilities_of`.
    n_parameters
        Number of weights.
    network
        The network itself.
    """

    name: str
    folder: Path
    record: dict[str, Any]
    features: FeatureConfig
    threshold: float
    temperature: float
    knows_others: bool
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
        record = read_record(folder)
        try:
            features = config_from_dict(FeatureConfig, record["config"]["features"])
            threshold = float(record["threshold"])
            # Models of the first version have neither.
            temperature = float(record.get("temperature", 1.0))
            knows_others = bool(record.get("knows_others", False))
            n_parameters = int(record["n_parameters"])
            n_moved = int(record.get("n_moved", 0))
        except (KeyError, TypeError, ValueError, AudioError) as error:
            raise ModelError(
                f"{folder / RECORD} does not describe a finished model "
                f"({type(error).__name__}: {error}). Train the model again."
            ) from error
        if not 0 <= threshold <= 1:
            raise ModelError(
                f"{folder / RECORD} has the threshold {threshold}; expected 0 to 1."
            )
        if not 0 <= n_moved < features.n_frames:
            raise ModelError(
                f"{folder / RECORD} has n_moved {n_moved}; expected 0 to under "
                f"{features.n_frames} frames."
            )
        if not temperature > 0:
            raise ModelError(
                f"{folder / RECORD} has the temperature {temperature}; expected above "
                "0."
            )
        network = LiteRTNetwork(
            folder / LITERT, features.shape, n_moved, knows_others=knows_others
        )
        return cls(
            folder.name,
            folder,
            record,
            features,
            threshold,
            temperature,
            knows_others,
            n_parameters,
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
        return self.network.hear(features)["logits"]

    def embeddings(self, features: np.ndarray) -> np.ndarray:
        """Compute the values before the last layer: (n_clips, embedding_size).

        Raises
        ------
        ModelError
            If the features have another shape.
        """
        return self.network.hear(features)["embedding"]

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Compute the probability of each digit: (n_clips, 10), rows sum to 1.

        Raises
        ------
        ModelError
            If the features have another shape.
        """
        return probabilities_of(
            self.logits(features), self.temperature, knows_others=self.knows_others
        )


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


def read_record(folder: Path) -> dict[str, Any]:
    """Read a folder's `run.json`.

    Raises
    ------
    ModelError
        If there is none or it is damaged.
    """
    path = folder / RECORD
    try:
        record = json.loads(_read(path))
    except ValueError as error:
        raise ModelError(
            f"{path} is not JSON ({error}). Train the model again."
        ) from error
    if not isinstance(record, dict):
        raise ModelError(f"{path} is not the record of a run. Train the model again.")
    return record


def _finished(root: Path) -> list[str]:
    """Folders below `root` that hold a finished model."""
    if not root.is_dir():
        return []
    return [folder.name for folder in root.iterdir() if _is_finished(folder)]


def _is_finished(folder: Path) -> bool:
    """Whether a folder says that it holds a finished model."""
    if not is_folder_name(folder.name) or not (folder / LITERT).is_file():
        return False
    try:
        return read_record(folder).get("state") == FINISHED
    except ModelError:
        return False


def _read(path: Path) -> bytes:
    """A file's content."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}). Choose another model, or "
            "train it again."
        ) from error

"""A network as LiteRT serves it, for any number of clips and of threads.

Owns reading the file `model.tflite`, and how many views of a clip it is given. Neither
TensorFlow nor Keras is involved. What belongs to a model beside its network is for
`models`.
"""

import threading
from pathlib import Path

import numpy as np

from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError
from audiomnist.recognition.calibration import with_unknown

_CLIPS_AT_ONCE = 256
_SURE = 2.0
"""Lead of the first answer over the second, in logits before the temperature, from
which one view is enough; chosen in docs/lab-notebook.md, "Looking again"."""

_QUICKER = 1.25
"""Tempo of the clip in the last view, relative to its own."""

_FILE_IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every LiteRT file


class LiteRTNetwork:
    """A network in a LiteRT file, for any number of clips and of threads.

    Parameters
    ----------
    path
        The file, with the input "features" and the output "logits"; others, such as
        "embedding", are not read.
    input_shape
        Shape of one clip's features: (n_bins, n_frames).
    view_shift
        Frames by which the first view of a clip is shifted. Where the network is not
        sure of it, two more follow: one shifted the other way, and that one quicker. 0
        takes one view, the clip as it is.
    rejects_unknown
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
        view_shift: int = 0,
        *,
        rejects_unknown: bool = False,
    ) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.input_shape, self.view_shift = input_shape, view_shift
        self.rejects_unknown = rejects_unknown
        self._lock = threading.Lock()
        content = read_file(path)
        if content[4:8] != _FILE_IDENTIFIER:
            raise ModelError(
                f"{path} is not a LiteRT model: it does not say "
                f"{_FILE_IDENTIFIER.decode()} at its beginning. Train the model again."
            )
        try:
            # The interpreter does not copy what it is made from.
            self._content = content
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._input, self._output = self._tensors()
            self._n_clips = 0
            logits = self._invoke(np.zeros((1, *input_shape), np.float32))
        except (ValueError, RuntimeError, KeyError, IndexError) as error:
            raise ModelError(
                f"{path} is not a model of spoken digits for features of shape "
                f"{input_shape} ({' '.join(str(error).split())}). "
                "Train the model again."
            ) from error
        if logits.shape != (1, N_DIGITS):
            raise ModelError(
                f"{path} answers with logits of shape {logits.shape}; expected "
                f"(1, {N_DIGITS}). Train the model again."
            )

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Compute the logits of each digit.

        Parameters
        ----------
        features
            float32, shape (n_clips, n_bins, n_frames).

        Returns
        -------
        np.ndarray
            float32, shape (n_clips, 10): those of the first view, or the mean of three
            where that was not sure.

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
        logits = self._logits_of(_moved(features, -self.view_shift))
        if self.view_shift:
            lead = _lead(logits, rejects_unknown=self.rejects_unknown)
            unsure = np.flatnonzero(lead < _SURE)
            later = _moved(features[unsure], self.view_shift)
            quicker = _moved(_quicker(features[unsure]), self.view_shift)
            views = (logits[unsure], self._logits_of(later), self._logits_of(quicker))
            logits[unsure] = np.mean(views, axis=0)
        return logits

    def _logits_of(self, features: np.ndarray) -> np.ndarray:
        """The logits of one view of each clip: (n_clips, 10)."""
        features = np.ascontiguousarray(features)
        with self._lock:
            parts = [
                self._invoke(features[first : first + _CLIPS_AT_ONCE])
                for first in range(0, len(features), _CLIPS_AT_ONCE)
            ]
        return np.concatenate([np.zeros((0, N_DIGITS), np.float32), *parts])

    def _tensors(self) -> tuple[int, int]:
        """Indices of the features and of the logits; resizing allows no open runner."""
        signature = self._interpreter.get_signature_runner()
        features = signature.get_input_details()["features"]
        logits = signature.get_output_details()["logits"]
        return int(features["index"]), int(logits["index"])

    def _invoke(self, features: np.ndarray) -> np.ndarray:
        """One pass through the interpreter, which only one thread may be in."""
        if len(features) != self._n_clips:
            self._interpreter.resize_tensor_input(self._input, features.shape)
            self._interpreter.allocate_tensors()
            self._n_clips = len(features)
        self._interpreter.set_tensor(self._input, features)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)


def _moved(features: np.ndarray, n: int) -> np.ndarray:
    """Features seen n frames later, or earlier where n is below 0.

    The outermost frame fills the gap.
    """
    if n == 0:
        return features
    moved, n_frames = np.empty_like(features), features.shape[2]
    if n > 0:
        moved[:, :, : n_frames - n] = features[:, :, n:]
        moved[:, :, n_frames - n :] = features[:, :, -1:]
    else:
        moved[:, :, -n:] = features[:, :, :n]
        moved[:, :, :-n] = features[:, :, :1]
    return moved


def _quicker(features: np.ndarray) -> np.ndarray:
    """Features as if the clip were said quicker, in the middle of its frames.

    The outermost frames fill the gaps.
    """
    n_frames = features.shape[2]
    middle = (n_frames - 1) / 2
    frames = middle + (np.arange(n_frames) - middle) * _QUICKER
    frames = np.minimum(np.maximum(frames, 0), n_frames - 1)
    below = frames.astype(np.int64)
    above = np.minimum(below + 1, n_frames - 1)
    part = (frames - below).astype(np.float32)
    return features[:, :, below] * (1 - part) + features[:, :, above] * part


def _lead(logits: np.ndarray, *, rejects_unknown: bool) -> np.ndarray:
    """By how much the first answer leads over the second: (n_clips,)."""
    ranked = np.sort(with_unknown(logits) if rejects_unknown else logits, axis=1)
    return ranked[:, -1] - ranked[:, -2]


def read_file(path: Path) -> bytes:
    """A file's content.

    Raises
    ------
    ModelError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}). Choose another model, or "
            "train it again."
        ) from error

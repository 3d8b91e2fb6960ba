"""Evaluations on disk: `evaluation.json` in a model's folder.

Owns writing and reading that file, which names clips and corpora and holds no path.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from audiomnist.corpora import library
from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError
from audiomnist.evaluation.metrics import (
    Evaluation,
    identity,
)
from audiomnist.storage import write_atomically

FILE_NAME = "evaluation.json"

_FORMAT = 1

_N_DIGITS_WRITTEN, _N_DIGITS_EXACT = 4, 9  # 9 tell any two float32 apart

_NOT_HERE = Path("recording not on this machine")


def save_evaluation(evaluation: Evaluation, folder: Path) -> Path:
    """Write `evaluation.json` into a folder, whole or not at all.

    The file names clips and corpora and holds no path, so that it means the same
    on another machine. Probabilities have four digits, or as many as it takes for
    the likeliest one to stay so.

    Raises
    ------
    ModelError
        If it cannot be written.
    """
    rows = map(_clip_to_json, evaluation.clips, evaluation.probabilities)
    head = _compact({"format": _FORMAT, "corpora": list(evaluation.corpora)})
    text = f'{head[:-1]},"clips":[\n' + ",\n".join(rows) + "\n]"
    if len(evaluation.other_words):
        names: Sequence[str | None] = evaluation.other_word_names
        names = names or [None] * len(evaluation.other_words)
        rows = map(_other_to_json, names, evaluation.other_words)
        text += ',"others":[\n' + ",\n".join(rows) + "\n]"
    text += "}\n"
    path = folder / FILE_NAME
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise ModelError(
            f"The evaluation cannot be written to {path} ({error.strerror}). "
            "Make room there or choose another folder, and evaluate again."
        ) from error
    return path


def load_evaluation(folder: Path) -> Evaluation:
    """Read a model's `evaluation.json`.

    The recordings are looked up in those of its corpora that are on this machine; the
    path of any other clip does not exist.

    Raises
    ------
    ModelError
        If there is none, or it is not an evaluation.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']!r} and not {_FORMAT}")
        names = tuple(str(name) for name in content["corpora"])
        clips = tuple(_clip_from_json(row) for row in content["clips"])
        probabilities = _rows_from_json(content["clips"])
        others = content.get("others", [])
        other_probabilities = _rows_from_json(others)
        other_word_names = tuple(
            str(row["name"]) for row in others if row["name"] is not None
        )
        is_complete = all("corpus" in row for row in content["clips"])
    except OSError as error:
        raise ModelError(
            f"{folder.name} has no evaluation that can be read ({error.strerror}). "
            "Evaluate the model first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is not an evaluation ({error}). Evaluate the model again."
        ) from error
    present = set(library.available()).intersection(names)
    here = [library.load_corpus(name) for name in sorted(present)]
    if not is_complete:
        clips = _with_corpora(clips, here, names)
    evaluation = Evaluation(
        clips, probabilities, names, other_probabilities, other_word_names
    )
    return evaluation.with_recordings(here)


def file_name(clip: Clip) -> str:
    """A recording's name without any folder."""
    return PurePosixPath(clip.name).name


def _clip_to_json(clip: Clip, probabilities: np.ndarray) -> str:
    """One line of the file."""
    identity = {
        "name": file_name(clip),
        "digit": clip.digit,
        "speaker": clip.speaker,
        "take": clip.take,
        "corpus": clip.corpus,
    }
    return _line(identity, probabilities)


def _other_to_json(name: str | None, probabilities: np.ndarray) -> str:
    """One line of a recording of another word."""
    return _line({"name": name}, probabilities)


def _line(identity: dict[str, Any], probabilities: np.ndarray) -> str:
    """A recording with its probabilities, rounded."""
    if np.isnan(probabilities).any():
        return _compact(identity | {"probabilities": None})
    row = _rounded(probabilities, _N_DIGITS_WRITTEN)
    likeliest = int(np.argmax(probabilities))
    # Whether it is answered hangs on this one.
    row[likeliest] = _rounded(probabilities, _N_DIGITS_EXACT)[likeliest]
    if np.argmax(row) != likeliest:
        row = _rounded(probabilities, _N_DIGITS_EXACT)
    return _compact(identity | {"probabilities": row})


def _rounded(values: np.ndarray, n_digits: int) -> list[float]:
    """Values with so many digits that mean something."""
    return [float(f"{value:.{n_digits}g}") for value in values]


def _compact(content: dict[str, Any]) -> str:
    """JSON without a space between its parts."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _rows_from_json(rows: list[dict[str, Any]]) -> np.ndarray:
    """The probabilities in lines of the file, float32, shape (n, 10)."""
    return np.array(
        [row["probabilities"] or [math.nan] * N_DIGITS for row in rows],
        dtype=np.float32,
    ).reshape(-1, N_DIGITS)


def _with_corpora(
    clips: tuple[Clip, ...], here: Sequence[Corpus], names: Sequence[str]
) -> tuple[Clip, ...]:
    """Name the corpus of clips from a file that named only those of all together."""
    of = {identity(clip)[1:]: clip.corpus for corpus in here for clip in corpus.clips}
    # What is in none of the corpora that are here is from the one that is not.
    missing = set(names).difference(corpus.name for corpus in here)
    rest = missing.pop() if len(missing) == 1 else ""
    return tuple(
        replace(clip, corpus=clip.corpus or of.get(identity(clip)[1:], rest))
        for clip in clips
    )


def _clip_from_json(row: dict[str, Any]) -> Clip:
    """The clip of one line, with a path that no recording has."""
    digit, take = int(row["digit"]), int(row["take"])
    if not 0 <= digit < N_DIGITS:
        raise ValueError(f"digit {digit}")
    # The last part alone: a name must not point anywhere else.
    name = PurePosixPath(str(row["name"])).name
    corpus = str(row.get("corpus", ""))
    return Clip(digit, str(row["speaker"]), take, _NOT_HERE / name, corpus=corpus)

"""How well a model hears: its answers to clips that it has not learned from.

Owns the evaluation of a trained model, the file of it in the model's folder, and the
comparison of two models. What follows from the answers is in `metrics`, whose names can
be had from here too. Which clips are held out is the split's business, how a result
looks that of `plots`; the recognizer comes next and hears what nobody has labelled.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from audiomnist import corpora
from audiomnist.corpora import Clip
from audiomnist.errors import CorpusError, ModelError
from audiomnist.feature_cache import clip_features
from audiomnist.history import write_atomically
from audiomnist.metrics import NO_ANSWER, Evaluation, Mistake, identity
from audiomnist.models import Model
from audiomnist.networks import N_DIGITS
from audiomnist.run_folders import Run
from audiomnist.significance import McNemar, Rate, exact_mcnemar

__all__ = [
    "FILE_NAME",
    "NO_ANSWER",
    "Evaluation",
    "McNemar",
    "Mistake",
    "Rate",
    "evaluate",
    "evaluate_run",
    "load",
    "mcnemar",
    "save",
]

FILE_NAME = "evaluation.json"
_FORMAT = 1
_BATCH_SIZE = 1024
_NOT_HERE = Path("recording not on this machine")


def save(evaluation: Evaluation, folder: Path) -> Path:
    """Write `evaluation.json` into a folder, whole or not at all.

    The file names clips and corpora and holds no path, so that it means the same
    on another machine. Probabilities are written so that they are read back
    exactly.

    Raises
    ------
    ModelError
        If it cannot be written.
    """
    rows = map(_clip_to_json, evaluation.clips, evaluation.probabilities)
    head = json.dumps({"format": _FORMAT, "corpora": list(evaluation.corpora)})
    text = f'{head[:-1]}, "clips": [\n' + ",\n".join(rows) + "\n]}\n"
    path = folder / FILE_NAME
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise ModelError(
            f"The evaluation cannot be written to {path} ({error.strerror}). "
            "Make room there or choose another folder, and evaluate again."
        ) from error
    return path


def load(folder: Path) -> Evaluation:
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
        probabilities = np.array(
            [row["probabilities"] or [math.nan] * N_DIGITS for row in content["clips"]],
            dtype=np.float32,
        ).reshape(-1, N_DIGITS)
    except OSError as error:
        raise ModelError(
            f"{folder.name} has no evaluation that can be read ({error.strerror}). "
            "Evaluate the model first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is not an evaluation ({error}). Evaluate the model again."
        ) from error
    present = set(corpora.available()).intersection(names)
    return Evaluation(clips, probabilities, names).with_recordings(
        corpora.load_corpus(name) for name in sorted(present)
    )


def evaluate(
    model: Model,
    clips: Sequence[Clip],
    *,
    corpora: Sequence[str] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Let a model hear labelled clips.

    Parameters
    ----------
    model
        A trained model; its own feature configuration is used.
    clips
        Clips that it was not trained on, if the result is to mean something.
    corpora
        Names of the corpora that they are from.
    on_progress
        Called with the number of clips done and their total.

    Raises
    ------
    CorpusError
        If there is no clip to evaluate on.
    AudioError
        If a recording cannot be read.
    """
    if not clips:
        raise CorpusError("There is no clip to evaluate on. Choose a larger part.")
    found = clip_features(clips, model.features, on_progress=on_progress)
    rows = [
        model.probabilities(found.values[first : first + _BATCH_SIZE])
        for first in range(0, len(found.values), _BATCH_SIZE)
    ]
    row_of = {clip: i for i, clip in enumerate(found.clips)}
    probabilities = np.full((len(clips), N_DIGITS), np.nan, dtype=np.float32)
    if rows:
        answers = np.concatenate(rows)
        for i, clip in enumerate(clips):
            if clip in row_of:
                probabilities[i] = answers[row_of[clip]]
    return Evaluation(tuple(clips), probabilities, tuple(corpora))


def evaluate_run(run: Run) -> None:
    """Let a run's model hear the test part of its split, and save the answers.

    Raises
    ------
    CorpusError
        If a corpus of the run is not here.
    AudioError
        If a recording cannot be read.
    ModelError
        If the run has no model yet or its folder cannot be written.
    """
    config = run.config
    # A corpus that is a folder has no name that another machine knows.
    names = [name for name in config.corpora if name in corpora.available()]
    result = evaluate(Model.load(run.folder), config.split().test, corpora=names)
    save(result, run.folder)


def mcnemar(a: Evaluation, b: Evaluation) -> McNemar:
    """Compare two models on the clips that both evaluations hold.

    Clips are the same when digit, speaker, take and file name are, wherever the
    recordings lie; `n` says how many they have in common.

    Raises
    ------
    ModelError
        If the evaluations share no clip.
    """
    correct_a, correct_b = _correct_by_clip(a), _correct_by_clip(b)
    common = correct_a.keys() & correct_b.keys()
    if not common:
        raise ModelError(
            f"The two evaluations share no clip ({len(a.clips)} and {len(b.clips)} "
            "clips). Evaluate both models on the same corpus and compare again."
        )
    return exact_mcnemar(
        [correct_a[key] for key in sorted(common)],
        [correct_b[key] for key in sorted(common)],
    )


def _correct_by_clip(evaluation: Evaluation) -> dict[tuple[int, str, int, str], bool]:
    """Whether each clip was understood, by its identity."""
    keys = (identity(clip) for clip in evaluation.clips)
    return dict(zip(keys, evaluation.is_correct.tolist(), strict=True))


def _clip_to_json(clip: Clip, probabilities: np.ndarray) -> str:
    """One line of the file; float32 in the fewest digits that give it back."""
    identity = {
        "name": PurePosixPath(clip.name).name,
        "digit": clip.digit,
        "speaker": clip.speaker,
        "take": clip.take,
    }
    head = json.dumps(identity, ensure_ascii=False)
    if np.isnan(probabilities).any():
        return f'{head[:-1]}, "probabilities": null}}'
    row = ", ".join(str(p) for p in probabilities.astype(np.float32))
    return f'{head[:-1]}, "probabilities": [{row}]}}'


def _clip_from_json(row: dict[str, Any]) -> Clip:
    """The clip of one line, with a path that no recording has."""
    digit, take = int(row["digit"]), int(row["take"])
    if not 0 <= digit < N_DIGITS:
        raise ValueError(f"digit {digit}")
    # The last part alone: a name must not point anywhere else.
    name = PurePosixPath(str(row["name"])).name
    return Clip(digit, str(row["speaker"]), take, _NOT_HERE / name)

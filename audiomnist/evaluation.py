"""How well a model hears: its answers to clips that it has not learned from.

Owns the evaluation of a trained model, the file of it in the model's folder, and the
comparison of two models. What follows from the answers is in `metrics`, whose names can
be had from here too, and in `rejection`. Which clips are held out is the split's
business, how a result looks that of `plots`; the recognizer comes next and hears what
nobody has labelled.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from audiomnist.corpora import library
from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.digits import N_DIGITS
from audiomnist.errors import CorpusError, ModelError
from audiomnist.features.cache import clip_features
from audiomnist.metrics import NO_ANSWER, Evaluation, Identity, Mistake, identity
from audiomnist.models import Model
from audiomnist.run_folders import Run
from audiomnist.significance import McNemar, Rate, exact_mcnemar
from audiomnist.storage import write_atomically

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
_N_DIGITS_WRITTEN, _N_DIGITS_EXACT = 4, 9  # 9 tell any two float32 apart
_BATCH_SIZE = 1024
_NOT_HERE = Path("recording not on this machine")


def save(evaluation: Evaluation, folder: Path) -> Path:
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
    if len(evaluation.others):
        names: Sequence[str | None] = evaluation.other_names
        names = names or [None] * len(evaluation.others)
        rows = map(_other_to_json, names, evaluation.others)
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
        probabilities = _rows_from_json(content["clips"])
        others = content.get("others", [])
        other_probabilities = _rows_from_json(others)
        other_names = tuple(
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
    found = Evaluation(clips, probabilities, names, other_probabilities, other_names)
    return found.with_recordings(here)


def evaluate(
    model: Model,
    clips: Sequence[Clip],
    *,
    corpora: Sequence[str] = (),
    others: Sequence[Clip] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Let a model hear labelled clips, and sounds that it should not answer to.

    Parameters
    ----------
    model
        A trained model; its own feature configuration is used.
    clips
        Clips that it was not trained on, if the result is to mean something.
    corpora
        Names of the corpora that they are from.
    others
        Recordings that are no digits: other words, noises. What their digit says is
        not looked at.
    on_progress
        Called with the number of recordings done and their total.

    Raises
    ------
    CorpusError
        If there is no clip to evaluate on.
    AudioError
        If a recording cannot be read.
    """
    if not clips:
        raise CorpusError("There is no clip to evaluate on. Choose a larger part.")
    total = len(clips) + len(others)

    def report(n_before: int, n_done: int) -> None:
        if on_progress is not None:
            on_progress(n_before + n_done, total)

    # In two passes: what is heard beside the digits must not change their batches.
    return Evaluation(
        tuple(clips),
        _hear(model, clips, lambda done, _: report(0, done)),
        tuple(corpora),
        _hear(model, others, lambda done, _: report(len(clips), done)),
        tuple(_file_name(clip) for clip in others),
    )


def evaluate_run(run: Run) -> None:
    """Let a run's model hear the test part of its split, and save the answers.

    A model that knows what is no digit hears the test part of the other words too.

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
    names = [name for name in config.corpora if name in library.available()]
    model, split = Model.load(run.folder), config.split()
    others = config.split_others(split)["test"] if model.knows_others else ()
    save(evaluate(model, split.test, corpora=names, others=others), run.folder)


def mcnemar(a: Evaluation, b: Evaluation) -> McNemar:
    """Compare two models on the same clips, in whatever order.

    Clips are the same when corpus, digit, speaker, take and file name are, wherever
    the recordings lie.

    Raises
    ------
    ModelError
        If the evaluations are of different clips.
    """
    clips_a, correct_a = _correct_in_order(a)
    clips_b, correct_b = _correct_in_order(b)
    if clips_a != clips_b:
        n_common = len(set(clips_a).intersection(clips_b))
        raise ModelError(
            f"The two evaluations are of different clips: {len(a.clips)} and "
            f"{len(b.clips)}, of which {n_common} are the same. Evaluate both models "
            "on the same clips and compare again."
        )
    return exact_mcnemar(correct_a, correct_b)


def _correct_in_order(evaluation: Evaluation) -> tuple[list[Identity], list[bool]]:
    """What the clips are, sorted, and whether each was understood."""
    clips = [identity(clip) for clip in evaluation.clips]
    order = sorted(range(len(clips)), key=clips.__getitem__)
    is_correct = evaluation.is_correct
    return [clips[i] for i in order], [bool(is_correct[i]) for i in order]


def _hear(
    model: Model, clips: Sequence[Clip], on_progress: Callable[[int, int], None]
) -> np.ndarray:
    """A model's probabilities for each clip, NaN where no speech is found."""
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
    return probabilities


def _file_name(clip: Clip) -> str:
    """A recording's name without any folder."""
    return PurePosixPath(clip.name).name


def _clip_to_json(clip: Clip, probabilities: np.ndarray) -> str:
    """One line of the file."""
    identity = {
        "name": _file_name(clip),
        "digit": clip.digit,
        "speaker": clip.speaker,
        "take": clip.take,
        "corpus": clip.corpus,
    }
    return _line(identity, probabilities)


def _other_to_json(name: str | None, probabilities: np.ndarray) -> str:
    """One line of a recording that is no digit."""
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
